"""The multi-resolution spectral loss: how far noise of the predicted envelope is from noise of the true one.

Both filters shape the same noise, so the distance is the envelope's alone, judged at many resolutions of time and
frequency at once (Yamamoto, Song and Kim 2020; auraloss, Steinmetz and Reiss 2020).
"""

from __future__ import annotations

import torch
from auraloss.freq import MultiResolutionSTFTLoss
from torch import Tensor, nn

from dsp import exciter
from models.exciters.ltv_layer import HOP, ShapingFilter

# As in the recipe of Nercessian 2022: windows of 64 to 2048 samples, three quarters overlapping.
_WINDOWS = [64, 128, 256, 512, 1024, 2048]


class SpectralLoss(nn.Module):
    """Renders both envelopes at 48 kHz and compares the sounds."""

    def __init__(self) -> None:
        super().__init__()
        self.filter = ShapingFilter()
        self.register_buffer("noise", torch.from_numpy(exciter.noise_table()), persistent=False)
        self.distance = MultiResolutionSTFTLoss(_WINDOWS, [size // 4 for size in _WINDOWS], _WINDOWS)

    noise: Tensor

    def forward(self, predicted_db: Tensor, target_db: Tensor, weight: Tensor) -> Tensor:
        """Return the distance of two envelopes, a scalar.

        Args:
            predicted_db: Shape (batch, frames, bands).
            target_db: Same shape.
            weight: 1 for judged bands, shape (batch, 1, bands); the others count as exactly right.
        """
        mixed = torch.where(weight > 0, predicted_db, target_db)
        distance: Tensor = self.distance(self.render(mixed)[:, None], self.render(target_db)[:, None])
        return distance

    def render(self, levels_db: Tensor) -> Tensor:
        """Return noise through the LTV filter as `dsp.ltv` applies it, shape (batch, time); gradients flow through."""
        noise = self.noise[: (levels_db.shape[1] - 1) * HOP + self.filter.reach]
        rendered: Tensor = self.filter.shape(noise, levels_db)
        return rendered
