"""Laws of the features: a sine stands in its band, and another speed moves it."""

from __future__ import annotations

import math

import numpy as np
import pytest

from dsp import bands
from models.training.features import analyse


@pytest.mark.parametrize("speed", [0.84, 1.0, 1.19])
def test_a_sine_stands_in_its_band_and_speed_moves_it(speed: float) -> None:
    time = np.arange(24000) / 48000
    sine = (0.5 * np.sin(2 * math.pi * 6000 * time)).astype(np.float32)
    levels, tones = analyse(sine, 48000 * speed)
    loudest = int(levels[20:-20].astype(np.float32).mean(0).argmax())
    edges = bands.band_edges_hz()
    assert edges[loudest] < 6000 * speed < edges[loudest + 2]
    assert levels.shape == tones.shape
    assert levels.dtype == np.float16
    assert tones[30, loudest] > 200
    assert len(levels) == pytest.approx(24000 / bands.hop_samples(48000 * speed), abs=2)
