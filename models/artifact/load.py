"""Loading: build an extender from an artifact's files, and compare what it plays with the recorded self-test."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from models.artifact.manifest import (
    EXCITER,
    GRAPH,
    PROOF,
    WEIGHTS,
    ArtifactError,
    Manifest,
    find_artifact,
    read_manifest,
)
from models.predictor.runtime import Runtime

if TYPE_CHECKING:
    from torch import Tensor

    from models.exciters.player import Network
    from models.extender.extender import Extender

# Other processors and library versions round differently; a wrong weight is off by far more.
_PROOF_TOLERANCE = 1e-4


def load_extender(name_or_path: str | Path = "live", runtime: Runtime = "torch") -> Extender:
    """Load an extender, check its files against the manifest and replay its proof.

    Args:
        name_or_path: A shipped artifact ("live", "studio") or a folder.
        runtime: What computes its predictor.

    Raises:
        ArtifactError: with one sentence, where the artifact is missing, damaged or does not sound as it should.
    """
    folder = find_artifact(name_or_path)
    manifest = read_manifest(folder)
    _check_files(folder, manifest.files)
    extender = build(folder, manifest, runtime)
    _replay(folder, extender)
    return extender


def _check_files(folder: Path, files: Mapping[str, str]) -> None:
    for name in (WEIGHTS, GRAPH, PROOF):
        try:
            digest = hashlib.sha256((folder / name).read_bytes()).hexdigest()
        except OSError as error:
            raise ArtifactError(f"{folder / name} can't be read: {error.strerror}; copy the artifact again") from None
        if digest != files.get(name):
            raise ArtifactError(f"{folder / name} is not the file that the manifest names: copy the artifact again")


def build(folder: Path, manifest: Manifest, runtime: Runtime) -> Extender:
    """Build an artifact's extender from its weights, without a look at its proof; raises ArtifactError."""
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    from models.extender.config import ExtenderConfig
    from models.extender.extender import Extender
    from models.predictor.network import Predictor, PredictorConfig

    sizes = manifest.extender.model_dump()
    predictor = Predictor(PredictorConfig(**sizes["predictor"]))
    try:
        weights = load_file(folder / WEIGHTS)
        predictor.load_state_dict({name: value for name, value in weights.items() if not name.startswith(EXCITER)})
        network = _network(sizes, weights)
        told = {"predictor": predictor.config, "network": None if network is None else network.config}
        config = ExtenderConfig(**{**sizes, **told})
        if runtime == "torch":
            return Extender(config, predictor, network=network)
        if runtime == "kernel":
            from models.predictor.kernel import KernelTeller

            return Extender(config, predictor, KernelTeller(predictor), network)
        from models.predictor.onnx import CompiledTeller

        return Extender(config, predictor, CompiledTeller(folder / GRAPH, predictor), network)
    except (RuntimeError, ValueError, SafetensorError) as error:
        reason = str(error).splitlines()[0]
        raise ArtifactError(f"{folder} does not hold the weights that its manifest describes: {reason}") from None


def _network(sizes: Mapping[str, Any], weights: Mapping[str, Tensor]) -> Network | None:
    if sizes["network"] is None:
        return None
    from models.exciters.causal_conv import folded
    from models.exciters.player import CONFIGS, network_of

    network = folded(network_of(CONFIGS[sizes["exciter"]](**sizes["network"])))
    network.load_state_dict(
        {name.removeprefix(EXCITER): value for name, value in weights.items() if name.startswith(EXCITER)}
    )
    return network


def _replay(folder: Path, extender: Extender) -> None:
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    from models.artifact.self_test import EDGE_HZ, RATE, hear

    try:
        proof = load_file(folder / PROOF)
        difference = float(abs(hear(extender, proof["input"]) - proof["output"]).max())
    except (SafetensorError, KeyError, ValueError, RuntimeError, TypeError):
        raise ArtifactError(f"{folder / PROOF} holds no proof that can be played: export the artifact again") from None
    if not difference <= _PROOF_TOLERANCE:
        raise ArtifactError(
            f"{folder} does not sound as it did to its trainer (off by {difference:.1e} at {EDGE_HZ:.0f} Hz, "
            f"{RATE} Hz): use the version of Highband that made it, or export it again"
        )
