"""Laws of the features as tensors: they are those that the block path measures."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from dsp import bands
from dsp.band_power import BandPower
from models.exciters import torch_bands


@pytest.mark.parametrize("rate", [44100, 48000, 96000])
@pytest.mark.parametrize("fall", [bands.HANN_FALL, 0.125])
def test_levels_are_those_of_the_block_path(rate: int, fall: float) -> None:
    window = torch_bands.late_hann(bands.window_samples(rate), fall)
    weights = torch_bands.band_weights(rate, bands.fft_size(len(window)))
    frames = torch.randn(2, 5, len(window)) * torch.logspace(-6, 0, 5)[:, None]
    expected = torch_bands.band_levels_db(frames, window, weights, torch_bands.power_scale(rate, window))
    measure = BandPower(rate, len(window), fall=fall)
    powers = measure(frames.numpy().reshape(2, -1), 0, len(window), 5)
    np.testing.assert_allclose(10 * np.log10(powers), expected, atol=1e-3)


def test_levels_have_gradients() -> None:
    frames = torch.randn(1, 1024, requires_grad=True)
    window, weights = torch_bands.hann(1024), torch_bands.band_weights(48000, 1024)
    torch_bands.band_levels_db(frames, window, weights, 1.0).sum().backward()
    assert frames.grad is not None
    assert frames.grad.abs().max() > 0
