"""Laws of the metrics: known distances, bounds and invariances."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from models.training import metrics
from models.training.data.lowpass import resample_to

Audio = NDArray[np.float32]


def noise(seed: int = 0, channels: int = 1, samples: int = 72000) -> Audio:
    return (np.random.default_rng(seed).standard_normal((channels, samples)) * 0.1).astype(np.float32)


def test_equal_signals_are_at_no_distance() -> None:
    clean = noise(channels=2)
    assert metrics.lsd(clean, clean) == 0
    assert metrics.si_sdr_db(clean, clean) == pytest.approx(120)
    assert metrics.null_db(clean, clean, 8000, 48000) == -120


@pytest.mark.parametrize("gain", [0.1, 0.5, 2.0])
def test_a_gain_is_its_log_in_lsd_and_nothing_in_si_sdr(gain: float) -> None:
    clean = noise(channels=2)
    estimate = (gain * clean).astype(np.float32)
    assert metrics.lsd(clean, estimate) == pytest.approx(abs(2 * math.log10(gain)), rel=1e-3)
    assert metrics.si_sdr_db(clean, estimate) > 100


def test_independent_noise_scores_what_theory_says() -> None:
    """The log10 of an exponential variable has a standard deviation of 0.557; two of them differ by 0.788."""
    assert metrics.lsd(noise(1), noise(2)) == pytest.approx(0.788, abs=0.02)


def test_the_clamp_is_at_minus_80_db_of_bin_power() -> None:
    silent = np.zeros((1, 48000), np.float32)
    assert metrics.lsd(silent, silent + np.float32(1e-9)) == 0
    constant = np.log10(np.float64(np.hanning(2049)[:-1].sum() * 0.1) ** 2) + 8
    assert metrics.lsd(silent, silent + np.float32(0.1), high_hz=1.0) == pytest.approx(constant, rel=1e-4)


def test_low_and_high_parts_make_the_whole() -> None:
    clean = noise()
    estimate = resample_to(clean, 48000, 16000)
    low, high = metrics.lsd_lf(clean, estimate, 7000), metrics.lsd_hf(clean, estimate, 8100)
    assert low < 0.05 < 3 < high
    assert metrics.lsd(clean, estimate, high_hz=7000) == low
    assert high > metrics.lsd(clean, estimate) > low
    assert math.isnan(metrics.lsd(clean, estimate, low_hz=24001))


def test_lsd_averages_channels() -> None:
    clean, estimate = noise(1, 2), noise(2, 2)
    each = [metrics.lsd(clean[k : k + 1], estimate[k : k + 1]) for k in range(2)]
    assert metrics.lsd(clean, estimate) == pytest.approx(np.mean(each), rel=1e-5)


@pytest.mark.parametrize("wanted_db", [-10.0, 0.0, 30.0])
def test_si_sdr_finds_the_noise_that_was_added(wanted_db: float) -> None:
    clean, added = noise(1), noise(2)
    estimate = (clean + added * 10 ** (-wanted_db / 20)).astype(np.float32)
    assert metrics.si_sdr_db(clean, estimate) == pytest.approx(wanted_db, abs=0.2)


def test_the_null_counts_below_the_edge_only() -> None:
    clean = resample_to(noise(1), 48000, 16000)
    spectrum = np.fft.rfft(noise(2))
    spectrum[:, : len(spectrum[0]) * 10 // 24] = 0
    top = np.fft.irfft(spectrum).astype(np.float32)
    assert metrics.null_db(clean, clean + top, 8000, 48000) < -110
    assert metrics.null_db(clean, clean * np.float32(1.01), 8000, 48000) == pytest.approx(-40, abs=0.1)


def test_silence_gives_finite_ratios() -> None:
    silent, loud = np.zeros((1, 5000), np.float32), noise(samples=5000)
    for clean, estimate in ((silent, loud), (loud, silent), (silent, silent)):
        for value in (
            metrics.si_sdr_db(clean, estimate),
            metrics.null_db(clean, estimate, 8000, 48000),
            metrics.lsd(clean, estimate),
        ):
            assert math.isfinite(value)


@pytest.mark.parametrize("samples", [1, 2, 1000])
def test_short_signals_are_judged(samples: int) -> None:
    assert math.isfinite(metrics.lsd(noise(1, samples=samples), noise(2, samples=samples)))


def test_visqol_leaves_the_arithmetic_as_it_was() -> None:
    torch.set_flush_denormal(True)
    metrics.visqol(noise(1, samples=60000), noise(2, samples=60000))
    assert metrics.flushes_denormals()
    assert torch.get_num_threads() == 1
    torch.set_flush_denormal(False)
    assert not metrics.flushes_denormals()


def test_visqol_puts_equal_above_narrow() -> None:
    clean = noise(channels=2, samples=30000)
    equal, narrow = metrics.visqol(clean, clean), metrics.visqol(clean, resample_to(clean, 48000, 8000))
    assert equal == pytest.approx(4.73, abs=0.01)
    assert 1 <= narrow < 3
    assert math.isnan(metrics.visqol(clean, np.zeros_like(clean)))
