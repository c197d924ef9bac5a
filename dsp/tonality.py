"""Tonality: how much of a band's energy stands in lines rather than in noise."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from dsp import bands
from dsp.band_power import ROWS_AT_ONCE, band_rows, powers, sum_bands
from dsp.compile import kernel
from dsp.fast_math import exp, log
from dsp.fft import Array

# The flatness of a Hann-windowed periodogram of white noise over a band of a few bins, and of clear lines.
_FLATNESS_OF_NOISE = 0.56
_FLATNESS_OF_LINES = 0.16
# Hops from the middle of a frame to the middle of a frame of `dsp.bands` that ends with it.
LAG_HOPS = round(bands.WINDOW_SECONDS / 2 / bands.HOP_SECONDS)
# Of a bin, so that silence is flat.
_FLOOR = 1e-9


class ToneTables(NamedTuple):
    """Window, first bin of each band, the bin behind its last, the weights of all these bins in a row, transform."""

    window: Array
    first: NDArray[np.int64]
    end: NDArray[np.int64]
    weights: Array
    n_fft: int


def window_samples(sample_rate: float) -> int:
    """Return the samples of a frame: 43 ms, long enough to resolve the harmonics of a 100 Hz voice."""
    return 2 * bands.window_samples(sample_rate)


def tone_tables(sample_rate: float) -> ToneTables:
    """Return what `measure_tonality` wants at a sample rate."""
    window = bands.hann(window_samples(sample_rate))
    n_fft = bands.fft_size(len(window))
    return ToneTables(window, *band_rows(bands.band_weights(sample_rate, n_fft)), n_fft)


@kernel
def measure_tonality(signal: Array, start: int, hop: int, tables: ToneTables, tonality: Array) -> None:
    """Write each band's tonality from the spectral flatness of its bins (Johnston 1988).

    Args:
        signal: Shape (channels, time).
        start: Where the first frame begins.
        hop: Samples from frame to frame.
        tables: From `tone_tables`; where they hold fewer bands, the rest is left as it is.
        tonality: Where it goes, 0 for noise .. 1 for lines, shape (channels, frames, bands); 0 in silence and in a
            band above Nyquist.
    """
    _, frames, count = tonality.shape
    window, first, end, weights, n_fft = tables
    rows, total, bins = tonality.reshape(-1, count), np.empty((ROWS_AT_ONCE, count), np.float32), end.max()
    for begin in range(0, len(rows), ROWS_AT_ONCE):
        nepers = rows[begin : begin + ROWS_AT_ONCE]
        power = powers(signal, start, hop, frames, begin, len(nepers), window, n_fft)
        for row in range(len(power)):
            for k in range(bins):
                power[row, k] += np.float32(_FLOOR)
        sum_bands(power, first, end, weights, total)
        for row in range(len(power)):
            for k in range(bins):
                power[row, k] = log(power[row, k])
        sum_bands(power, first, end, weights, nepers)
        _flatness(total, first, end, nepers)


@kernel
def _flatness(total: Array, first: NDArray[np.int64], end: NDArray[np.int64], nepers: Array) -> None:
    """Put each band's tonality in the place of its mean logarithm."""
    for row in range(len(nepers)):
        for band in range(len(first)):
            flatness = exp(nepers[row, band]) / max(total[row, band], np.float32(_FLOOR))
            share = (np.float32(_FLATNESS_OF_NOISE) - flatness) / np.float32(_FLATNESS_OF_NOISE - _FLATNESS_OF_LINES)
            share = min(max(share, np.float32(0.0)), np.float32(1.0))
            nepers[row, band] = share if end[band] > first[band] else np.float32(0.0)
