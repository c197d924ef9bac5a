"""Laws of holes: what was left empty for a moment is counted where it is, and noise has none."""

from __future__ import annotations

import numpy as np
import pytest

from dsp.bandwidth.edge import band_position
from dsp.bandwidth.histogram import LevelHistogram
from dsp.bandwidth.holes import Holes

RATE = 48000


def levels(samples: np.ndarray[tuple[int], np.dtype[np.float32]]) -> np.ndarray[tuple[int, int], np.dtype[np.float32]]:
    measured, _ = LevelHistogram(RATE).levels(samples[None], 0, 30)
    return measured


def test_noise_has_no_holes() -> None:
    holes = Holes()
    holes.add(levels(np.random.default_rng(1).normal(0, 0.1, 2 * RATE).astype(np.float32)))
    assert holes.share(20_000) == 0.0


def test_holes_are_counted_below_the_edge_that_they_lie_below() -> None:
    measured, holes = levels(np.random.default_rng(2).normal(0, 0.1, 2 * RATE).astype(np.float32)), Holes()
    band = int(band_position(14_000))
    measured[:15, band : band + 4] -= 40
    holes.add(measured[:10])
    holes.add(measured[10:])
    width = int(band_position(0.96 * 16_000)) - int(band_position(0.75 * 16_000))
    assert holes.share(16_000) == pytest.approx(15 / 30 * 4 / width)
    assert holes.share(11_000) == 0.0


def test_too_few_frames_or_bands_say_nothing() -> None:
    holes = Holes()
    assert holes.share(16_000) == 0.0
    holes.add(np.zeros((30, 5), np.float32))
    assert holes.share(16_000) == 0.0
