"""The features of `dsp.bands` as tensors, differentiable: for training and for learned exciters."""

from __future__ import annotations

import torch
from torch import Tensor

from dsp import bands

_FLOOR_POWER = 10 ** (bands.FLOOR_DB / 10)


def band_weights(sample_rate: float, n_fft: int) -> Tensor:
    """Return the matrix that averages power bins into bands; see `dsp.bands.band_weights`."""
    return torch.from_numpy(bands.band_weights(sample_rate, n_fft))


def band_mask(sample_rate: float, low_hz: float, high_hz: float) -> Tensor:
    """Return 1 for each band between two frequencies, else 0; see `dsp.bands.band_mask`."""
    return torch.from_numpy(bands.band_mask(sample_rate, low_hz, high_hz))


def hann(samples: int) -> Tensor:
    """Return a periodic Hann window, shape (samples,)."""
    return torch.from_numpy(bands.hann(samples))


def late_hann(samples: int, fall: float) -> Tensor:
    """Return a window that falls faster than it rises; see `dsp.bands.late_hann`."""
    return torch.from_numpy(bands.late_hann(samples, fall))


def power_scale(sample_rate: float, window: Tensor) -> float:
    """Return the factor from |STFT|^2 to power against full-scale white noise at 48 kHz."""
    return bands.power_scale(sample_rate, window.cpu().numpy())


def band_levels_db(frames: Tensor, window: Tensor, weights: Tensor, scale: float) -> Tensor:
    """Return log band energies of frames.

    Args:
        frames: Samples, shape (..., window).
        window: Shape (window,).
        weights: From `band_weights`, shape (bins, bands); sets the transform's size.
        scale: From `power_scale`.

    Returns:
        Levels in dB, shape (..., bands), not below `dsp.bands.FLOOR_DB`.
    """
    n_fft = 2 * (weights.shape[0] - 1)
    spectrum = torch.fft.rfft(frames * window, n=n_fft)
    power = spectrum.real.square() + spectrum.imag.square()
    return 10.0 * torch.log10(power @ weights * scale + _FLOOR_POWER)
