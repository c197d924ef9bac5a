"""The crossover: the generated band is kept out of everything below it, then added to the untouched input.

Because the output is the input plus a high-passed band, what was there stays as it was to the last bit. The
high-pass is a fixed minimum-phase FIR (a Kaiser-windowed sinc's magnitude), at least 100 dB down from the crossover
on, and chosen from a table, so that moving the crossover is a cross-fade and never a design on the audio thread.
"""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from dsp.ltv import minimum_phase_spectrum

LOWEST_HZ = 1800.0
HIGHEST_HZ = 20000.0
STEPS_PER_OCTAVE = 48
STOP_DB = 105.0
_TAPS_SECONDS = 1023 / 48000
_DESIGN_FFT = 16384


def tap_count(sample_rate: float) -> int:
    """Return the length of the high-pass in samples, odd."""
    return 2 * round(_TAPS_SECONDS * sample_rate / 2) + 1


def transition_hz() -> float:
    """Return the width over which the high-pass rises from its stop band to its pass band (Kaiser 1974)."""
    return (STOP_DB - 7.95) / (14.36 * _TAPS_SECONDS)


def step_count() -> int:
    """Return how many crossover frequencies the table holds."""
    return math.floor(math.log2(HIGHEST_HZ / LOWEST_HZ) * STEPS_PER_OCTAVE) + 1


def nearest_step(crossover_hz: float) -> int:
    """Return the table's index for a crossover, held inside the table."""
    step = round(math.log2(max(crossover_hz, LOWEST_HZ) / LOWEST_HZ) * STEPS_PER_OCTAVE)
    return min(step, step_count() - 1)


def step_hz(step: int) -> float:
    """Return the crossover frequency at a table index, in Hz."""
    return float(LOWEST_HZ * 2.0 ** (step / STEPS_PER_OCTAVE))


@lru_cache(maxsize=2000)
def lowest_hz(step: int | None, sample_rate: float) -> float:
    """Return from which frequency on a band is generated in Hz: half of the rate where none is."""
    return sample_rate / 2 if step is None else step_hz(step)


def high_pass(crossover_hz: float, sample_rate: float) -> NDArray[np.float32]:
    """Return the high-pass for a crossover: stop band up to it, pass band one `transition_hz` above.

    Args:
        crossover_hz: Top of the stop band.
        sample_rate: Hz; where no pass band is left below Nyquist the filter is zero.

    Returns:
        Minimum-phase impulse response, shape (tap_count,), float32.
    """
    taps = tap_count(sample_rate)
    middle = crossover_hz + transition_hz() / 2
    if middle >= sample_rate / 2:
        return np.zeros(taps, np.float32)
    time, width = np.arange(taps) - taps // 2, 2 * middle / sample_rate
    linear = -width * np.sinc(width * time) * _window(taps)
    linear[taps // 2] += 1.0
    magnitude = np.maximum(np.abs(np.fft.rfft(linear, _DESIGN_FFT)), 10 ** (-(STOP_DB + 3) / 20))
    impulse = np.fft.irfft(np.exp(minimum_phase_spectrum(np.log(magnitude))), _DESIGN_FFT)
    return impulse[:taps].astype(np.float32)


@lru_cache(maxsize=1)
def _window(taps: int) -> NDArray[np.float64]:
    return np.kaiser(taps, 0.1102 * (STOP_DB - 8.7))


@lru_cache(maxsize=4)
def high_pass_table(sample_rate: float) -> NDArray[np.float32]:
    """Return the high-passes of every step, shape (steps, tap_count); for all extenders of a rate the same array."""
    return np.stack([high_pass(step_hz(step), sample_rate) for step in range(step_count())])
