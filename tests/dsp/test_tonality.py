"""Laws of tonality: noise has none, lines are all of it, silence has none."""

from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.typing import NDArray

from dsp import bands
from dsp.fft import Array
from dsp.tonality import measure_tonality, tone_tables, window_samples


def measured(samples: NDArray[np.floating], rate: int) -> Array:
    """Return the tonality of a signal's bands, averaged over its frames."""
    hop = bands.hop_samples(rate)
    values = np.empty((1, (len(samples) - window_samples(rate)) // hop, bands.BAND_COUNT), np.float32)
    measure_tonality(samples.astype(np.float32)[None], 0, hop, tone_tables(rate), values)
    mean: Array = values[0].mean(0)
    return mean


def noise(count: int) -> NDArray[np.float64]:
    return np.random.default_rng(0).standard_normal(count)


def lines(pitch_hz: float, rate: int) -> NDArray[np.float64]:
    time = np.arange(rate) / rate
    partials = range(1, int(0.45 * rate / pitch_hz))
    signal: NDArray[np.float64] = np.sum([np.sin(2 * math.pi * pitch_hz * k * time + k * k) for k in partials], 0) / 50
    return signal


@pytest.mark.parametrize("rate", [44100, 48000, 96000])
def test_noise_has_next_to_none(rate: int) -> None:
    values = measured(noise(rate), rate)[bands.band_mask(rate, 1000.0, 20000.0) > 0]
    assert float(values.mean()) < 0.1


@pytest.mark.parametrize("rate", [44100, 48000, 96000])
@pytest.mark.parametrize("pitch_hz", [120.0, 200.0, 300.0])
def test_lines_are_nearly_all_of_it(rate: int, pitch_hz: float) -> None:
    values = measured(lines(pitch_hz, rate), rate)[bands.band_mask(rate, 4000.0, 18000.0) > 0]
    assert float(values.mean()) > 0.9


def test_more_noise_is_less_tonal() -> None:
    inside = bands.band_mask(48000, 4000.0, 18000.0) > 0
    hiss = noise(48000)
    values = [float(measured(lines(200.0, 48000) + gain * hiss, 48000)[inside].mean()) for gain in (0, 0.02, 0.1, 1)]
    assert values == sorted(values, reverse=True)


def test_it_does_not_mind_the_level() -> None:
    hiss = noise(48000)
    inside = bands.band_mask(48000, 1000.0, 20000.0) > 0
    np.testing.assert_allclose(measured(hiss, 48000)[inside], measured(0.01 * hiss, 48000)[inside], atol=1e-3, rtol=0)


def test_silence_has_none() -> None:
    assert not measured(np.zeros(48000), 48000).any()
