"""Losses, each a small pure function."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from dsp.bands import band_widths_hz

# The spread of two independent noise periodograms in (10 dB)^2: what remains of the log-spectral distance
# between noises of the same envelope.
NOISE_SPREAD = 0.62
# Below 1 dB an error of level counts less and less.
_LEVEL_SOFTNESS = 0.01


def band_importance(weight: Tensor, evenness: float) -> Tensor:
    """Return how much each band counts, summing to 1 over the judged ones.

    Args:
        weight: 1 for judged bands, shape (..., bands).
        evenness: 0 counts every Hz alike, as log-spectral distance does; 1 counts every band alike, as ears rather do.
    """
    by_hz = weight * torch.from_numpy(band_widths_hz())
    by_band = weight / weight.sum(-1, keepdim=True).clamp(min=1e-6)
    return (1 - evenness) * by_hz / by_hz.sum(-1, keepdim=True).clamp(min=1e-6) + evenness * by_band


def pooled_db(levels_db: Tensor, span: int) -> Tensor:
    """Return the level of the mean power over spans of frames that overlap by half.

    A longer look at the sound weighs loud frames more, as a longer window of analysis does; an envelope that is
    right in the mean of its decibels alone would come out too soft there.

    Args:
        levels_db: Shape (batch, frames, bands).
        span: Frames; 1 changes nothing.

    Returns:
        Shape (batch, spans, bands).
    """
    if span == 1:
        return levels_db
    power = torch.pow(10.0, levels_db / 10).unfold(1, span, span // 2).mean(-1)
    return 10 * torch.log10(power + 1e-12)


def pooled_weight(weight: Tensor, span: int) -> Tensor:
    """Return how much each of `pooled_db`'s spans counts, from how much each frame does, shape (batch, spans)."""
    return weight if span == 1 else weight.unfold(1, span, span // 2).mean(-1)


def envelope_loss(
    predicted_db: Tensor,
    target_db: Tensor,
    importance: Tensor,
    caution: Tensor | float = 1.0,
    frame_weight: Tensor | None = None,
) -> Tensor:
    """Return the expected log-spectral distance of noise shaped to the predicted envelope, in units of 10 dB.

    Args:
        predicted_db: Log band energies, shape (batch, frames, bands).
        target_db: Same shape.
        importance: From `band_importance`, shape (batch, 1, bands).
        caution: How much more it counts to be too loud than to be too soft, shape (batch, 1, 1). A network that is
            unsure comes out softer for it, and too little sounds better than too much.
        frame_weight: How much each frame counts, shape (batch, frames); None for all alike.

    Returns:
        Scalar; sqrt of the noise's own spread where the envelope is exact.
    """
    error = (predicted_db - target_db) / 10
    error = torch.where(error > 0, caution * error, error).square()
    return weighted_mean(torch.sqrt(NOISE_SPREAD + (error * importance).sum(-1)), frame_weight)


def level_db(levels_db: Tensor, weight: Tensor) -> Tensor:
    """Return the level of all judged bands together, shape (batch, frames).

    Args:
        levels_db: Log band energies, shape (batch, frames, bands).
        weight: 1 for judged bands, shape (batch, 1, bands).
    """
    by_hz = band_importance(weight, 0.0)
    return 10 * torch.log10((torch.pow(10.0, levels_db / 10) * by_hz).sum(-1) + 1e-12)


def level_loss(predicted_db: Tensor, target_db: Tensor, weight: Tensor, frame_weight: Tensor | None = None) -> Tensor:
    """Return the mean error of the frames' level in units of 10 dB, smooth at 0.

    A squared one would be led by the few frames that are far off: consonants that were expected and did not come, so
    that pauses come out too loud.

    The mean of each band's decibels, which `envelope_loss` asks for, adds up to less than the sound's level: its peaks
    are missing. Loudness is judged by the sum.

    Args:
        predicted_db: Log band energies, shape (batch, frames, bands).
        target_db: Same shape.
        weight: 1 for judged bands, shape (batch, 1, bands).
        frame_weight: How much each frame counts, shape (batch, frames); None for all alike.
    """
    error = (level_db(predicted_db, weight) - level_db(target_db, weight)) / 10
    return weighted_mean(torch.sqrt(_LEVEL_SOFTNESS + error.square()) - math.sqrt(_LEVEL_SOFTNESS), frame_weight)


def harmonicity_loss(
    predicted: Tensor, target: Tensor, importance: Tensor, frame_weight: Tensor | None = None
) -> Tensor:
    """Return the mean squared error of the harmonicity, weighted like the envelope."""
    return weighted_mean(((predicted - target).square() * importance).sum(-1), frame_weight)


def weighted_mean(values: Tensor, weight: Tensor | None) -> Tensor:
    """Return the mean of values, each counted as much as its weight says."""
    return values.mean() if weight is None else (values * weight).sum() / weight.sum().clamp(min=1e-6)
