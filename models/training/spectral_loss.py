"""The multi-resolution spectral loss: how far noise of the predicted envelope is from noise of the true one.

Both filters shape the same noise, so the distance is the envelope's alone, judged at many resolutions of time and
frequency at once (Yamamoto, Song and Kim 2020; auraloss, Steinmetz and Reiss 2020).
"""

from __future__ import annotations

import torch
from auraloss.freq import MultiResolutionSTFTLoss
from torch import Tensor, nn

from dsp import bands, exciter
from dsp.band_power import LOG_PER_DB
from dsp.ltv import FilterDesign, hop_ramp

_RATE = 48000
# As in the recipe of Nercessian 2022: windows of 64 to 2048 samples, three quarters overlapping.
_WINDOWS = [64, 128, 256, 512, 1024, 2048]


class SpectralLoss(nn.Module):
    """Renders both envelopes at 48 kHz and compares the sounds."""

    def __init__(self) -> None:
        super().__init__()
        self._hop, design = bands.hop_samples(_RATE), FilterDesign(_RATE)
        self._taps, self._n_fft = design.taps, design.n_fft
        constants = {
            "log_magnitude": design.log_magnitude,
            "phase": design.phase,
            "fade": design.fade,
            "ramp": hop_ramp(self._hop),
            "noise": exciter.noise_table(),
        }
        for name, values in constants.items():
            self.register_buffer(name, torch.from_numpy(values), persistent=False)
        self.distance = MultiResolutionSTFTLoss(_WINDOWS, [size // 4 for size in _WINDOWS], _WINDOWS)

    log_magnitude: Tensor
    phase: Tensor
    fade: Tensor
    ramp: Tensor
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
        reach = self._taps - 1
        noise = self.noise[: (levels_db.shape[1] - 1) * self._hop + reach]
        blocks = torch.fft.rfft(noise.unfold(-1, reach + self._hop, self._hop), n=self._n_fft)
        filters = self._filters(levels_db * LOG_PER_DB)
        before, after = (
            torch.fft.irfft(blocks * part, n=self._n_fft)[..., reach : reach + self._hop]
            for part in (filters[:, :-1], filters[:, 1:])
        )
        return torch.lerp(before, after, self.ramp).flatten(1)

    def _filters(self, gains: Tensor) -> Tensor:
        spectrum = torch.polar(torch.exp(gains @ self.log_magnitude), gains @ self.phase)
        impulse = torch.fft.irfft(spectrum, n=self._n_fft)[..., : self._taps] * self.fade
        filters: Tensor = torch.fft.rfft(impulse, n=self._n_fft)
        return filters
