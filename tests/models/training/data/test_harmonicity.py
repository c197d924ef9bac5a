"""Laws of harmonicity: lines on the pitch's grid have all of it, also where the pitch moves, and noise has none."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from dsp import bands
from models.training.data.harmonicity import EDGES_HZ, STRIDE, at_bands, harmonicity

RATE = 48000
ABOVE = slice(EDGES_HZ.index(4000.0), EDGES_HZ.index(12000.0))


def voice(pitch_hz: float, vibrato: float, seconds: float = 1.0) -> NDArray[np.float32]:
    """Return a harmonic series with a vibrato of 5.5 Hz, whose share of the pitch is given."""
    time = np.arange(round(seconds * RATE)) / RATE
    turns = np.cumsum(pitch_hz * (1 + vibrato * np.sin(2 * np.pi * 5.5 * time))) / RATE
    partials = range(1, int(22000 / pitch_hz / (1 + vibrato)))
    lines = [np.cos(2 * np.pi * k * turns + k * k) / np.sqrt(k) for k in partials]
    return np.asarray(0.05 * np.sum(lines, axis=0), dtype=np.float32)


def noise(seconds: float = 1.0) -> NDArray[np.float32]:
    return (0.1 * np.random.default_rng(0).standard_normal(round(seconds * RATE))).astype(np.float32)


@pytest.mark.parametrize("pitch_hz", [110.0, 220.0, 440.0])
def test_lines_have_it_and_noise_has_not(pitch_hz: float) -> None:
    assert float(harmonicity(voice(pitch_hz, 0.0), RATE)[10:-10, ABOVE].mean()) > 0.9 * 255
    assert float(harmonicity(noise(), RATE)[:, ABOVE].mean()) < 0.12 * 255


def test_a_moving_pitch_blurs_little() -> None:
    assert float(harmonicity(voice(220.0, 0.03), RATE)[10:-10, ABOVE].mean()) > 0.7 * 255


def test_it_is_the_share_of_the_lines() -> None:
    lines = voice(200.0, 0.0)
    hiss = noise() * np.float32(np.sqrt(np.mean(np.diff(lines) ** 2) / np.mean(np.diff(noise()) ** 2)))
    shares = [float(harmonicity(lines + gain * hiss, RATE)[10:-10, ABOVE].mean()) / 255 for gain in (0.2, 1.0, 4.0)]
    assert shares == sorted(shares, reverse=True)
    assert 0.25 < shares[1] < 0.75


def test_silence_has_none() -> None:
    assert not harmonicity(np.zeros(RATE, np.float32), RATE).any()


@pytest.mark.parametrize("speed", [0.84, 1.0, 1.19])
def test_it_goes_along_with_the_speed(speed: float) -> None:
    sound = np.concatenate([voice(200.0, 0.0), noise()])
    rows = np.arange(len(sound) // bands.hop_samples(RATE * speed))
    there = at_bands(harmonicity(sound, RATE), rows, speed, RATE * speed)[:, 35:50].mean(1)
    turn = RATE / bands.hop_samples(RATE * speed)
    assert there.shape == rows.shape
    assert float(there[20 : int(turn) - 20].mean()) > 0.8
    assert float(there[int(turn) + 20 : -20].mean()) < 0.2
    assert STRIDE >= 1
