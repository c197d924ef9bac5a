"""Laws of the features: a sine stands in its band, and another speed moves it."""

from __future__ import annotations

import math

import numpy as np
import pytest

from dsp import bands
from models.training.data.features import levels_of, tonality_of


@pytest.mark.parametrize("speed", [0.84, 1.0, 1.19])
def test_a_sine_stands_in_its_band_and_speed_moves_it(speed: float) -> None:
    time = np.arange(24000) / 48000
    sine = (0.5 * np.sin(2 * math.pi * 6000 * time)).astype(np.float32)
    levels, tones = levels_of(sine, 48000 * speed), tonality_of(sine, 48000 * speed)
    loudest = int(levels[20:-20].astype(np.float32).mean(0).argmax())
    edges = bands.band_edges_hz()
    assert edges[loudest] < 6000 * speed < edges[loudest + 2]
    assert levels.shape == tones.shape
    assert levels.dtype == np.float16
    assert tones[30, loudest] > 200
    assert len(levels) == pytest.approx(24000 / bands.hop_samples(48000 * speed), abs=2)


def test_a_late_window_shows_an_onset_sooner_and_steady_sound_alike() -> None:
    noise = np.random.default_rng(3).normal(0.0, 0.1, 48000).astype(np.float32)
    noise[:24000] *= 0.001
    usual, late = (levels_of(noise, 48000, fall).astype(np.float32)[:, 10:50].mean(1) for fall in (0.5, 0.125))
    begun = [int((levels > -24.0).argmax()) for levels in (usual, late)]
    assert begun[1] < begun[0]
    assert late[120:170].mean() == pytest.approx(usual[120:170].mean(), abs=0.5)
