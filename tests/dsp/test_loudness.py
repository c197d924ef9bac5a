"""Laws of loudness: the weighting is pyloudnorm's, the peak between samples is found, blocks equal whole."""

from __future__ import annotations

import numpy as np
import pyloudnorm
import pytest

from dsp.loudness import k_weighting, peak_filters, true_peak, weigh


@pytest.mark.parametrize("rate", [44100, 48000, 96000])
def test_the_weighting_is_pyloudnorms(rate: int) -> None:
    theirs = [np.r_[one.b, one.a[1:]] for one in pyloudnorm.Meter(rate)._filters.values()]
    np.testing.assert_allclose(k_weighting(rate), theirs, rtol=1e-12)


def test_steps_do_not_depend_on_the_cutting() -> None:
    signal = np.random.default_rng(1).normal(0, 0.1, (2, 10_000)).astype(np.float32)
    sums = []
    for size in (10_000, 777):
        state, sum_, filled, results = np.zeros((2, 2, 2)), np.zeros(2), 0, []
        for start in range(0, 10_000, size):
            block = np.ascontiguousarray(signal[:, start : start + size])
            steps = np.zeros((2, (filled + block.shape[1]) // 480))
            filled = weigh(block, k_weighting(48000), state, sum_, filled, 480, steps)
            results.append(steps)
        sums.append(np.concatenate(results, axis=1))
    np.testing.assert_allclose(sums[1], sums[0], rtol=1e-10)
    assert sums[0].shape == (2, 20)


@pytest.mark.parametrize("channels", [1, 2, 3, 6])
def test_no_channel_depends_on_another(channels: int) -> None:
    signal = np.random.default_rng(3).normal(0, 0.1, (channels, 5000)).astype(np.float32)
    results = []
    for block in (signal, *signal[:, None]):
        state, sums, steps = np.zeros((len(block), 2, 2)), np.zeros(len(block)), np.zeros((len(block), 10))
        assert weigh(block, k_weighting(48000), state, sums, 0, 480, steps) == 5000 - 10 * 480
        results.append(np.c_[steps, sums, state.reshape(len(block), 4)])
    np.testing.assert_allclose(results[0], np.concatenate(results[1:]), rtol=1e-10, atol=1e-14)


@pytest.mark.parametrize("phase", [0.0, 0.4, 0.785])
@pytest.mark.parametrize("hertz", [997.0, 6000.0, 12000.0])
def test_the_peak_between_samples_is_found(hertz: float, phase: float) -> None:
    """A tone at a quarter of the rate can have all its samples 3 dB below its peak."""
    tone = 0.5 * np.sin(2 * np.pi * hertz * np.arange(4800) / 48000 + phase)
    peak = true_peak(tone[None].astype(np.float32), peak_filters(), 0.0)
    assert 20 * np.log10(peak / 0.5) == pytest.approx(0.0, abs=0.05)


def test_no_window_that_holds_the_peak_is_passed_over() -> None:
    signal = np.random.default_rng(2).normal(0, 0.1, (1, 5000)).astype(np.float32)
    filters = peak_filters()
    whole = max(float(abs(np.convolve(signal[0], row[::-1], "valid")).max()) for row in filters)
    assert true_peak(signal, filters, 0.0) == pytest.approx(whole, rel=1e-5)
