"""Laws of tonality: noise has none, lines are all of it, silence has none."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import Tensor

from dsp import bands
from dsp.tonality import measure_tonality, tone_tables, window_samples


def measured(samples: Tensor, rate: int) -> Tensor:
    """Return the tonality of a signal's bands, averaged over its frames."""
    hop = bands.hop_samples(rate)
    found = np.empty((1, (len(samples) - window_samples(rate)) // hop, bands.BAND_COUNT), np.float32)
    measure_tonality(samples.numpy()[None], 0, hop, tone_tables(rate), found)
    return torch.from_numpy(found[0].mean(0))


def lines(pitch_hz: float, rate: int) -> Tensor:
    time = torch.arange(rate) / rate
    partials = range(1, int(0.45 * rate / pitch_hz))
    return sum((torch.sin(2 * math.pi * pitch_hz * k * time + k * k) for k in partials), torch.zeros(rate)) / 50


@pytest.mark.parametrize("rate", [44100, 48000, 96000])
def test_noise_has_next_to_none(rate: int) -> None:
    found = measured(torch.randn(rate), rate)[bands.band_mask(rate, 1000.0, 20000.0).bool()]
    assert float(found.mean()) < 0.1


@pytest.mark.parametrize("rate", [44100, 48000, 96000])
@pytest.mark.parametrize("pitch_hz", [120.0, 200.0, 300.0])
def test_lines_are_nearly_all_of_it(rate: int, pitch_hz: float) -> None:
    found = measured(lines(pitch_hz, rate), rate)[bands.band_mask(rate, 4000.0, 18000.0).bool()]
    assert float(found.mean()) > 0.9


def test_more_noise_is_less_tonal() -> None:
    inside = bands.band_mask(48000, 4000.0, 18000.0).bool()
    noise = torch.randn(48000)
    found = [float(measured(lines(200.0, 48000) + gain * noise, 48000)[inside].mean()) for gain in (0, 0.02, 0.1, 1)]
    assert found == sorted(found, reverse=True)


def test_it_does_not_mind_the_level() -> None:
    noise = torch.randn(48000)
    inside = bands.band_mask(48000, 1000.0, 20000.0).bool()
    torch.testing.assert_close(measured(noise, 48000)[inside], measured(0.01 * noise, 48000)[inside], atol=1e-3, rtol=0)


def test_silence_has_none() -> None:
    assert not measured(torch.zeros(48000), 48000).any()
