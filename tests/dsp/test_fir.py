"""The law of the filter that does not change: it is a convolution."""

from __future__ import annotations

import numpy as np
import pytest

from dsp.fir import filter_steady, steady_layout, steady_spectrum


@pytest.mark.parametrize("samples", [1, 7, 100, 500, 9000, 20000])
@pytest.mark.parametrize("taps", [2, 64, 1023])
def test_a_steady_filter_is_a_convolution(samples: int, taps: int) -> None:
    rng = np.random.default_rng(0)
    signal = rng.standard_normal((2, taps - 1 + samples)).astype(np.float32)
    response = (rng.standard_normal(taps) / taps**0.5).astype(np.float32)
    filtered = np.empty((2, samples), np.float32)
    filter_steady(signal, taps - 1, steady_spectrum(response, *steady_layout(taps, samples)), taps, filtered)
    for row in range(2):
        direct = np.convolve(signal[row].astype(np.float64), response, "valid")
        np.testing.assert_allclose(filtered[row], direct, atol=1e-4)
