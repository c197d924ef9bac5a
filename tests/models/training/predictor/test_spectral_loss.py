"""Laws of the spectral loss: it judges the filter that the product plays, and separates equal envelopes from others."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from dsp import bands, exciter, ltv
from dsp.band_power import LOG_PER_DB
from models.training.predictor.spectral_loss import SpectralLoss

FRAMES = 6


@pytest.fixture(scope="module")
def loss() -> SpectralLoss:
    return SpectralLoss()


def levels_db() -> torch.Tensor:
    return torch.nn.functional.interpolate(10 * torch.randn(2, FRAMES, 8), bands.BAND_COUNT, mode="linear")


def test_it_renders_as_the_product_filters(loss: SpectralLoss) -> None:
    hop, design = bands.hop_samples(48000), ltv.FilterDesign(48000)
    levels = levels_db()
    noise = exciter.noise_table()[: (FRAMES - 1) * hop + design.taps - 1]
    rows = len(levels)
    filters = design(levels.numpy() * np.float32(LOG_PER_DB))
    noises, hops = np.repeat(noise[None], rows, 0), FRAMES - 1
    products = np.zeros((2, rows * hops, design.n_fft // 2 + 1), np.complex64)
    spectra = ltv.hop_spectra(noises, design.taps - 1, len(noise), hop, hops, design.taps, design.n_fft)
    ltv.apply_filters(spectra, filters, 0, products, True, products)
    played = np.empty((rows, hops * hop), np.float32)
    ltv.cross_fade(products, hop, design.taps, 0, played)
    np.testing.assert_allclose(loss.render(levels), played, atol=1e-4, rtol=1e-4)


def test_it_is_nothing_for_equal_envelopes_and_grows_with_the_error(loss: SpectralLoss) -> None:
    truth, weight = levels_db(), torch.ones(2, 1, bands.BAND_COUNT)
    distances = [float(loss(truth + error, truth, weight)) for error in (0.0, 3.0, 9.0)]
    assert distances[0] == pytest.approx(0.0, abs=1e-5)
    assert distances == sorted(set(distances))


def test_gradients_flow_to_judged_bands_alone(loss: SpectralLoss) -> None:
    predicted, weight = (levels_db() + 3).requires_grad_(), torch.ones(2, 1, bands.BAND_COUNT)
    weight[..., :32] = 0
    loss(predicted, levels_db(), weight).backward()
    assert predicted.grad is not None
    assert bool(predicted.grad[..., 40:].abs().sum() > 0)
    assert not predicted.grad[..., :32].any()
