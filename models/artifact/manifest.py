"""The artifact: one folder that carries a trained extender, and the manifest that describes it.

`weights.safetensors` holds the predictor and, where one is trained, the exciter; `predictor.onnx` the predictor as a
graph for other programs; `manifest.json` its sizes, origin and figures; and `proof.safetensors` an input with the
output that its trainer got, which is replayed on loading. Nothing in it can run code.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

FORMAT = 1
FOLDER = Path(__file__).parents[1] / "artifacts"
# What the names of an exciter's weights and of the fine envelope's begin with, beside the predictor's, which have no
# such beginning.
EXCITER, FINE = "exciter.", "fine."
MANIFEST, WEIGHTS, GRAPH, PROOF = "manifest.json", "weights.safetensors", "predictor.onnx", "proof.safetensors"


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
    is_held: bool = False


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
    # An older manifest does not hold it: its extender analyses by Hann windows.
    window_fall: float = Field(default=0.5, gt=0, lt=1)
    whiten: bool = True

    @model_validator(mode="after")
    def _network_fits(self) -> Self:
        expected = {"seanet": SeanetSizes, "wavenet": WavenetSizes}.get(self.exciter, type(None))
        if not isinstance(self.network, expected):
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
    artifacts = [(read_manifest(path.parent), path.parent) for path in sorted(folder.glob(f"*/{MANIFEST}"))]
    return [
        ArtifactInfo(
            path=path, **{name: getattr(manifest, name) for name in ArtifactInfo.model_fields if name != "path"}
        )
        for manifest, path in artifacts
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
