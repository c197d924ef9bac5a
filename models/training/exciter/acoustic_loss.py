"""The acoustic feature loss: how far a signal's log band energies are from those that are wanted.

On the upper bands of an excitation, with 0 dB wanted everywhere, it makes the excitation white, so that the LTV filter
alone carries the envelope (Nercessian, Lukin and Imort 2024).
"""

from __future__ import annotations

import torch
from torch import Tensor

from dsp import bands
from models.exciters import torch_bands
from models.exciters.ltv_layer import HOP, RATE

REACH = bands.window_samples(RATE) // 2
# The level of white noise of unit variance.
WHITE_DB = 0.0


def acoustic_features(signal: Tensor, fall: float = bands.HANN_FALL) -> Tensor:
    """Return log band energies in dB of whole frames.

    Args:
        signal: At 48 kHz with `REACH` samples more at either end, shape (batch, REACH + frames * HOP + REACH).
        fall: Share of a frame over which its window falls off; see `dsp.bands.late_hann`.

    Returns:
        Shape (batch, frames + 1, bands); frame k is centred on sample REACH + k * HOP.
    """
    window = torch_bands.late_hann(2 * REACH, fall).to(signal.device)
    weights = torch_bands.band_weights(RATE, bands.fft_size(2 * REACH)).to(signal.device)
    return torch_bands.band_levels_db(
        signal.unfold(-1, 2 * REACH, HOP), window, weights, torch_bands.power_scale(RATE, window)
    )


def acoustic_loss(levels_db: Tensor, wanted_db: Tensor | float, judged: Tensor, tolerance_db: float = 0.0) -> Tensor:
    """Return the mean square error of the judged bands in units of 10 dB, beyond what is tolerated.

    Args:
        levels_db: Shape (batch, frames, bands).
        wanted_db: Same shape, or one level for all.
        judged: 1 for bands that count, else 0, shape (batch, 1, bands).
        tolerance_db: Errors up to here cost nothing.
    """
    error = (((levels_db - wanted_db).abs() - tolerance_db).relu() / 10).square() * judged
    return error.sum() / judged.expand_as(error).sum().clamp(min=1.0)


def spectral_flatness(levels_db: Tensor, judged: Tensor) -> Tensor:
    """Return the spectral flatness of each frame: geometric over arithmetic mean of the judged bands' power, 0..1.

    Args:
        levels_db: Shape (batch, frames, bands).
        judged: 1 for bands that count, else 0, shape (batch, 1, bands).

    Returns:
        Shape (batch, frames); 1 is white.
    """
    count = judged.sum(-1).clamp(min=1.0)
    # Relative to the mean level, so that no power leaves single precision.
    mean_db = (levels_db * judged).sum(-1) / count
    power = torch.pow(10.0, (levels_db - mean_db[..., None]) / 10)
    return count / (power * judged).sum(-1).clamp(min=1e-9)
