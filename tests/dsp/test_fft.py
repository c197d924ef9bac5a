"""Laws of the transforms: the textbook's, and back again."""

from __future__ import annotations

import numpy as np
import pytest

from dsp.fft import fast_size, irfft, rfft


@pytest.mark.parametrize("size", [2, 512, 1152])
@pytest.mark.parametrize("rows", [1, 3])
def test_transforms_are_those_of_the_textbook_and_come_back(size: int, rows: int) -> None:
    signal = np.random.default_rng(0).standard_normal((rows, size)).astype(np.float32)
    spectrum = rfft(signal)
    assert spectrum.dtype == np.complex64
    np.testing.assert_allclose(spectrum, np.fft.rfft(signal), atol=1e-4)
    np.testing.assert_allclose(irfft(spectrum, size), signal, atol=1e-5)


@pytest.mark.parametrize("samples", [1, 2, 1023, 1087, 1152, 4096])
def test_a_fast_size_is_even_and_just_large_enough(samples: int) -> None:
    assert samples <= fast_size(samples) <= max(2, 1.25 * samples + 1)
    assert fast_size(samples) % 2 == 0
