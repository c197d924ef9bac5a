"""Loading: build an extender from an artifact's files, and compare what it plays with the recorded self-test."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from models.artifact.manifest import (
    EXCITER,
    FINE,
    GRAPH,
    PROOF,
    WEIGHTS,
    ArtifactError,
    Manifest,
    find_artifact,
    read_manifest,
)

if TYPE_CHECKING:
    from dsp.fft import Array
    from models.exciters.player import NetworkExciter
    from models.extender.config import ExtenderConfig
    from models.extender.extender import Extender

Kind = TypeVar("Kind")
# Other processors and library versions round differently; a wrong weight is off by far more.
_PROOF_TOLERANCE = 1e-4


def load_extender(name_or_path: str | Path = "live") -> Extender:
    """Load an extender, check its files against the manifest and replay its proof.

    Args:
        name_or_path: A shipped artifact ("live", "studio") or a folder.

    Raises:
        ArtifactError: With one sentence, where the artifact is missing, damaged or does not sound as it should.
    """
    folder = find_artifact(name_or_path)
    manifest = read_manifest(folder)
    _check_files(folder, manifest.files)
    extender = build(folder, manifest)
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


def build(folder: Path, manifest: Manifest) -> Extender:
    """Build an artifact's extender from its weights, without a look at its proof; raises ArtifactError."""
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    from models.extender.extender import Extender
    from models.extender.fine_envelope import network_of
    from models.predictor.kernel import KernelInference

    try:
        weights = load_file(folder / WEIGHTS)
        config = extender_config(manifest)
        predictor = KernelInference(config.predictor, part_of(weights, ""))
        fine = network_of(part_of(weights, FINE), config.lookahead_hops > 0)
        return Extender(config, predictor, _exciter(config, part_of(weights, EXCITER)), fine)
    except (RuntimeError, ValueError, SafetensorError) as error:
        reason = str(error).splitlines()[0]
        raise ArtifactError(f"{folder} does not hold the weights that its manifest describes: {reason}") from None


def extender_config(manifest: Manifest) -> ExtenderConfig:
    """Return what a manifest says of an extender besides its weights; raise ValueError where sizes contradict."""
    from models.exciters.config import CONFIGS
    from models.extender.config import ExtenderConfig
    from models.predictor.config import PredictorConfig

    sizes = manifest.extender.model_dump()
    network = None if sizes["network"] is None else CONFIGS[sizes["exciter"]](**sizes["network"])
    return ExtenderConfig(**{**sizes, "predictor": PredictorConfig(**sizes["predictor"]), "network": network})


def part_of(weights: Mapping[str, Kind], prefix: str) -> dict[str, Kind]:
    """Return the weights of one part of an artifact by their own names: of its prefix, or of the predictor for none."""
    others = [other for other in (EXCITER, FINE) if other != prefix]
    return {
        name.removeprefix(prefix): value
        for name, value in weights.items()
        if name.startswith(prefix) and not name.startswith(tuple(others))
    }


def _exciter(config: ExtenderConfig, weights: Mapping[str, Array]) -> NetworkExciter | None:
    if config.network is None:
        return None
    # The only artifacts that are played by torch are those with a trained exciter.
    from models.exciters.player import NetworkExciter, trained_network

    return NetworkExciter(trained_network(config.network, weights))


def _replay(folder: Path, extender: Extender) -> None:
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    from models.artifact.self_test import EDGE_HZ, RATE, play

    try:
        proof = load_file(folder / PROOF)
        difference = float(abs(play(extender, proof["input"]) - proof["output"]).max())
    except (SafetensorError, KeyError, ValueError, RuntimeError, TypeError):
        raise ArtifactError(f"{folder / PROOF} holds no proof that can be played: export the artifact again") from None
    if not difference <= _PROOF_TOLERANCE:
        raise ArtifactError(
            f"{folder} does not sound as it did where it was trained (off by {difference:.1e} at {EDGE_HZ:.0f} Hz, "
            f"{RATE} Hz): use the version of Highband that made it, or export it again"
        )
