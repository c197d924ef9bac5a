"""Examples of waveforms: seeded crops of the corpus, degraded, with the acoustic features that an extender receives."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import soxr
import torch
from numpy.typing import NDArray
from torch import Tensor

from dsp import bands
from dsp.bandwidth.meter import BandwidthMeter
from models.exciters.ltv_layer import HOP, RATE
from models.training.data import corpus
from models.training.data.corpus import Clip
from models.training.exciter.acoustic_loss import REACH, acoustic_features
from models.training.exciter.run import WaveformRun

Audio = NDArray[np.float32]
# A crop more silent than this, RMS, teaches nothing; the next seed is tried, a few times.
_SILENT = 1e-4
_TRIES = 6
# A host finds the edge a little below the cutoff; one found far below is a crop that happens to hold nothing there.
_LEAST_EDGE = 0.8
_ERROR_POINTS = 6


class WaveExample(NamedTuple):
    """A batch of examples.

    Attributes:
        degraded, clean: Shape (batch, time), time a multiple of the hop.
        features_db: Of the clean signals, shape (batch, frames + 1, bands).
        predicted_db: The same with errors such as a predictor makes.
        crossovers_hz: Where each degraded signal's band ends, as a host finds it.
        bandwidths_hz: Up to where each clean signal can be trusted, shape (batch,).
    """

    degraded: Tensor
    clean: Tensor
    features_db: Tensor
    predicted_db: Tensor
    crossovers_hz: list[float]
    bandwidths_hz: Tensor

    def to(self, device: torch.device) -> WaveExample:
        """Return the examples on a device."""
        moved = (part.to(device) if isinstance(part, Tensor) else part for part in self)
        return WaveExample(*moved)  # type: ignore[arg-type]


class _Drawn(NamedTuple):
    """One crop with its margins."""

    degraded: Audio
    clean: Audio
    crossover_hz: float
    bandwidth_hz: float


class WaveExamples:
    """Draws examples; the same step of the same run draws the same ones.

    Args:
        clips: Recordings; each is drawn as often as it is long.
        run: The run.
    """

    def __init__(self, clips: Sequence[Clip], run: WaveformRun) -> None:
        self._clips = reaching(clips, run.least_bandwidth_hz)
        if not self._clips:
            raise ValueError(f"the corpus holds no clip of split train that reaches {run.least_bandwidth_hz:.0f} Hz")
        seconds = np.array([clip.seconds for clip in self._clips])
        self._shares, self._run, self._degradation = seconds / seconds.sum(), run, run.degradations()
        self._time = max(1, round(run.seconds * RATE / HOP)) * HOP

    def batch(self, step: int) -> WaveExample:
        """Return the examples of a step."""
        generators = [np.random.default_rng([self._run.seed, step, row]) for row in range(self._run.rows)]
        drawn = [self._draw(generator) for generator in generators]
        degraded = torch.from_numpy(np.stack([one.degraded for one in drawn]))
        clean = torch.from_numpy(np.stack([one.clean for one in drawn]))
        features = acoustic_features(clean)
        predicted = features + torch.stack([self._error_db(features.shape[1], generator) for generator in generators])
        middle = slice(REACH, REACH + self._time)
        crossovers, trusted = [one.crossover_hz for one in drawn], torch.tensor([one.bandwidth_hz for one in drawn])
        return WaveExample(degraded[:, middle], clean[:, middle], features, predicted, crossovers, trusted)

    def _draw(self, rng: np.random.Generator) -> _Drawn:
        for _ in range(_TRIES):
            clip = self._clips[int(rng.choice(len(self._clips), p=self._shares))]
            clean = crop_48k(clip, self._time + 2 * REACH, int(rng.integers(2**32)))
            if float(np.sqrt(np.mean(clean.astype(np.float64) ** 2))) > _SILENT:
                break
        recipe = self._degradation.draw(int(rng.integers(2**32)), 0.8 * min(clip.true_bandwidth_hz, clip.trusted_hz))
        scene, degraded = recipe.pair(clean, RATE)
        meter = BandwidthMeter(RATE)
        meter.add(torch.from_numpy(degraded))
        edge = float(np.clip(meter.edge_hz(), _LEAST_EDGE * recipe.cutoff_hz, recipe.cutoff_hz))
        return _Drawn(degraded[0], scene[0], edge, clip.trusted_hz)

    def _error_db(self, frames: int, rng: np.random.Generator) -> Tensor:
        places = np.linspace(0, bands.BAND_COUNT - 1, _ERROR_POINTS)
        offset = np.interp(np.arange(bands.BAND_COUNT), places, rng.normal(0, self._run.error_db, _ERROR_POINTS))
        wobble = rng.normal(0, self._run.wobble_db, (frames, bands.BAND_COUNT))
        return torch.from_numpy((offset + wobble).astype(np.float32))


def crop_48k(clip: Clip, samples: int, seed: int) -> Audio:
    """Return a stretch of a clip at a random place at 48 kHz, mixed down, shape (1, samples)."""
    crop, rate = corpus.crop(clip, samples / RATE + 0.01, seed)
    mono = crop.mean(0)
    if rate != RATE:
        mono = soxr.resample(mono, rate, RATE, quality="HQ")
    return np.ascontiguousarray(mono[None, :samples], dtype=np.float32)


def reaching(clips: Sequence[Clip], least_hz: float) -> list[Clip]:
    """Return the clips whose content is real up to a frequency at least."""
    return [clip for clip in clips if min(clip.true_bandwidth_hz, clip.trusted_hz) >= least_hz]
