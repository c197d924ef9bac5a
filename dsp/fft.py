"""Real Fourier transforms in single precision, by ducc0 through Rocket-FFT: of rows, from within kernels."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from dsp.compile import kernel, without

# Its stand-ins for scipy.fft would load that for a quarter of a second.
with without("scipy.fft"):
    import rocket_fft

Array = NDArray[np.float32]
Spectrum = NDArray[np.complex64]

_LAST_AXIS = np.array([1])


@kernel
def rfft(rows: Array) -> Spectrum:
    """Return the transforms of rows, shape (rows, size // 2 + 1); `rows` has shape (rows, size)."""
    spectra = np.empty((rows.shape[0], rows.shape[1] // 2 + 1), np.complex64)
    rocket_fft.r2c(rows, spectra, _LAST_AXIS, True, 1.0, 1)
    return spectra


@kernel
def irfft(spectra: Spectrum, size: int) -> Array:
    """Return the signals of so many samples with these transforms, shape (rows, size)."""
    rows = np.empty((spectra.shape[0], size), np.float32)
    rocket_fft.c2r(spectra, rows, _LAST_AXIS, False, 1.0 / size, 1)
    return rows


@lru_cache(maxsize=4096)
def fast_size(samples: int) -> int:
    """Return the least even size, not less than so many samples, that transforms fast."""
    return 2 * int(rocket_fft.good_size((samples + 1) // 2, True))
