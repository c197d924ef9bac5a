"""What a training run is: a TOML file that holds only what differs from these defaults."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from dsp.bands import HANN_FALL
from models.extender.config import ExtenderConfig, horizon
from models.predictor.config import PredictorConfig
from models.training.data import corpus
from models.training.data.augmentation import AugmentationConfig
from models.training.data.corpus import Clip
from models.training.fine.fit import STEPS


class RunConfig(BaseModel):
    """One training run.

    Attributes:
        name: Of the artifact and of the run's folder.
        about: One sentence on what the artifact is for.
        corpus: Folder of recordings; None takes the default one.
        more: Further folders of recordings, which are added.
        without: Sources left out (by the start of their names), to measure how well others stand in for them.
        speeds: Speeds at which every clip is played.
        degradations: How many times each clip is also played through a filter, a converter or a codec.
        amplifiers: How many times an instrument is played through a guitar amplifier; see
            `models.training.data.synthetic_features`.
        synthesizers: How many phrases of synthesizers are added; see `training.made_features`.
        seed: Decides weights, examples and dropout.
        steps, rows: Length of the run; examples a step, over all processes.
        rate: Peak learning rate, reached after `warm_up` steps and let down along a half cosine.
        decay: Weight decay.
        average: Share of the old weights kept each step by the running average that is evaluated and shipped.
        evenness: See `losses.band_importance`.
        spans: Frames over which envelopes are compared, each with the same weight; 8 is the window of LSD.
        start: Another run whose averaged weights this one starts from.
        artifact: A shipped artifact whose weights it starts from otherwise; its network may be smaller.
        blend: A shipped artifact of the same sizes and beginnings; what is exported is the mean of its weights and the
            run's (model soups, Wortsman et al. 2022).
        harmonicity, level, spectrum: Weights of the losses of harmonicity and of the frames' level, and of the
            multi-resolution spectral loss.
        spectrum_rows: Examples a step that the spectral loss listens to.
        fine_steps: Steps of the fine envelope's fit at the export; 0 leaves it out.
        settle: Frames at the start of an example that are not judged, while the predictor finds its feet.
        save_every: Steps between checkpoints and evaluations.
        lookahead_hops, window_fall, exciter: See `models.extender.extender.ExtenderConfig`.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9-]*$")
    about: str = ""
    corpus: Path | None = None
    more: tuple[Path, ...] = ()
    without: tuple[str, ...] = ()
    speeds: tuple[float, ...] = (1.0, 0.84, 0.92, 1.09, 1.19)
    degradations: int = Field(default=2, ge=0)
    amplifiers: int = Field(default=0, ge=0)
    synthesizers: int = Field(default=0, ge=0)
    seed: int = 1
    steps: int = Field(default=3000, ge=1)
    rows: int = Field(default=12, ge=1)
    rate: float = 1.5e-3
    warm_up: int = 100
    decay: float = 0.1
    average: float = 0.999
    evenness: float = Field(default=0.3, ge=0, le=1)
    spans: tuple[int, ...] = (1, 8)
    start: str | None = Field(default=None, pattern=r"^[a-z0-9][a-z0-9-]*$")
    artifact: str | None = None
    blend: str | None = None
    harmonicity: float = 1.0
    level: float = 0.3
    spectrum: float = 0.0
    spectrum_rows: int = 2
    fine_steps: int = Field(default=STEPS, ge=0)
    settle: int = 20
    save_every: int = Field(default=250, ge=1)
    lookahead_hops: int = Field(default=0, ge=0, le=11)
    window_fall: float = Field(default=HANN_FALL, gt=0, lt=1)
    exciter: str = "harmonics"
    predictor: dict[str, Any] = Field(default_factory=dict)
    augmentation: dict[str, Any] = Field(default_factory=dict)

    def extender(self) -> ExtenderConfig:
        """Return the extender that this run trains; its horizon follows from the look-ahead."""
        sizes = PredictorConfig(**{**self.predictor, "horizon": horizon(self.lookahead_hops), "is_held": True})
        return ExtenderConfig(sizes, self.lookahead_hops, self.exciter, window_fall=self.window_fall)

    def clips(self) -> list[Clip]:
        """Return the recordings of all folders but for the sources that are left out."""
        every = corpus.of_folders(self.corpus, self.more)
        return [clip for clip in every if not clip.source.startswith(self.without or "\0")]

    def examples(self) -> AugmentationConfig:
        """Return how examples are drawn."""
        return AugmentationConfig(**self.augmentation)

    def full(self) -> dict[str, Any]:
        """Return every value, defaults and all, as plain data for the artifact's manifest."""
        values = self.model_dump(mode="json")
        return {**values, "predictor": asdict(self.extender().predictor), "augmentation": asdict(self.examples())}


def without_folders(run: Mapping[str, Any]) -> dict[str, Any]:
    """Return a run's values as an artifact names them: the folders of the machine that trained it say nothing there."""
    return {name: value for name, value in run.items() if name not in ("corpus", "more")}


def read_run(file: Path) -> RunConfig:
    """Read a run from a TOML file; raise ValueError with a sentence that names what is wrong."""
    try:
        return RunConfig(**tomllib.loads(file.read_text(encoding="utf-8")))
    except OSError as error:
        raise ValueError(f"{file} can't be read: {error.strerror}; give the path of a run's TOML file") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ValueError(f"{file} is not valid TOML: {error}") from None
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise ValueError(f"{file}: {where}: {first['msg']}") from None
