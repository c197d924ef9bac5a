"""What loudness is measured from (ITU-R BS.1770-4): K-weighted energies, and the peak between the samples."""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from dsp.compile import background_kernel
from dsp.fft import Array
from dsp.lanes import LANES, load, spread, store

Double = NDArray[np.float64]
_State = tuple[float, float, float, float]

# Between two samples the signal is read at this many places, by so many samples around.
_PLACES, _REACH = 4, 12
# Samples that are looked over at once; sixteen of them are then, where that isn't enough.
_WINDOW = 64
# Of a number's bits, all but the sign.
_MAGNITUDE = np.int32(0x7FFFFFFF)
# Blocks of 400 ms overlap by three quarters.
STEPS_A_BLOCK = 4
_ABSOLUTE_GATE, _RELATIVE_GATE_DB = -70.0, -10.0
_OFFSET = -0.691


@lru_cache
def k_weighting(sample_rate: float) -> Double:
    """Return the two biquads of the K weighting, shape (2, 5): b0, b1, b2, a1, a2.

    A shelf of 4 dB at 1500 Hz (Q 0.71) and a high-pass at 38 Hz (Q 0.5), by R. Bristow-Johnson's formulas, as
    pyloudnorm has them for every rate.
    """
    return np.stack([_high_shelf(sample_rate, 1500.0, 4.0, 0.5**0.5), _high_pass(sample_rate, 38.0, 0.5)])


def _high_shelf(sample_rate: float, frequency_hz: float, gain_db: float, q: float) -> Double:
    lift, turn = 10 ** (gain_db / 40), 2 * math.pi * frequency_hz / sample_rate
    cosine, alpha = math.cos(turn), math.sin(turn) / (2 * q)
    root = 2 * math.sqrt(lift) * alpha
    b = (
        lift * ((lift + 1) + (lift - 1) * cosine + root),
        -2 * lift * ((lift - 1) + (lift + 1) * cosine),
        lift * ((lift + 1) + (lift - 1) * cosine - root),
    )
    a = (
        (lift + 1) - (lift - 1) * cosine + root,
        2 * ((lift - 1) - (lift + 1) * cosine),
        (lift + 1) - (lift - 1) * cosine - root,
    )
    return np.array([*b, *a[1:]]) / a[0]


def _high_pass(sample_rate: float, frequency_hz: float, q: float) -> Double:
    turn = 2 * math.pi * frequency_hz / sample_rate
    cosine, alpha = math.cos(turn), math.sin(turn) / (2 * q)
    b = ((1 + cosine) / 2, -(1 + cosine), (1 + cosine) / 2)
    return np.array([*b, -2 * cosine, 1 - alpha]) / (1 + alpha)


@background_kernel
def _weighted(value: float, filters: Double, state: _State) -> tuple[float, _State]:
    """Filter a sample; return it and the state after it."""
    x1, x2, y1, y2 = state
    shelf = filters[0, 0] * value + x1
    x1 = filters[0, 1] * value - filters[0, 3] * shelf + x2
    x2 = filters[0, 2] * value - filters[0, 4] * shelf
    passed = filters[1, 0] * shelf + y1
    y1 = filters[1, 1] * shelf - filters[1, 3] * passed + y2
    y2 = filters[1, 2] * shelf - filters[1, 4] * passed
    return passed, (x1, x2, y1, y2)


@background_kernel
def weigh(block: Array, filters: Double, state: Double, sums: Double, filled: int, step: int, steps: Double) -> int:
    """Filter a block and add its squares up over steps of time.

    Args:
        block: Shape (channels, samples).
        filters: From `k_weighting`.
        state: Of the filters, shape (channels, 2, 2); goes on.
        sums: Of the step that is under way, shape (channels,); goes on.
        filled: Samples of it so far.
        step: Samples of a step.
        steps: Where the sums of the steps that the block completes go, shape (channels, steps).

    Returns:
        Samples of the step that is under way after the block.
    """
    channels, samples = block.shape
    after = filled
    for channel in range(0, channels, 2):
        # Each value waits for the one before, so that a second channel beside the first costs next to nothing.
        other = min(channel + 1, channels - 1)
        own_state = (state[channel, 0, 0], state[channel, 0, 1], state[channel, 1, 0], state[channel, 1, 1])
        other_state = (state[other, 0, 0], state[other, 0, 1], state[other, 1, 0], state[other, 1, 1])
        total, other_total, after, place = sums[channel], sums[other], filled, 0
        for i in range(samples):
            passed, own_state = _weighted(float(block[channel, i]), filters, own_state)
            other_passed, other_state = _weighted(float(block[other, i]), filters, other_state)
            total += passed * passed
            other_total += other_passed * other_passed
            after += 1
            if after == step:
                steps[channel, place], steps[other, place] = total, other_total
                total, other_total, after, place = 0.0, 0.0, 0, place + 1
        for k in range(4):
            state[channel, k // 2, k % 2], state[other, k // 2, k % 2] = own_state[k], other_state[k]
        sums[channel], sums[other] = total, other_total
    return after


@lru_cache
def peak_filters() -> Array:
    """Return the filters that read a signal between its samples, shape (places, reach): sincs in a Kaiser window."""
    at = np.arange(_REACH) - (_REACH // 2 - 1)
    shifted = at[None] - np.arange(_PLACES)[:, None] / _PLACES
    window = np.i0(5.0 * np.sqrt(np.maximum(0.0, 1.0 - (shifted / (_REACH / 2)) ** 2))) / np.i0(5.0)
    taps = np.sinc(shifted) * window
    filters: Array = (taps / taps.sum(axis=1, keepdims=True)).astype(np.float32)
    return filters


@background_kernel
def true_peak(signal: Array, filters: Array, peak: float) -> float:
    """Return the highest value at and between samples, or the peak so far where that is higher.

    Args:
        signal: Shape (channels, samples); the last 11 samples of the block before come first.
        filters: From `peak_filters`.
        peak: So far.
    """
    places, reach = filters.shape
    most = np.float32(0.0)
    for place in range(places):
        total = np.float32(0.0)
        for k in range(reach):
            total += abs(filters[place, k])
        most = max(most, total)
    best, values = np.float32(peak), np.empty((places, LANES), np.float32)
    lined = np.zeros(LANES + reach - 1, np.float32)
    for channel in range(signal.shape[0]):
        samples, end = signal[channel], signal.shape[1] - reach + 1
        for begin in range(0, end, _WINDOW):
            behind = min(begin + _WINDOW, end)
            # No value between these samples can be higher than this.
            if _highest(samples[begin : behind + reach - 1]) * most <= best:
                continue
            for first in range(begin, behind, LANES):
                held = min(LANES, behind - first)
                around = samples[first : first + held + reach - 1]
                if _highest(around) * most <= best:
                    continue
                lined[: len(around)] = around
                _read_between(lined, filters, values)
                values[:, held:] = 0
                best = max(best, _highest(values.ravel()))
    return float(best)


@background_kernel
def _highest(values: Array) -> np.float32:
    """Return the highest magnitude, of bits: whole numbers are compared many at once, which floats are not."""
    sizes, most = values.view(np.int32), np.int32(0)
    for i in range(len(sizes)):
        most = max(most, sizes[i] & _MAGNITUDE)
    highest: np.float32 = np.int32(most).view(np.float32)
    return highest


@background_kernel
def _read_between(around: Array, filters: Array, values: Array) -> None:
    """Write what filters read from each of some lanes on, shape (places, LANES)."""
    for place in range(len(filters)):
        total = spread(np.float32(0.0))
        for k in range(filters.shape[1]):
            total = total + spread(filters[place, k]) * load(around, k)
        store(values[place], 0, total)


def gated_loudness(energies: Double) -> float | None:
    """Return the gated loudness of steps of 100 ms in LUFS, or None where all is silence or there is too little.

    Args:
        energies: K-weighted mean squares, summed over channels, shape (steps,).
    """
    if len(energies) < STEPS_A_BLOCK:
        return None
    blocks = np.convolve(energies, np.full(STEPS_A_BLOCK, 1.0 / STEPS_A_BLOCK), "valid")
    blocks = blocks[blocks > _energy(_ABSOLUTE_GATE)]
    if not blocks.size:
        return None
    return _loudness(float(blocks[blocks >= 10.0 ** (_RELATIVE_GATE_DB / 10.0) * blocks.mean()].mean()))


def _loudness(energy: float) -> float:
    return _OFFSET + 10.0 * math.log10(energy)


def _energy(loudness: float) -> float:
    return float(10.0 ** ((loudness - _OFFSET) / 10.0))
