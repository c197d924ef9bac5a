"""A filter that does not change: one finite response over a signal of any length, by overlap-save."""

from __future__ import annotations

import numpy as np

from dsp.fourier import Array, Spectrum, fast_size, irfft, rfft
from dsp.kernel import kernel

_LONGEST_FFT = 8192


def steady_fft(samples: int) -> int:
    """Return the size of the transform by which `filter_steady` works through a signal of so many samples."""
    return min(_LONGEST_FFT, fast_size(samples))


@kernel
def filter_steady(signal: Array, start: int, spectrum: Spectrum, taps: int, out: Array) -> None:
    """Filter by one response that does not change, by overlap-save.

    Args:
        signal: Shape (channels, time).
        start: Where the block begins in it, at least `taps - 1`.
        spectrum: The response's transform of size `steady_fft(taps - 1 + count)`, shape (1, bins).
        taps: Length of the response in samples.
        out: Where the block goes, shape (channels, count).
    """
    reach, n_fft, count = taps - 1, 2 * (spectrum.shape[1] - 1), out.shape[1]
    step = n_fft - reach
    pieces = (count + step - 1) // step
    rows = np.zeros((signal.shape[0] * pieces, n_fft), np.float32)
    for row in range(rows.shape[0]):
        first = row % pieces * step
        for i in range(min(n_fft, reach + count - first)):
            rows[row, i] = signal[row // pieces, start - reach + first + i]
    spectra = rfft(rows)
    for row in range(rows.shape[0]):
        for k in range(spectrum.shape[1]):
            spectra[row, k] *= spectrum[0, k]
    passed = irfft(spectra, n_fft)
    for row in range(rows.shape[0]):
        first = row % pieces * step
        for i in range(min(step, count - first)):
            out[row // pieces, first + i] = passed[row, reach + i]
