"""What a training run on waveforms is: a TOML file of kind "waveform" with only what differs from these defaults."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from torch import nn

from dsp.bands import BAND_COUNT
from models.exciters.config import CONFIGS
from models.exciters.two_stage import LearnedConfig
from models.training.data import corpus
from models.training.data.corpus import Clip
from models.training.data.degradation import Degradation
from models.training.exciter.adversarial import Game
from models.training.exciter.cqt_discriminator import MultiScaleConstantQ
from models.training.exciter.period_discriminator import MultiPeriod
from models.training.exciter.stft_discriminator import StftDiscriminator

KIND = "waveform"
CRITICS: dict[str, Callable[[], nn.Module]] = {
    "periods": MultiPeriod,
    "amplitude": lambda: StftDiscriminator("amplitude"),
    "phase": lambda: StftDiscriminator("phase"),
    "constant-q": MultiScaleConstantQ,
}


class WaveformRun(BaseModel):
    """One training run of a learned extender.

    Attributes:
        kind: Always "waveform"; runs without a kind train a predictor.
        name: Of the run's folder.
        about: One sentence.
        corpus: Folder of recordings; None takes the default one.
        more: Further folders of recordings, which are added.
        least_bandwidth_hz: Recordings whose content ends lower are left out.
        network: "seanet" or "wavenet".
        sizes: What differs from the defaults of the network's config.
        conditioned: Whether the network receives the acoustic features.
        filtered: Whether the LTV filter shapes what it makes.
        predictor: The artifact whose predictor controls the filter when the network is played.
        seed: Decides weights, examples and noise.
        steps, rows: Length of the run; examples a step.
        seconds: Of an example.
        alone: Steps before the discriminators join.
        critics: Discriminators, names in `CRITICS`.
        game: "hinge" or "squares".
        acoustic, spectrum, adversarial, matching: Shares of the losses in the pull on the network's output.
        rate: Peak learning rate; `warm_up` steps up, then half a cosine down to a hundredth.
        average: Share of the old weights kept each step by the running average that is evaluated.
        error_db, wobble_db: What the predictor's errors are taken to be: of a smooth offset over the bands that stays
            for an example, and of each frame and band.
        save_every: Steps between checkpoints.
        listen_every: Steps between evaluations on fixed clips.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: Literal["waveform"]
    name: str = Field(pattern=r"^[a-z0-9][a-z0-9-]*$")
    about: str = ""
    corpus: Path | None = None
    more: tuple[Path, ...] = ()
    least_bandwidth_hz: float = 16000.0
    network: Literal["seanet", "wavenet"]
    sizes: dict[str, Any] = Field(default_factory=dict)
    conditioned: bool = False
    filtered: bool = False
    predictor: str = "live"
    seed: int = 1
    steps: int = Field(default=600, ge=1)
    rows: int = Field(default=4, ge=1)
    seconds: float = Field(default=0.5, gt=0.1, le=60.0)
    alone: int = Field(default=400, ge=0)
    critics: tuple[Literal["periods", "amplitude", "phase", "constant-q"], ...] = ("periods", "amplitude", "phase")
    game: Game = "hinge"
    acoustic: float = Field(default=1.0, ge=0)
    spectrum: float = Field(default=1.0, ge=0)
    adversarial: float = Field(default=0.5, ge=0)
    matching: float = Field(default=0.5, ge=0)
    rate: float = 2e-3
    warm_up: int = Field(default=20, ge=1)
    average: float = Field(default=0.99, ge=0, lt=1)
    error_db: float = Field(default=3.0, ge=0)
    wobble_db: float = Field(default=1.5, ge=0)
    save_every: int = Field(default=100, ge=1)
    listen_every: int = Field(default=300, ge=1)
    degradation: dict[str, Any] = Field(default_factory=dict)

    def clips(self) -> list[Clip]:
        """Return the recordings of all folders."""
        return corpus.of_folders(self.corpus, self.more)

    def extender(self) -> LearnedConfig:
        """Return the extender that this run trains."""
        lists: dict[str, Any] = {key: tuple(v) if isinstance(v, list) else v for key, v in self.sizes.items()}
        sizes = CONFIGS[self.network](**lists, conditioning=BAND_COUNT if self.conditioned else 0)
        return LearnedConfig(sizes, self.filtered)

    def degradations(self) -> Degradation:
        """Return what degradations are drawn from."""
        return Degradation(**self.degradation)

    def judges(self) -> nn.ModuleDict:
        """Return the discriminators, untrained; none where they never join."""
        return nn.ModuleDict({name: CRITICS[name]() for name in self.critics} if self.alone < self.steps else {})

    def shares(self) -> dict[str, float]:
        """Return the losses' shares by name."""
        names = ("acoustic", "spectrum", "adversarial", "matching")
        return {name: getattr(self, name) for name in names}

    def full(self) -> dict[str, Any]:
        """Return every value, defaults and all, as plain data."""
        values = self.model_dump(mode="json")
        return {**values, "sizes": asdict(self.extender().network), "degradation": self.degradations().model_dump()}


def read_waveform_run(file: Path) -> WaveformRun:
    """Read a run from a TOML file; raise ValueError with a sentence that names what is wrong."""
    try:
        run = WaveformRun(**_read(file))
        run.extender()
        run.degradations()
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise ValueError(f"{file}: {where}: {first['msg']}") from None
    except TypeError as error:
        raise ValueError(f"{file}: sizes: {error}") from None
    return run


def is_waveform_run(file: Path) -> bool:
    """Return whether a run file says that it is of this kind; raise ValueError where it can't be read."""
    return _read(file).get("kind") == KIND


def _read(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise ValueError(f"{file} can't be read: {error.strerror}; give the path of a run's TOML file") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ValueError(f"{file} is not valid TOML: {error}") from None
