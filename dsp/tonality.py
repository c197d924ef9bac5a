"""Tonality: how much of a band's energy stands in lines rather than in noise."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from dsp import bands
from dsp.compile import kernel
from dsp.fast_math import exp, log
from dsp.fft import Array, rfft

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
    shares: Array = np.ascontiguousarray(bands.band_weights(sample_rate, n_fft).T)
    held = shares > 0
    first, end = held.argmax(1), np.where(held.any(1), held.shape[1] - held[:, ::-1].argmax(1), 0)
    row = np.concatenate([share[start:stop] for share, start, stop in zip(shares, first, end, strict=True)])
    return ToneTables(window, first, end, row, n_fft)


@kernel
def measure_tonality(signal: Array, start: int, hop: int, tables: ToneTables, tonality: Array) -> None:
    """Write each band's tonality from the spectral flatness of its bins (Johnston 1988).

    Args:
        signal: Shape (channels, time).
        start: Where the first frame begins.
        hop: Samples from frame to frame.
        tables: From `tone_tables`.
        tonality: Where it goes, 0 for noise .. 1 for lines, shape (channels, frames, bands); 0 in silence and in a
            band above Nyquist.
    """
    channels, frames, count = tonality.shape
    window, first, end, weights, n_fft = tables
    rows = np.zeros((channels * frames, n_fft), np.float32)
    for row in range(channels * frames):
        channel, at = row // frames, start + row % frames * hop
        for i in range(len(window)):
            rows[row, i] = signal[channel, at + i] * window[i]
    spectra = rfft(rows)
    power, logs = np.empty(n_fft // 2 + 1, np.float32), np.empty(n_fft // 2 + 1, np.float32)
    for row in range(channels * frames):
        for k in range(len(power)):
            power[k] = spectra[row, k].real ** 2 + spectra[row, k].imag ** 2 + np.float32(_FLOOR)
        for k in range(len(power)):
            logs[k] = log(power[k])
        place = 0
        for band in range(count):
            total, nepers, held = np.float32(0.0), np.float32(0.0), max(end[band] - first[band], 0)
            for k in range(held):
                total += power[first[band] + k] * weights[place + k]
                nepers += logs[first[band] + k] * weights[place + k]
            place += held
            flatness = exp(nepers) / max(total, np.float32(_FLOOR))
            share = (np.float32(_FLATNESS_OF_NOISE) - flatness) / np.float32(_FLATNESS_OF_NOISE - _FLATNESS_OF_LINES)
            share = min(max(share, np.float32(0.0)), np.float32(1.0))
            tonality[row // frames, row % frames, band] = share if held else np.float32(0.0)
