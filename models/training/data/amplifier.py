"""An instrument as it sounds through a guitar amplifier and its loudspeaker: drive, cabinet, microphone and hiss.

Guitar loudspeakers fall off steeply from 4 to 6 kHz on, so that a recording of one has hardly any top of its own. A
network that has met only instruments played into microphones puts one there.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

import numpy as np
import soxr
from numpy.typing import NDArray
from pedalboard import PeakFilter
from scipy import signal

from models.training.data.scene import recorded

Audio = NDArray[np.float32]
# A valve's curve makes harmonics of harmonics; what still folds back at four times the rate, the loudspeaker takes.
_OVERSAMPLING = 4
_TINY = 1e-9


@dataclass(frozen=True)
class Bell:
    """A resonance: frequency in Hz, height in dB, and sharpness."""

    hz: float
    gain_db: float
    sharpness: float


@dataclass(frozen=True)
class Amplifier:
    """An amplifier, its loudspeaker and the microphone before it.

    Attributes:
        seed: Of the hiss.
        low_cut_hz: What is below does not reach the valves.
        push: The colour before the drive, in which most pedals lift the middle.
        drive_db: How far the loudest sample is driven beyond the curve's bend.
        bias: How unlike the curve bends on its two sides; even harmonics come of it.
        resonances: Of the loudspeaker's cone and the cabinet.
        corner_hz, order: Where the loudspeaker starts to fall off and how steeply, a Butterworth slope.
        hiss_db: Level of the amplifier's hiss before the loudspeaker, dB re the driven sound (RMS of both).
        floor_db: Level of the recording's noise, dB re full scale (RMS).
    """

    seed: int
    low_cut_hz: float
    push: Bell
    drive_db: float
    bias: float
    resonances: tuple[Bell, ...]
    corner_hz: float
    order: int
    hiss_db: float
    floor_db: float

    @classmethod
    def draw(cls, seed: int) -> Self:
        """Draw an amplifier, from a clean one to one that leaves no dynamics; the same seed draws the same."""
        rng = np.random.default_rng(seed)
        cone = [Bell(2000.0 * 6.0 ** rng.random(), rng.normal(0.0, 5.0), rng.uniform(1.5, 8.0)) for _ in range(6)]
        return cls(
            seed=seed,
            low_cut_hz=rng.uniform(60.0, 180.0),
            push=Bell(rng.uniform(500.0, 1500.0), rng.uniform(-3.0, 12.0), rng.uniform(0.5, 1.2)),
            drive_db=rng.uniform(-6.0, 54.0),
            bias=rng.uniform(0.0, 0.4),
            resonances=(Bell(rng.uniform(90.0, 150.0), rng.uniform(0.0, 6.0), 1.5), *cone),
            corner_hz=3500.0 * 2.0 ** rng.random(),
            order=int(rng.integers(2, 7)),
            hiss_db=rng.uniform(-80.0, -45.0),
            floor_db=rng.uniform(-115.0, -75.0),
        )

    def apply(self, clean: Audio, rate: int) -> Audio:
        """Return the instrument through it.

        Args:
            clean: Shape (channels, samples), with more samples than channels.
            rate: Hz, at least 16000: a loudspeaker has to fit into the band.

        Returns:
            Same shape, as loud at its loudest as before but for the floor; late by what a loudspeaker is late.
        """
        loudest = float(np.abs(clean).max(initial=0.0))
        if loudest < _TINY:
            return clean.copy()
        rng = np.random.default_rng(self.seed)
        driven = self._driven(clean, rate)
        level = float(np.sqrt(np.mean(driven**2)))
        driven = driven + rng.standard_normal(driven.shape) * level * 10 ** (self.hiss_db / 20)
        played = signal.sosfilt(signal.butter(self.order, self.corner_hz, fs=rate, output="sos"), driven)
        played = _rung(played.astype(np.float32), self.resonances, rate)
        return recorded(played, loudest, self.floor_db, rng)

    def _driven(self, clean: Audio, rate: int) -> NDArray[np.float64]:
        low_cut = signal.butter(2, self.low_cut_hz, "highpass", fs=rate, output="sos")
        pushed = _rung(signal.sosfilt(low_cut, clean).astype(np.float32), (self.push,), rate)
        pushed *= 10 ** (self.drive_db / 20) / max(float(np.abs(pushed).max()), _TINY)
        fine = soxr.resample(pushed.T, rate, rate * _OVERSAMPLING)
        bent = np.tanh(fine + self.bias) - np.tanh(self.bias)
        plain = soxr.resample(bent, rate * _OVERSAMPLING, rate).T[:, : clean.shape[1]]
        # An uneven curve makes a direct current, which no transformer and no loudspeaker lets through.
        return np.asarray(signal.sosfilt(low_cut, plain), dtype=np.float64)


def _rung(audio: Audio, bells: Iterable[Bell], rate: int) -> Audio:
    for bell in bells:
        audio = np.asarray(PeakFilter(bell.hz, bell.gain_db, bell.sharpness)(audio, rate), dtype=np.float32)
    return audio
