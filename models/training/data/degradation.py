"""Degradation: seeded recipes that turn a full-band recording into one that lost its top.

The variety of low-passes is the guard against learning one filter's fingerprint (Han and Lee 2022, NU-Wave 2).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, model_validator

from models.training.data import codec
from models.training.data.lowpass import (
    CONVERTERS,
    WINDOWS,
    Coding,
    Conversion,
    Lowpass,
    Slope,
    WindowedSinc,
    resample_to,
)
from models.training.data.scene import Scene

Audio = NDArray[np.float32]
Kind = Literal["chebyshev", "butterworth", "elliptic", "sinc", "conversion", "codec"]
# From no ripple at all to an audible colour, as in NU-Wave 2.
_RIPPLES_DB = (1e-6, 1e-3, 0.1, 1.0, 3.0)
# Good converters are common, those that fold the top into the band are rare.
_CONVERTER_SHARES = (0.4, 0.2, 0.15, 0.1, 0.05, 0.06, 0.04)
_EQ_POINTS = 7


@dataclass(frozen=True)
class Recipe:
    """One degradation with everything drawn: the same clean signal gives the same result.

    Attributes:
        cutoff_hz: Nothing is left at and above this frequency.
        lowpass: How the top is lost.
        scene: What is changed in clean and degraded alike.
    """

    cutoff_hz: float
    lowpass: Lowpass
    scene: Scene

    def apply(self, clean: Audio, rate: int) -> Audio:
        """Return the degraded signal: same shape (channels, samples) float32, aligned to the sample."""
        return self.pair(clean, rate)[1]

    def pair(self, clean: Audio, rate: int) -> tuple[Audio, Audio]:
        """Return what the model should give, the clean signal in the scene, and what it is given."""
        scene = self.scene.apply(clean, rate)
        if not clean.size or 2 * self.cutoff_hz >= rate:
            return scene, scene.copy()
        # Every digital recording ends in a converter; it also takes what slopes and images leave above.
        return scene, resample_to(self.lowpass.apply(scene, rate, self.cutoff_hz), rate, 2 * self.cutoff_hz)

    @property
    def text(self) -> str:
        """One line that says what is done."""
        return f"{self.lowpass.text()}, nothing above {self.cutoff_hz / 1000:.2f} kHz; {self.scene.text()}"


class Degradation(BaseModel):
    """What recipes are drawn from.

    Attributes:
        cutoff_low_hz, cutoff_high_hz: Range of the cutoff, log-uniform.
        kinds: Relative frequency of each kind of low-pass.
        gain_db: Most change of level, either way.
        eq_db: Standard deviation of the equaliser's points.
        eq_share, noise_share, room_share: How often each is applied.
        noise_low_db, noise_high_db: Range of the noise's level.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    cutoff_low_hz: float = Field(2000.0, ge=500.0)
    cutoff_high_hz: float = Field(20000.0, le=48000.0)
    kinds: dict[Kind, float] = {
        "chebyshev": 0.2, "butterworth": 0.1, "elliptic": 0.1, "sinc": 0.2, "conversion": 0.2, "codec": 0.2,
    }  # fmt: skip
    gain_db: float = Field(8.0, ge=0.0)
    eq_db: float = Field(4.0, ge=0.0)
    eq_share: float = Field(0.6, ge=0.0, le=1.0)
    noise_share: float = Field(0.4, ge=0.0, le=1.0)
    room_share: float = Field(0.25, ge=0.0, le=1.0)
    noise_low_db: float = -90.0
    noise_high_db: float = -45.0

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.cutoff_low_hz > self.cutoff_high_hz or self.noise_low_db > self.noise_high_db:
            raise ValueError("a range must start below its end")
        if min(self.kinds.values(), default=0.0) < 0 or sum(self.kinds.values()) <= 0:
            raise ValueError("kinds must name at least one kind of low-pass with a share above 0 and none below")
        return self

    def draw(self, seed: int, ceiling_hz: float | None = None) -> Recipe:
        """Draw a recipe.

        Args:
            seed: The same seed draws the same recipe.
            ceiling_hz: Highest cutoff wanted, such as the clip's true bandwidth.
        """
        rng = np.random.default_rng(seed)
        high = self.cutoff_high_hz if ceiling_hz is None else min(self.cutoff_high_hz, ceiling_hz)
        cutoff_hz = float(self.cutoff_low_hz * (max(high, self.cutoff_low_hz) / self.cutoff_low_hz) ** rng.random())
        shares = np.array(list(self.kinds.values()))
        kind = list(self.kinds)[int(rng.choice(len(shares), p=shares / shares.sum()))]
        lowpass = draw_lowpass(kind, cutoff_hz, rng)
        if isinstance(lowpass, Coding):
            cutoff_hz = min(cutoff_hz, lowpass.codec.edge_hz)
        return Recipe(cutoff_hz, lowpass, self._draw_scene(rng))

    def _draw_scene(self, rng: np.random.Generator) -> Scene:
        with_eq, with_noise, with_room = rng.random(3) < (self.eq_share, self.noise_share, self.room_share)
        points = rng.normal(0.0, self.eq_db, _EQ_POINTS)
        noise_db = float(rng.uniform(self.noise_low_db, self.noise_high_db))
        decay_s = float(rng.uniform(0.1, 0.8))
        return Scene(
            seed=int(rng.integers(2**32)),
            gain_db=float(rng.uniform(-self.gain_db, self.gain_db)),
            eq_db=tuple(float(point) for point in points) if with_eq else (),
            noise_db=noise_db if with_noise else None,
            noise_slope_db=float(rng.uniform(-6.0, 0.0)),
            decay_s=decay_s if with_room else None,
            echo_db=float(rng.uniform(-24.0, -6.0)),
        )


def draw_lowpass(kind: Kind, cutoff_hz: float, rng: np.random.Generator) -> Lowpass:
    """Draw a low-pass of this kind for this cutoff."""
    if kind == "sinc":
        return WindowedSinc(list(WINDOWS)[rng.integers(len(WINDOWS))], float(0.02 * 15 ** rng.random()))
    if kind == "conversion":
        down, up = rng.choice(len(CONVERTERS), 2, p=_CONVERTER_SHARES)
        return Conversion(CONVERTERS[down], CONVERTERS[up])
    if kind == "codec":
        near = codec.choices(cutoff_hz)
        return Coding(near[rng.integers(len(near))])
    most = 8 if kind == "elliptic" else 11
    return Slope(
        family=kind,
        order=int(rng.integers(1, most + 1)),
        ripple_db=float(rng.choice(_RIPPLES_DB)),
        attenuation_db=float(rng.uniform(40.0, 80.0)),
        corner=float(rng.uniform(0.7, 1.0)),
        zero_phase=bool(rng.random() < 0.5),
    )
