"""Laws of the exciters: harmonics keep the grid, translation moves by what it says, noise is white and repeats."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from dsp import exciter

RATE = 48000


def complex_tone(pitch_hz: float, top_hz: float) -> Tensor:
    time = torch.arange(RATE) / RATE
    partials = range(1, int(top_hz / pitch_hz) + 1)
    waves = [torch.cos(2 * math.pi * pitch_hz * k * time + k * k) / k for k in partials]
    return 0.2 * torch.stack(waves).sum(0)


def spectrum(signal: Tensor) -> Tensor:
    """Return the power at every whole Hz of one second."""
    power: Tensor = torch.fft.rfft(signal.double()).abs().square()
    return power


def test_harmonics_stand_on_the_grid_of_the_pitch() -> None:
    tone = complex_tone(200.0, 4000.0)
    level = torch.full((1, RATE), float(torch.diff(tone).square().mean().sqrt()))
    made = exciter.harmonics(torch.cat([tone[-1:], tone])[None], level, 2.0)[0]
    power = spectrum(made)
    above = slice(5000, RATE // 2 + 1)
    on_grid = power[5000 : RATE // 2 + 1 : 200].sum()
    assert float(on_grid / power[above].sum()) > 0.999
    below = spectrum(tone)[5000:].sum()
    assert float(on_grid) > 1e6 * float(below)


@pytest.mark.parametrize("gain", [0.01, 1.0, 30.0])
def test_harmonics_do_not_mind_the_level(gain: float) -> None:
    tone = complex_tone(200.0, 4000.0)
    level = float(torch.diff(tone).square().mean().sqrt())
    made = [
        exciter.harmonics(scale * tone[None], torch.full((1, RATE - 1), scale * level), 2.0) for scale in (1.0, gain)
    ]
    torch.testing.assert_close(made[0], made[1], atol=1e-3, rtol=0)


def test_harmonics_of_silence_are_silence_and_of_anything_are_bounded() -> None:
    assert not exciter.harmonics(torch.zeros(1, 100), torch.zeros(1, 99), 8.0).any()
    made = exciter.harmonics(1e4 * torch.randn(1, 100), torch.zeros(1, 99), 16.0)
    assert float(made.abs().max()) <= 2.0


def test_drive_evens_out_the_peaks() -> None:
    tone = complex_tone(200.0, 4000.0)
    level = torch.full((1, RATE), float(torch.diff(tone).square().mean().sqrt()))
    peaks = []
    for drive in (1.0, 4.0, 16.0):
        made = exciter.harmonics(torch.cat([tone[-1:], tone])[None], level, drive)
        peaks.append(float(made.abs().max() / made.square().mean().sqrt()))
    assert peaks == sorted(peaks, reverse=True)


@pytest.mark.parametrize("crossover_hz", [4000.0, 6000.0])
def test_translation_moves_a_sine_by_multiples_of_half_the_crossover(crossover_hz: float) -> None:
    frequency, width = round(0.75 * crossover_hz) + 30, round(crossover_hz / 2)
    reach = exciter.translation_reach(RATE)
    sine = torch.cos(2 * math.pi * frequency * torch.arange(-reach, RATE) / RATE)
    power = spectrum(exciter.translate(sine[None], crossover_hz, RATE, 0)[0])
    copies = torch.arange(frequency + width, RATE // 2 + 1, width)
    wanted = power[copies]
    assert float(wanted.sum() / power.sum()) > 0.999
    assert float(wanted.min()) > 0.9 * float(wanted.max())


@pytest.mark.parametrize("block", [1, 17, 1000])
def test_translation_goes_on_across_blocks(block: int) -> None:
    reach = exciter.translation_reach(RATE)
    count = 40 if block == 1 else 3000
    signal = torch.randn(2, reach + count)
    whole = exciter.translate(signal, 5000.0, RATE, 123456)
    parts = [
        exciter.translate(signal[:, start : start + reach + block], 5000.0, RATE, 123456 + start)
        for start in range(0, count, block)
    ]
    torch.testing.assert_close(torch.cat(parts, 1), whole, atol=2e-5, rtol=0)


def test_noise_is_white_with_unit_variance_and_repeats() -> None:
    table = exciter.noise_table()
    assert len(table) == exciter.NOISE_LENGTH
    assert torch.equal(table, exciter.noise_table())
    assert float(table.square().mean()) == pytest.approx(1.0, rel=1e-4)
    power = torch.fft.rfft(table.double()).abs().square() / exciter.NOISE_LENGTH
    torch.testing.assert_close(power, torch.ones_like(power), atol=1e-3, rtol=0)
    assert 2.8 < float(table.pow(4).mean()) < 3.2


def test_noise_depends_on_its_index_alone() -> None:
    table, length = exciter.noise_table(), exciter.NOISE_LENGTH
    whole = exciter.noise(table, -100, 5000, 3, 0.5)
    parts = [exciter.noise(table, start, 500, 3, 0.5) for start in range(-100, 4900, 500)]
    assert torch.equal(torch.cat(parts, 1), whole)
    assert torch.equal(exciter.noise(table, -100 + length, 5000, 3, 0.5), whole)


@pytest.mark.parametrize("width", [0.0, 0.3, 0.7, 1.0])
@pytest.mark.parametrize("channels", [2, 3])
def test_width_decides_what_channels_have_in_common(width: float, channels: int) -> None:
    made = exciter.noise(exciter.noise_table(), 0, exciter.NOISE_LENGTH, channels, width)
    torch.testing.assert_close(made.square().mean(1), torch.ones(channels), atol=0.02, rtol=0)
    expected = torch.full((channels, channels), 1 - width * width).fill_diagonal_(1.0)
    torch.testing.assert_close(torch.corrcoef(made), expected, atol=0.02, rtol=0)
    assert width > 0 or torch.equal(made[0], made[1])
