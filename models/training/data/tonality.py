"""Tonality: how much of a band's energy stands in lines rather than in noise."""

from __future__ import annotations

import torch
from torch import Tensor

# The flatness of a Hann-windowed periodogram of white noise over a band of a few bins, and of clear lines.
_FLATNESS_OF_NOISE = 0.56
_FLATNESS_OF_LINES = 0.16


def tonality(frames: Tensor, window: Tensor, weights: Tensor) -> Tensor:
    """Return each band's tonality from the spectral flatness of its bins (Johnston 1988).

    Args:
        frames: Samples, shape (..., window); long enough to tell harmonics apart (43 ms for a 100 Hz voice).
        window: Shape (window,).
        weights: From `dsp.bands.band_weights`, shape (bins, bands).

    Returns:
        0 for noise .. 1 for lines, shape (..., bands); 0 in silence.
    """
    spectrum = torch.fft.rfft(frames * window, n=2 * (weights.shape[0] - 1))
    power = spectrum.real.square() + spectrum.imag.square() + 1e-9
    arithmetic = power @ weights
    geometric = torch.exp(torch.log(power) @ weights)
    flatness = geometric / arithmetic.clamp(min=1e-9)
    share: Tensor = (_FLATNESS_OF_NOISE - flatness) / (_FLATNESS_OF_NOISE - _FLATNESS_OF_LINES)
    return share.clamp(0.0, 1.0)
