"""Laws of the exciters: harmonics keep the grid, translation moves by what it says, noise is white and repeats."""

from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.typing import NDArray

from dsp import exciter
from dsp.fft import Array

RATE = 48000


def complex_tone(pitch_hz: float, top_hz: float) -> Array:
    time = np.arange(RATE) / RATE
    partials = range(1, int(top_hz / pitch_hz) + 1)
    waves = [np.cos(2 * math.pi * pitch_hz * k * time + k * k) / k for k in partials]
    tone: Array = (0.2 * np.sum(waves, 0)).astype(np.float32)
    return tone


def spectrum(signal: Array) -> NDArray[np.float64]:
    """Return the power at every whole Hz of one second."""
    power: NDArray[np.float64] = np.abs(np.fft.rfft(signal.astype(np.float64))) ** 2
    return power


def harmonics(signal: Array, drive: float, level: float | None = None) -> Array:
    """Return the harmonics of a signal that repeats, at its own level by default."""
    rms = level or float(np.sqrt(np.square(np.diff(signal, prepend=signal[-1:])).mean()))
    one: Array = generated(np.concatenate([signal[-1:], signal])[None], [rms, rms], [drive, drive], len(signal))[0]
    return one


def generated(signal: Array, levels: list[float], drives: list[float], hop: int, phase: int = 0) -> Array:
    """Return the harmonics of a signal behind its first sample, with the same levels in every channel."""
    out = np.zeros((len(signal), signal.shape[1] - 1), np.float32)
    boundaries = np.repeat(np.array([levels], np.float32), len(signal), 0)
    turns = np.array(drives, np.float32)
    exciter.harmonics(signal, 1, boundaries, turns, hop, phase, out, 0, out.shape[1])
    return out


def noise(rows: Array, start: int, length: int, width: float) -> Array:
    """Return a stretch of noise for each channel, shape (channels, length)."""
    mixed = np.empty((len(rows) - 1, length), np.float32)
    exciter.noise(rows, start, width, mixed)
    return mixed


def test_harmonics_stand_on_the_grid_of_the_pitch() -> None:
    tone = complex_tone(200.0, 4000.0)
    power = spectrum(harmonics(tone, 2.0))
    on_grid = power[5000 : RATE // 2 + 1 : 200].sum()
    assert on_grid / power[5000 : RATE // 2 + 1].sum() > 0.999
    assert on_grid > 1e6 * spectrum(tone)[5000:].sum()


@pytest.mark.parametrize("gain", [0.01, 1.0, 30.0])
def test_harmonics_do_not_mind_the_level(gain: float) -> None:
    tone = complex_tone(200.0, 4000.0)
    np.testing.assert_allclose(harmonics(np.float32(gain) * tone, 2.0), harmonics(tone, 2.0), atol=1e-3, rtol=0)


def test_harmonics_of_silence_are_silence_and_of_anything_are_bounded() -> None:
    assert not harmonics(np.zeros(100, np.float32), 8.0, 1e-6).any()
    noise = np.random.default_rng(0).standard_normal(100).astype(np.float32)
    assert np.abs(harmonics(1e4 * noise, 16.0, 1e-6)).max() <= 2.0


def test_harmonics_are_the_same_wherever_they_are_cut() -> None:
    signal = np.random.default_rng(0).standard_normal((2, 1 + 300)).astype(np.float32)
    levels, drives = [1.0, 0.2, 0.5, 0.5], [2.0, 2.0, 8.0, 1.0]
    whole = generated(signal, levels, drives, 100)
    np.testing.assert_array_equal(generated(signal[:, 130:].copy(), levels[1:], drives[1:], 100, 30), whole[:, 130:])


def test_level_and_drive_go_from_boundary_to_boundary_without_a_step() -> None:
    ramp = np.arange(1 + 400, dtype=np.float32)[None]
    steps = np.abs(np.diff(generated(ramp, [1.0, 4.0, 0.5, 0.5, 0.5], [1.0, 1.0, 8.0, 1.0, 1.0], 100)[0]))
    assert 0 < steps.max() < 0.05


def test_drive_evens_out_the_peaks() -> None:
    tone = complex_tone(200.0, 4000.0)
    sounds = [harmonics(tone, drive) for drive in (1.0, 4.0, 16.0)]
    peaks = [float(np.abs(sound).max() / np.sqrt(np.square(sound).mean())) for sound in sounds]
    assert peaks == sorted(peaks, reverse=True)


@pytest.mark.parametrize("crossover_hz", [4000.0, 6000.0])
def test_translation_moves_a_sine_by_multiples_of_half_the_crossover(crossover_hz: float) -> None:
    frequency, width = round(0.75 * crossover_hz) + 30, round(crossover_hz / 2)
    reach = exciter.translation_reach(RATE)
    sine = np.cos(2 * math.pi * frequency * np.arange(-reach, RATE) / RATE).astype(np.float32)
    power = spectrum(exciter.translate(sine[None], crossover_hz, RATE, 0)[0])
    harmonics = power[np.arange(frequency + width, RATE // 2 + 1, width)]
    assert harmonics.sum() / power.sum() > 0.999
    assert harmonics.min() > 0.9 * harmonics.max()


@pytest.mark.parametrize("block", [1, 17, 1000])
def test_translation_goes_on_across_blocks(block: int) -> None:
    reach = exciter.translation_reach(RATE)
    count = 40 if block == 1 else 3000
    signal = np.random.default_rng(0).standard_normal((2, reach + count)).astype(np.float32)
    whole = exciter.translate(signal, 5000.0, RATE, 123456)
    parts = [
        exciter.translate(signal[:, start : start + reach + block], 5000.0, RATE, 123456 + start)
        for start in range(0, count, block)
    ]
    np.testing.assert_allclose(np.concatenate(parts, 1), whole, atol=2e-5, rtol=0)


def test_noise_is_white_with_unit_variance_and_repeats() -> None:
    table = exciter.noise_table()
    assert len(table) == exciter.NOISE_LENGTH
    np.testing.assert_array_equal(table, exciter.noise_table())
    assert np.square(table).mean() == pytest.approx(1.0, rel=1e-4)
    power = spectrum(table) / exciter.NOISE_LENGTH
    np.testing.assert_allclose(power, 1.0, atol=1e-3)
    assert 2.8 < (table.astype(np.float64) ** 4).mean() < 3.2


@pytest.mark.parametrize("size", [500, 8192])
def test_noise_depends_on_its_index_alone(size: int) -> None:
    rows, length = exciter.noise_rows(3), exciter.NOISE_LENGTH
    starts = range(-size, 2 * length, 16 * size)
    for start in starts:
        halves = [noise(rows, at, size // 2, 0.5) for at in (start, start + size // 2)]
        whole = noise(rows, start, size, 0.5)
        np.testing.assert_allclose(np.concatenate(halves, 1), whole, atol=1e-6)
        np.testing.assert_array_equal(noise(rows, start + length, size, 0.5), whole)


@pytest.mark.parametrize("width", [0.0, 0.3, 0.7, 1.0])
@pytest.mark.parametrize("channels", [2, 3])
def test_width_decides_what_channels_have_in_common(width: float, channels: int) -> None:
    generated = noise(exciter.noise_rows(channels), 0, exciter.NOISE_LENGTH, width)
    np.testing.assert_allclose(np.square(generated).mean(1), 1.0, atol=0.02)
    expected = np.where(np.eye(channels), 1.0, 1 - width * width)
    np.testing.assert_allclose(np.corrcoef(generated), expected, atol=0.02)
    assert width > 0 or np.array_equal(generated[0], generated[1])
