"""Laws of the LTV filter: it has the wanted gains, no latency, and no seams."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from dsp import bands
from dsp.ltv import FilterDesign, filter_hops, filter_steady, minimum_phase_spectrum, steady_fft

RATES = (44100, 48000, 96000)


def smooth_gains(seed: int, spread_db: float = 10.0) -> Tensor:
    """Return gains that move slowly over the bands, as envelopes do."""
    knots = torch.randn(1, 1, 8, generator=torch.Generator().manual_seed(seed)) * spread_db
    return torch.nn.functional.interpolate(knots, bands.BAND_COUNT, mode="linear", align_corners=True)[0, 0]


def response_db(impulse: Tensor, rate: int) -> Tensor:
    """Return the gain at the bands' centres in dB."""
    n_fft = 16384
    spectrum = torch.fft.rfft(impulse.double(), n=n_fft).abs()
    bins = (bands.band_centres_hz() / rate * n_fft).round().long().clamp(max=n_fft // 2)
    return 20 * torch.log10(spectrum[bins]).float()


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("seed", range(3))
def test_the_response_has_the_wanted_gains_to_one_db(rate: int, seed: int) -> None:
    gains = smooth_gains(seed)
    heard = bands.band_mask(rate, 1500.0, 0.47 * rate).bool()
    error = (response_db(FilterDesign(rate).impulse(gains), rate) - gains)[heard]
    assert float(error.abs().max()) < 1.0


@pytest.mark.parametrize("rate", RATES)
def test_the_magnitude_is_never_negative_and_flat_gains_are_a_flat_filter(rate: int) -> None:
    design = FilterDesign(rate)
    magnitude = torch.exp(smooth_gains(4, 40.0) @ design.log_magnitude)
    assert bool((magnitude >= 0).all())
    impulse = design.impulse(torch.full((bands.BAND_COUNT,), -6.0))
    assert float(impulse[0]) == pytest.approx(10 ** (-6 / 20), rel=1e-4)
    assert float(impulse[1:].abs().max()) < 1e-4


@pytest.mark.parametrize("seed", range(3))
def test_the_zeros_lie_inside_the_unit_circle(seed: int) -> None:
    impulse = FilterDesign(48000).impulse(smooth_gains(seed, 6.0)).double().numpy()
    assert float(np.abs(np.roots(impulse)).max()) < 1.001


@pytest.mark.parametrize("seed", range(3))
def test_the_energy_comes_first(seed: int) -> None:
    """No filter of the same magnitude has let more energy through at any time (Oppenheim and Schafer)."""
    impulse = FilterDesign(48000).impulse(smooth_gains(seed)).double()
    energy = impulse.square().cumsum(0)
    backwards = impulse.flip(0).square().cumsum(0)
    assert bool((energy >= backwards - 1e-12).all())
    assert float(energy[24] / energy[-1]) > 0.9


def test_a_minimum_phase_spectrum_keeps_its_magnitude_and_starts_at_once() -> None:
    log_magnitude = 0.5 * torch.cos(torch.linspace(0, 3 * torch.pi, 513, dtype=torch.float64))
    spectrum = minimum_phase_spectrum(log_magnitude)
    torch.testing.assert_close(spectrum.real, log_magnitude)
    impulse = torch.fft.irfft(torch.exp(spectrum))
    assert float(impulse[:100].square().sum() / impulse.square().sum()) > 0.9999


def hops_and_filters(sources: int, hops: int, rate: int = 48000) -> tuple[Tensor, Tensor, FilterDesign]:
    design = FilterDesign(rate)
    signals = torch.randn(2, sources, design.taps - 1 + hops * bands.hop_samples(rate))
    gains = torch.stack([smooth_gains(k) for k in range(sources)])
    return signals, gains, design


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("sources", [1, 2])
def test_a_constant_filter_is_a_convolution(rate: int, sources: int) -> None:
    signals, gains, design = hops_and_filters(sources, 5, rate)
    spectra = design(gains)[None, :, None].expand(2, sources, 6, -1)
    filtered = filter_hops(signals, spectra, bands.hop_samples(rate), design.n_fft)
    impulses = design.impulse(gains).double().numpy()
    for row in range(2):
        direct = sum(np.convolve(signals[row, k].double(), impulses[k], "valid") for k in range(sources))
        np.testing.assert_allclose(filtered[row], direct, atol=1e-4)


def test_filters_are_cross_faded_without_a_step() -> None:
    """A constant signal through gains that jump follows a straight line from the one to the other."""
    hop, design = bands.hop_samples(48000), FilterDesign(48000)
    gains = torch.zeros(3, bands.BAND_COUNT)
    gains[1] = 20.0
    flat = filter_hops(torch.ones(1, 1, design.taps - 1 + 2 * hop), design(gains)[None, None], hop, design.n_fft)[0]
    assert float(torch.diff(flat).abs().max()) == pytest.approx(9 / hop, rel=1e-3)
    assert float(flat[0]) == pytest.approx(1.0, abs=9 / hop)
    assert float(flat[hop]) == pytest.approx(10.0, abs=9 / hop)


@pytest.mark.parametrize("samples", [1, 7, 500, 9000, 20000])
@pytest.mark.parametrize("taps", [2, 64, 1023])
def test_a_steady_filter_is_a_convolution(samples: int, taps: int) -> None:
    signal, response = torch.randn(2, taps - 1 + samples), torch.randn(taps) / taps**0.5
    spectrum = torch.fft.rfft(response, n=steady_fft(signal.shape[1]))
    filtered = filter_steady(signal, spectrum, taps)
    assert filtered.shape == (2, samples)
    for row in range(2):
        direct = np.convolve(signal[row].double(), response.double(), "valid")
        np.testing.assert_allclose(filtered[row], direct, atol=1e-4)
