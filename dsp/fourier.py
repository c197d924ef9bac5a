"""Real Fourier transforms in single precision, by ducc0: the successor of pocketfft, at half its price a call."""

from __future__ import annotations

import ducc0
import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]
Spectrum = NDArray[np.complex64]

# Scales by 1 / size, so that `irfft` undoes `rfft`.
_INVERSE = 2


def rfft(signal: Array, size: int) -> Spectrum:
    """Return the transform over the last axis of a signal of at most `size` samples, filled up with zeros."""
    if signal.shape[-1] < size:
        padded = np.zeros((*signal.shape[:-1], size), np.float32)
        padded[..., : signal.shape[-1]] = signal
        signal = padded
    spectrum: Spectrum = ducc0.fft.r2c(signal, (signal.ndim - 1,))
    return spectrum


def irfft(spectrum: Spectrum, size: int) -> Array:
    """Return the signal of `size` samples with this transform over the last axis."""
    signal: Array = ducc0.fft.c2r(spectrum, (spectrum.ndim - 1,), size, False, _INVERSE)
    return signal


def fast_size(samples: int) -> int:
    """Return the least even size, not less than so many samples, that transforms fast."""
    size: int = 2 * ducc0.fft.good_size((samples + 1) // 2, True)
    return size
