"""A limiter that looks ahead: no value at or between samples leaves it above a ceiling, and all below is untouched."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator

import numpy as np

from dsp.compile import kernel
from dsp.fft import Array
from dsp.loudness import Double, peak_filters

_LOOKAHEAD_S, _RELEASE_S = 0.005, 0.1
# The gain moves while the filters between the samples reach over some of them.
_MARGIN_DB = 0.05
# A gain as near to 1 as this has come back.
_WHOLE = 1.0 - 1e-6


def limited(blocks: Iterable[Array], sample_rate: int, gain: float, ceiling_db: float) -> Iterator[Array]:
    """Yield blocks with a gain, limited; as many samples as came in, aligned, in memory that does not grow.

    The channels share one gain, so that the image stays; it is down 5 ms before a peak and comes back in 100 ms.

    Args:
        blocks: Shape (channels, samples).
        sample_rate: In Hz.
        gain: Factor on all samples.
        ceiling_db: In dB against full scale.
    """
    filters, ahead = peak_filters(), max(1, round(_LOOKAHEAD_S * sample_rate))
    reach = filters.shape[1]
    # Samples that have left and are context for the filters.
    past = reach // 2
    release = math.exp(-1.0 / (_RELEASE_S * sample_rate))
    ceiling = np.float32(10.0 ** ((ceiling_db - _MARGIN_DB) / 20.0))
    # The gains of the window that is averaged; below 0 before the first sample.
    recent = np.full(ahead, -1.0)
    waiting: Array | None = None
    for block in _with_end(blocks, ahead + reach):
        block = block * np.float32(gain)
        if waiting is None:
            waiting = np.zeros((len(block), past), np.float32)
        waiting = np.concatenate([waiting, block], axis=1)
        count = waiting.shape[1] - past - ahead - reach
        if count <= 0:
            continue
        gains = np.empty(count, np.float32)
        _gains(waiting, past, filters, ceiling, release, recent, gains)
        yield waiting[:, past : past + count] * gains
        waiting = waiting[:, count:]


def _with_end(blocks: Iterable[Array], samples: int) -> Iterator[Array]:
    channels = 0
    for block in blocks:
        channels = len(block)
        yield block
    if channels:
        yield np.zeros((channels, samples), np.float32)


@kernel
def _peak_at(row: Array, first: int, filters: Array) -> np.float32:
    """Return the highest value from a sample to the next."""
    places, reach = filters.shape
    peak = np.float32(0.0)
    for place in range(places):
        value = np.float32(0.0)
        for k in range(reach):
            value += filters[place, k] * row[first + k]
        peak = max(peak, abs(value))
    return peak


@kernel
def _needed(signal: Array, past: int, filters: Array, ceiling: np.float32, needed: Array) -> None:
    """Write the gain that each sample needs for itself and the values on its way to its neighbours."""
    reach = filters.shape[1]
    for channel in range(signal.shape[0]):
        row = signal[channel]
        for i in range(-1, len(needed)):
            first = past + i - (reach // 2 - 1)
            loudest = np.float32(0.0)
            for k in range(first, first + reach):
                loudest = max(loudest, abs(row[k]))
            peak = _peak_at(row, first, filters) if loudest * np.float32(2.0) > ceiling else np.float32(0.0)
            if peak > ceiling:
                for k in range(max(i, 0), min(i + 2, len(needed))):
                    needed[k] = min(needed[k], ceiling / peak)


@kernel
def _gains(
    signal: Array, past: int, filters: Array, ceiling: np.float32, release: float, recent: Double, gains: Array
) -> None:
    """Write the gain of each sample from `past` on; `recent` goes on.

    Args:
        signal: Shape (channels, past + samples + ahead + reach).
        past: Samples that have left already.
        filters: From `peak_filters`.
        ceiling: Highest value.
        release: Factor on what is missing to 1, from sample to sample.
        recent: The newest gains before they are averaged, the newest last, shape (ahead,).
        gains: Shape (samples,).
    """
    ahead, count = len(recent), len(gains)
    needed = np.ones(count + ahead, np.float32)
    _needed(signal, past, filters, ceiling, needed)
    if recent[0] < 0:
        # Before the signal a gain has nothing to change: it begins where it must be.
        recent[:] = needed[:ahead].min()
    line = np.empty(ahead + count)
    line[:ahead] = recent
    lowest_at = -1
    for i in range(count):
        # The lowest of the window that begins here; it is searched anew only where the last one has left.
        if lowest_at < i:
            lowest_at = i
            for k in range(i, i + ahead):
                if needed[k] <= needed[lowest_at]:
                    lowest_at = k
        elif needed[i + ahead - 1] <= needed[lowest_at]:
            lowest_at = i + ahead - 1
        back = 1.0 - (1.0 - line[ahead + i - 1]) * release
        line[ahead + i] = min(float(needed[lowest_at]), back if back < _WHOLE else 1.0)
    total = 0.0
    for k in range(1, ahead):
        total += line[k]
    for i in range(count):
        total += line[ahead + i]
        gains[i] = np.float32(min(1.0, total / ahead))
        total -= line[i + 1]
    recent[:] = line[count:]
