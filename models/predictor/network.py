"""The predictor: the network that predicts the missing band's envelope and tonality from the band that is there.

A pure function of frames and an explicit past, so that training on whole clips, rendering in long blocks and playing
frame by frame are one and the same. A mask says which bands it may trust (NU-Wave 2, Han and Lee 2022), so one
model serves every input bandwidth; masked bands are zeroed before anything else sees them. The bands next to the
crossover enter once more, counted from there: what is missing goes on from them wherever the crossover lies.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from dsp.bands import BAND_COUNT, FLOOR_DB
from models.predictor.config import (
    CENTRE_DB,
    FEATURES,
    MOST_DB,
    NEAR_BANDS,
    SPREAD_DB,
    TONE_BANDS,
    TONE_GROUPS,
    TONE_KEPT,
    PredictorConfig,
)


class Past(NamedTuple):
    """Memory between calls.

    Attributes:
        frames: Features of the last frames, shape (batch, kernel - 1, features).
        state: Of the recurrent layers, shape (layers, batch, hidden).
        references: Reference levels of frames still to be predicted, shape (batch, lag, 1).
    """

    frames: Tensor
    state: Tensor
    references: Tensor


class Envelope(NamedTuple):
    """The prediction: log band energies in dB and tonality 0..1, both of shape (batch, frames, bands)."""

    levels_db: Tensor
    tonality: Tensor


class Predictor(nn.Module):
    """Causal convolution, gated recurrent layers and a head, around a level reference taken from the input itself."""

    def __init__(self, config: PredictorConfig) -> None:
        super().__init__()
        self.config = config
        self.enter = nn.Conv1d(FEATURES, config.width, config.kernel)
        self.recur = nn.GRU(
            config.width,
            config.hidden,
            config.layers,
            batch_first=True,
            dropout=config.dropout if config.layers > 1 else 0.0,
        )
        self.drop = nn.Dropout(config.dropout)
        self.mix = nn.Linear(config.width + config.hidden, config.width)
        self.leave = nn.Linear(config.width, 2 * BAND_COUNT)

    def arrays(self) -> dict[str, NDArray[np.float32]]:
        """Return the weights by name, for `models.predictor.kernel` and for files."""
        return {name: value.detach().cpu().numpy() for name, value in self.state_dict().items()}

    def start(self, batch: int) -> Past:
        """Return the past of a signal that has not begun: silence."""
        config = self.config
        frames = torch.zeros(batch, config.kernel - 1, FEATURES)
        state = torch.zeros(config.layers, batch, config.hidden)
        return Past(frames, state, torch.full((batch, config.lag, 1), FLOOR_DB))

    def forward(self, levels_db: Tensor, tonality: Tensor, mask: Tensor, past: Past) -> tuple[Envelope, Past]:
        """Predict the envelope for each frame.

        Args:
            levels_db: Log band energies of the input, shape (batch, frames, bands).
            tonality: Of the input's bands (`dsp.tonality`), same shape.
            mask: 1 where a band may be trusted, shape (batch, 1 or frames, bands).
            past: From `start` or from the previous call.

        Returns:
            The envelope, frame for frame (shifted by the horizon), and the new past.
        """
        if mask.shape != levels_db.shape:
            mask = mask.expand_as(levels_db)
        reference = reference_db(levels_db, mask)
        relative = (levels_db - reference) / SPREAD_DB * mask
        near = near_crossover(torch.stack([relative, mask], -2), mask)
        loudness = (reference + CENTRE_DB) / SPREAD_DB
        tones = tones_below(tonality, mask)
        frames = torch.cat([relative, mask, loudness, near[..., 0, :], near[..., 1, :], tones], -1)
        frames = torch.cat([past.frames, frames], 1)
        references = torch.cat([past.references, reference], 1)
        entered = functional.gelu(self.enter(frames.transpose(1, 2))).transpose(1, 2)
        entered = self.drop(entered)
        recalled, state = self.recur(entered, past.state)
        mixed = functional.gelu(self.mix(torch.cat([entered, self.drop(recalled)], -1)))
        offset, tone = self.leave(self.drop(mixed)).split(BAND_COUNT, -1)
        levels = references[:, : offset.shape[1]] + SPREAD_DB * offset.clamp(-MOST_DB / 5, MOST_DB / 5)
        kept = frames[:, offset.shape[1] :]
        least = (TONE_KEPT * tones[..., :1]).clamp(max=1.0)
        return Envelope(levels, torch.maximum(torch.sigmoid(tone), least)), Past(
            kept, state, references[:, offset.shape[1] :]
        )


def reference_db(levels_db: Tensor, mask: Tensor) -> Tensor:
    """Return each frame's mean level over the trusted bands, shape (batch, frames, 1): the reference of its levels."""
    return (levels_db * mask).sum(-1, keepdim=True) / mask.sum(-1, keepdim=True).clamp(min=1.0)


def near_crossover(features: Tensor, mask: Tensor) -> Tensor:
    """Return the features of the highest trusted bands, the highest first.

    Written as a product with ones and zeros, which is few steps in a compiled graph where gathering is many.

    Args:
        features: Shape (batch, frames, kinds, bands).
        mask: 1 where a band is trusted, shape (batch, frames, bands).

    Returns:
        Shape (batch, frames, kinds, NEAR_BANDS); where fewer bands are left, the lowest stands for them.
    """
    bands = torch.arange(0.0, BAND_COUNT, device=mask.device)
    highest = (mask * bands).amax(-1, keepdim=True)
    wanted = (highest - torch.arange(0.0, NEAR_BANDS, device=mask.device)).clamp(min=0.0)
    return features @ (bands[:, None] == wanted[..., None, :]).to(features.dtype)


def tones_below(tonality: Tensor, mask: Tensor) -> Tensor:
    """Return the mean tonality of groups of trusted bands, counted down from the crossover.

    Args:
        tonality: Shape (batch, frames, bands).
        mask: 1 where a band is trusted, same shape.

    Returns:
        Shape (batch, frames, TONE_GROUPS); 0 for a group without a trusted band.
    """
    bands = torch.arange(0.0, BAND_COUNT, device=mask.device)
    below = (mask * bands).amax(-1, keepdim=True) - bands
    first = TONE_BANDS * torch.arange(0.0, TONE_GROUPS, device=mask.device)[:, None]
    inside = (below[..., None, :] >= first) & (below[..., None, :] < first + TONE_BANDS)
    weight = inside.to(mask.dtype) * mask[..., None, :]
    return (weight * tonality[..., None, :]).sum(-1) / weight.sum(-1).clamp(min=1.0)
