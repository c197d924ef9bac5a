"""A filter that does not change: one finite response over a signal of any length, by overlap-save."""

from __future__ import annotations

import numpy as np

from dsp.compile import kernel
from dsp.fft import Array, Spectrum, fast_size, irfft, rfft

_LONGEST_FFT = 8192
_MOST_PARTS = 8


def steady_layout(taps: int, count: int) -> tuple[int, int]:
    """Return in how many parts a response is cut for blocks of so many samples, and the size of their transforms.

    A response that is long against the block is cut into parts, each with a short transform of its own stretch of the
    signal, which costs less than one long transform.
    """
    parts = min(_MOST_PARTS, max(1, taps // max(1, 2 * count)))
    overlap = -(-taps // parts) - 1
    pieces = -(-count // (_LONGEST_FFT - overlap))
    return parts, fast_size(overlap - (-count // max(1, pieces)))


def steady_spectrum(response: Array, parts: int, n_fft: int) -> Spectrum:
    """Return the transforms of a response's parts, shape (parts, n_fft // 2 + 1); see `steady_layout`."""
    length = -(-len(response) // parts)
    padded = np.zeros((parts, n_fft), np.float32)
    for part in range(parts):
        piece = response[part * length : (part + 1) * length]
        padded[part, : len(piece)] = piece
    return rfft(padded)


@kernel
def filter_steady(signal: Array, start: int, spectrum: Spectrum, taps: int, out: Array) -> None:
    """Filter by one response that does not change, by overlap-save.

    Args:
        signal: Shape (channels, time).
        start: Where the block begins in it, at least `taps - 1`.
        spectrum: From `steady_spectrum` of the response.
        taps: Length of the response in samples.
        out: Where the block goes, shape (channels, count).
    """
    parts, n_fft, count = spectrum.shape[0], 2 * (spectrum.shape[1] - 1), out.shape[1]
    length = (taps + parts - 1) // parts
    step = n_fft - length + 1
    pieces = (count + step - 1) // step
    stretches = np.empty((signal.shape[0] * pieces * parts, n_fft), np.float32)
    for row in range(stretches.shape[0]):
        channel, first, delay = row // (pieces * parts), row // parts % pieces * step, row % parts * length
        # What lies before the signal meets only the zeros behind the last part.
        begin = start - delay - length + 1 + first
        skipped, held = max(0, -begin), min(n_fft, length - 1 + count - first)
        stretches[row, :skipped], stretches[row, held:] = 0, 0
        stretches[row, skipped:held] = signal[channel, begin + skipped : begin + held]
    spectra = rfft(stretches)
    products = np.empty((signal.shape[0] * pieces, spectrum.shape[1]), np.complex64)
    for row in range(products.shape[0]):
        for k in range(spectrum.shape[1]):
            products[row, k] = spectra[row * parts, k] * spectrum[0, k]
        for part in range(1, parts):
            for k in range(spectrum.shape[1]):
                products[row, k] += spectra[row * parts + part, k] * spectrum[part, k]
    passed = irfft(products, n_fft)
    for row in range(products.shape[0]):
        first = row % pieces * step
        held = min(step, count - first)
        out[row // pieces, first : first + held] = passed[row, length - 1 : length - 1 + held]
