"""Laws of the bands: the same sound has the same levels at every rate, and levels stay within their neighbours."""

from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.typing import NDArray

from dsp import bands
from dsp.band_power import BandPower
from dsp.fft import Array

RATES = (44100, 48000, 88200, 96000)


def levels(samples: NDArray[np.floating], rate: int) -> Array:
    """Return the mean level of each band over the frames of a signal, shape (bands,)."""
    window, hop = bands.window_samples(rate), bands.hop_samples(rate)
    power = BandPower(rate, window)(samples[None].astype(np.float32), 0, hop, (len(samples) - window) // hop + 1)
    mean: Array = 10 * np.log10(power[0].mean(0))
    return mean


def whole_bands(rate: int) -> NDArray[np.bool_]:
    return bands.band_mask(rate, 0.0, 20000.0) > 0


@pytest.mark.parametrize("rate", RATES)
def test_noise_of_one_density_has_one_level_at_every_rate(rate: int) -> None:
    # White noise up to a higher Nyquist needs more power for the same power per Hz.
    noise = np.random.default_rng(rate).standard_normal(6 * rate) * math.sqrt(rate / 48000)
    inside = levels(noise, rate)[whole_bands(rate)]
    assert np.abs(inside).max() < 1.0
    assert abs(inside.mean()) < 0.1


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("frequency_hz", [150.0, 1000.0, 5000.0, 12000.0, 19000.0])
def test_a_sine_lands_in_its_band(rate: int, frequency_hz: float) -> None:
    sine = np.sin(2 * math.pi * frequency_hz * np.arange(rate // 2) / rate)
    found = levels(sine, rate)
    edges = np.array(bands.band_edges_hz())
    loudest = int(found.argmax())
    assert edges[loudest] < frequency_hz < edges[loudest + 2]
    far = (edges[2:] < 0.7 * frequency_hz - 200) | (edges[:-2] > 1.4 * frequency_hz + 200)
    assert float(found[loudest]) > float(found[far].max()) + 60


def test_a_sine_has_one_level_at_every_rate() -> None:
    found = [levels(np.sin(2 * math.pi * 3000 * np.arange(rate) / rate), rate).max() for rate in RATES]
    assert max(found) - min(found) < 0.5


@pytest.mark.parametrize("rate", RATES)
def test_weights_average(rate: int) -> None:
    weights = bands.band_weights(rate, bands.fft_size(bands.window_samples(rate)))
    below = np.array(bands.band_edges_hz())[1:-1] < rate / 2
    assert (weights >= 0).all()
    np.testing.assert_allclose(weights.sum(0), below, atol=1e-5)


@pytest.mark.parametrize("rate", RATES)
def test_frames_are_the_same_stretch_of_time_at_every_rate(rate: int) -> None:
    assert bands.hop_samples(rate) / rate == pytest.approx(bands.HOP_SECONDS, rel=0.005)
    assert bands.window_samples(rate) / rate == pytest.approx(bands.WINDOW_SECONDS, rel=0.002)
    assert bands.window_samples(rate) % 2 == 0


def test_edges_rise_from_zero_to_the_top_and_are_never_narrower_than_100_hz() -> None:
    edges = np.array(bands.band_edges_hz())
    assert len(edges) == bands.BAND_COUNT + 2
    assert edges[0] == 0
    assert np.diff(edges).min() >= 99.9
    assert bands.TOP_HZ - 1000 < edges[-2] < bands.TOP_HZ


def test_widths_share_out_the_frequency_axis() -> None:
    edges = bands.band_edges_hz()
    # All but the outer halves of the first and the last triangle.
    assert float(bands.band_widths_hz().sum()) == pytest.approx((edges[-1] + edges[-2] - edges[1] - edges[0]) / 2)


def test_the_way_back_is_non_negative_and_a_partition_of_unity() -> None:
    matrix = bands.bands_to_frequencies(np.linspace(0, 48000, 3001))
    assert (matrix >= 0).all()
    np.testing.assert_allclose(matrix.sum(0), 1.0)


def test_the_way_back_meets_each_band_at_its_centre_and_stays_within_its_neighbours() -> None:
    values = np.random.default_rng(0).standard_normal(bands.BAND_COUNT)
    centres = bands.band_centres_hz()
    np.testing.assert_allclose(values @ bands.bands_to_frequencies(centres), values, atol=1e-4, rtol=0)
    between = (centres[1:] + centres[:-1]) / 2
    np.testing.assert_allclose(
        values @ bands.bands_to_frequencies(between), (values[1:] + values[:-1]) / 2, atol=1e-4, rtol=0
    )


def test_the_mask_holds_the_bands_that_lie_whole_inside() -> None:
    edges = np.array(bands.band_edges_hz())
    mask = bands.band_mask(48000, float(edges[10]), float(edges[20]))
    assert np.flatnonzero(mask).tolist() == list(range(10, 19))
    assert not bands.band_mask(44100, 22050.0, 48000.0).any()


def test_silence_is_the_floor() -> None:
    assert levels(np.zeros(4096), 48000).tolist() == pytest.approx([bands.FLOOR_DB] * bands.BAND_COUNT)


def test_a_hann_window_overlaps_to_a_constant() -> None:
    window = bands.hann(1024)
    np.testing.assert_allclose(window[:512] + window[512:], 1.0, rtol=1e-6)


@pytest.mark.parametrize("fall", [0.5, 0.25, 0.125])
@pytest.mark.parametrize("samples", [1024, 940, 2048])
def test_a_late_window_rises_slowly_to_one_and_falls_fast(samples: int, fall: float) -> None:
    window = bands.late_hann(samples, fall)
    peak = samples - round(fall * samples)
    assert len(window) == samples
    assert float(window[peak]) == pytest.approx(1.0)
    assert (window[1 : peak + 1] > window[:peak]).all()
    assert (window[peak + 1 :] < window[peak:-1]).all()
    # Halves of Hann windows: no step where they meet nor at the ends, or loud lows would leak into soft highs.
    assert float(window[0]) == 0.0
    assert float(window[-1]) < 20.0 / (fall * samples) ** 2


def test_a_late_window_that_falls_over_its_half_is_hann() -> None:
    assert np.array_equal(bands.late_hann(1024, 0.5), bands.hann(1024))
