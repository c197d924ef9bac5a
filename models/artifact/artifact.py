"""The artifact: one folder that carries a trained extender.

`weights.safetensors` holds the predictor and, where one is trained, the exciter; `predictor.onnx` the predictor
compiled for live use; `manifest.json` what it is and where it came from; and `proof.safetensors` an input with the
output that its trainer heard, which is replayed on loading. Nothing in it can run code.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from models.predictor.runtime import Runtime

if TYPE_CHECKING:
    from torch import Tensor

    from models.exciters.player import Network
    from models.extender.extender import Extender

FORMAT = 1
FOLDER = Path(__file__).parents[1] / "artifacts"
# What the names of an exciter's weights begin with, beside the predictor's, which have no such beginning.
EXCITER = "exciter."
MANIFEST, WEIGHTS, GRAPH, PROOF = "manifest.json", "weights.safetensors", "predictor.onnx", "proof.safetensors"
# Other processors and library versions round differently; a wrong weight is off by far more.
_PROOF_TOLERANCE = 1e-4


class ArtifactError(ValueError):
    """An artifact that can't be used, in one sentence for people."""


class PredictorSizes(BaseModel):
    """`models.predictor.network.PredictorConfig` as it stands in a manifest, within bounds that a host can bear."""

    model_config = ConfigDict(extra="forbid")
    width: int = Field(ge=1, le=2048)
    hidden: int = Field(ge=1, le=2048)
    layers: int = Field(ge=1, le=8)
    kernel: int = Field(ge=1, le=64)
    horizon: int = Field(ge=-64, le=16)
    dropout: float = Field(ge=0, lt=1)


_Size = Annotated[int, Field(ge=1, le=1024)]


class SeanetSizes(BaseModel):
    """`models.exciters.seanet.SeanetConfig` as it stands in a manifest, within bounds that a host can bear."""

    model_config = ConfigDict(extra="forbid")
    inputs: int = Field(ge=1, le=2)
    channels: tuple[_Size, ...] = Field(min_length=1, max_length=9)
    strides: tuple[_Size, ...] = Field(max_length=8)
    dilations: tuple[_Size, ...] = Field(max_length=16)
    kernel: int = Field(ge=1, le=64)
    conditioning: Literal[0]


class WavenetSizes(BaseModel):
    """`models.exciters.wavenet.WavenetConfig` as it stands in a manifest, within bounds that a host can bear."""

    model_config = ConfigDict(extra="forbid")
    inputs: int = Field(ge=1, le=2)
    channels: _Size
    dilations: tuple[_Size, ...] = Field(min_length=1, max_length=16)
    stacks: int = Field(ge=1, le=16)
    kernel: int = Field(ge=1, le=64)
    stride: _Size
    conditioning: Literal[0]


class ExtenderSizes(BaseModel):
    """`models.extender.extender.ExtenderConfig` as it stands in a manifest."""

    model_config = ConfigDict(extra="forbid")
    predictor: PredictorSizes
    lookahead_hops: int = Field(ge=0, le=64)
    exciter: Literal["harmonics", "translation", "seanet", "wavenet"]
    network: SeanetSizes | WavenetSizes | None = None
    # A manifest that does not say is of an extender that hears through Hann windows.
    window_fall: float = Field(default=0.5, gt=0, lt=1)
    whiten: bool = True

    @model_validator(mode="after")
    def _network_fits(self) -> Self:
        wanted = {"seanet": SeanetSizes, "wavenet": WavenetSizes}.get(self.exciter, type(None))
        if not isinstance(self.network, wanted):
            raise ValueError(f"the exciter {self.exciter} does not go with what stands for its network")
        return self


class Manifest(BaseModel):
    """What an artifact is, where it came from and what it achieves."""

    model_config = ConfigDict(extra="allow")
    format: int
    name: str = Field(pattern=r"^[a-z0-9][a-z0-9-]*$")
    about: str
    extender: ExtenderSizes
    weights: int
    latency_ms: float
    licence: str
    files: dict[str, str]
    provenance: dict[str, Any]
    metrics: dict[str, Any] = Field(default_factory=dict)


class ArtifactInfo(BaseModel):
    """One line of `highband artifacts`."""

    name: str
    path: Path
    about: str
    weights: int
    latency_ms: float
    licence: str
    metrics: dict[str, Any]


def list_artifacts(folder: Path = FOLDER) -> list[ArtifactInfo]:
    """Return the artifacts in a folder by name, without loading them."""
    found = [(read_manifest(path.parent), path.parent) for path in sorted(folder.glob(f"*/{MANIFEST}"))]
    return [
        ArtifactInfo(
            path=path, **{name: getattr(manifest, name) for name in ArtifactInfo.model_fields if name != "path"}
        )
        for manifest, path in found
    ]


def find_artifact(name_or_path: str | Path) -> Path:
    """Return the folder of a shipped artifact by name, or of any by path; raise ArtifactError where there is none."""
    named, path = FOLDER / str(name_or_path), Path(name_or_path)
    if named.parent == FOLDER and os.path.isfile(named / MANIFEST):
        return named
    # os.path answers no where a name is too long for the system; Path raises.
    if os.path.isfile(path / MANIFEST):
        return path
    known = ", ".join(info.name for info in list_artifacts())
    raise ArtifactError(f"there is no artifact '{name_or_path}': give a folder with a {MANIFEST}, or one of {known}")


def read_manifest(folder: Path) -> Manifest:
    """Read and check an artifact's manifest."""
    try:
        manifest = Manifest.model_validate_json((folder / MANIFEST).read_bytes())
    except OSError as error:
        raise ArtifactError(f"{folder / MANIFEST} can't be read: {error.strerror}") from None
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise ArtifactError(f"{folder / MANIFEST} is not a manifest: {where}: {first['msg']}") from None
    if manifest.format > FORMAT:
        raise ArtifactError(f"{folder} was made by a newer Highband (format {manifest.format}): upgrade to use it")
    return manifest


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
