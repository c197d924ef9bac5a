"""Laws of the bands: the same sound has the same levels at every rate, and levels stay within their neighbours."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from dsp import bands

RATES = (44100, 48000, 88200, 96000)


def levels(samples: Tensor, rate: int) -> Tensor:
    """Return the mean level of each band over the frames of a signal, shape (bands,)."""
    window = bands.hann(bands.window_samples(rate))
    weights = bands.band_weights(rate, bands.fft_size(len(window)))
    frames = samples.unfold(0, len(window), bands.hop_samples(rate))
    levels_db = bands.band_levels_db(frames, window, weights, bands.power_scale(rate, window))
    return 10 * torch.log10(torch.pow(10.0, levels_db / 10).mean(0))


def whole_bands(rate: int) -> Tensor:
    return bands.band_mask(rate, 0.0, 20000.0).bool()


@pytest.mark.parametrize("rate", RATES)
def test_noise_of_one_density_has_one_level_at_every_rate(rate: int) -> None:
    # White noise up to a higher Nyquist needs more power for the same power per Hz.
    noise = torch.randn(6 * rate) * math.sqrt(rate / 48000)
    inside = levels(noise, rate)[whole_bands(rate)]
    assert float(inside.abs().max()) < 1.0
    assert float(inside.mean().abs()) < 0.1


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("frequency_hz", [150.0, 1000.0, 5000.0, 12000.0, 19000.0])
def test_a_sine_lands_in_its_band(rate: int, frequency_hz: float) -> None:
    sine = torch.sin(2 * math.pi * frequency_hz * torch.arange(rate // 2) / rate)
    found = levels(sine, rate)
    edges = torch.tensor(bands.band_edges_hz())
    loudest = int(found.argmax())
    assert edges[loudest] < frequency_hz < edges[loudest + 2]
    far = (edges[2:] < 0.7 * frequency_hz - 200) | (edges[:-2] > 1.4 * frequency_hz + 200)
    assert float(found[loudest]) > float(found[far].max()) + 60


def test_a_sine_has_one_level_at_every_rate() -> None:
    found = [levels(torch.sin(2 * math.pi * 3000 * torch.arange(rate) / rate), rate) for rate in RATES]
    assert float((torch.stack(found).max(1).values - found[0].max()).abs().max()) < 0.5


@pytest.mark.parametrize("rate", RATES)
def test_weights_average(rate: int) -> None:
    weights = bands.band_weights(rate, bands.fft_size(bands.window_samples(rate)))
    below = torch.tensor(bands.band_edges_hz())[1:-1] < rate / 2
    assert bool((weights >= 0).all())
    torch.testing.assert_close(weights.sum(0), below.float())


@pytest.mark.parametrize("rate", RATES)
def test_frames_are_the_same_stretch_of_time_at_every_rate(rate: int) -> None:
    assert bands.hop_samples(rate) / rate == pytest.approx(bands.HOP_SECONDS, rel=0.005)
    assert bands.window_samples(rate) / rate == pytest.approx(bands.WINDOW_SECONDS, rel=0.002)
    assert bands.window_samples(rate) % 2 == 0


def test_edges_rise_from_zero_to_the_top_and_are_never_narrower_than_100_hz() -> None:
    edges = torch.tensor(bands.band_edges_hz())
    assert len(edges) == bands.BAND_COUNT + 2
    assert edges[0] == 0
    assert float(torch.diff(edges).min()) >= 99.9
    assert bands.TOP_HZ - 1000 < edges[-2] < bands.TOP_HZ


def test_widths_share_out_the_frequency_axis() -> None:
    edges = bands.band_edges_hz()
    # All but the outer halves of the first and the last triangle.
    assert float(bands.band_widths_hz().sum()) == pytest.approx((edges[-1] + edges[-2] - edges[1] - edges[0]) / 2)


def test_the_way_back_is_non_negative_and_a_partition_of_unity() -> None:
    matrix = bands.bands_to_frequencies(torch.linspace(0, 48000, 3001))
    assert bool((matrix >= 0).all())
    torch.testing.assert_close(matrix.sum(0), torch.ones(3001))


def test_the_way_back_meets_each_band_at_its_centre_and_stays_within_its_neighbours() -> None:
    values = torch.randn(bands.BAND_COUNT)
    centres = bands.band_centres_hz()
    torch.testing.assert_close(values @ bands.bands_to_frequencies(centres), values, atol=1e-4, rtol=0)
    between = (centres[1:] + centres[:-1]) / 2
    torch.testing.assert_close(
        values @ bands.bands_to_frequencies(between), (values[1:] + values[:-1]) / 2, atol=1e-4, rtol=0
    )


def test_the_mask_holds_the_bands_that_lie_whole_inside() -> None:
    edges = torch.tensor(bands.band_edges_hz())
    mask = bands.band_mask(48000, float(edges[10]), float(edges[20]))
    assert mask.nonzero()[:, 0].tolist() == list(range(10, 19))
    assert not bands.band_mask(44100, 22050.0, 48000.0).any()


def test_silence_is_the_floor() -> None:
    assert levels(torch.zeros(4096), 48000).tolist() == pytest.approx([bands.FLOOR_DB] * bands.BAND_COUNT)


def test_a_hann_window_overlaps_to_a_constant() -> None:
    window = bands.hann(1024)
    torch.testing.assert_close(window[:512] + window[512:], torch.ones(512))


@pytest.mark.parametrize("fall", [0.5, 0.25, 0.125])
@pytest.mark.parametrize("samples", [1024, 940, 2048])
def test_a_late_window_rises_slowly_to_one_and_falls_fast(samples: int, fall: float) -> None:
    window = bands.late_hann(samples, fall)
    peak = samples - round(fall * samples)
    assert len(window) == samples
    assert float(window[peak]) == pytest.approx(1.0)
    assert bool((window[1 : peak + 1] > window[:peak]).all())
    assert bool((window[peak + 1 :] < window[peak:-1]).all())
    # Halves of Hann windows: no step where they meet nor at the ends, or loud lows would leak into soft highs.
    assert float(window[0]) == 0.0
    assert float(window[-1]) < 20.0 / (fall * samples) ** 2


def test_a_late_window_that_falls_over_its_half_is_hann() -> None:
    assert torch.equal(bands.late_hann(1024, 0.5), bands.hann(1024))
