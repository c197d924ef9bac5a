"""The LTV filter of a learned exciter: what `dsp.ltv` does on arrays, differentiable and for whole signals.

Short minimum-phase filters with the magnitude of the band levels, cross-faded from frame to frame: the response is
never negative, there is no latency, and gradients flow to the excitation and to the levels.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from dsp import bands
from dsp.band_power import LOG_PER_DB
from dsp.ltv import FilterDesign, hop_ramp

RATE = 48000
HOP = bands.hop_samples(RATE)


class ShapingFilter(nn.Module):
    """Shapes a white excitation at 48 kHz to the levels of frames."""

    def __init__(self) -> None:
        super().__init__()
        design = FilterDesign(RATE)
        self._taps, self._n_fft = design.taps, design.n_fft
        arrays = {
            "log_magnitude": design.log_magnitude, "phase": design.phase, "fade": design.fade, "ramp": hop_ramp(HOP),
        }  # fmt: skip
        for name, values in arrays.items():
            self.register_buffer(name, torch.from_numpy(values), persistent=False)

    log_magnitude: Tensor
    phase: Tensor
    fade: Tensor
    ramp: Tensor

    def forward(self, excitation: Tensor, levels_db: Tensor) -> Tensor:
        """Return the shaped signal.

        Args:
            excitation: White, of unit variance (0 dB in every band), shape (batch, frames * HOP).
            levels_db: Band levels as `dsp.bands` tells them, shape (batch, frames + 1, bands); frame k lies on sample
                k * HOP.

        Returns:
            Shape (batch, frames * HOP).
        """
        reach = self._taps - 1
        heard = nn.functional.pad(excitation, (reach, 0)).unfold(-1, reach + HOP, HOP)
        blocks = torch.fft.rfft(heard, n=self._n_fft)
        filters = self._filters(levels_db * LOG_PER_DB)
        before, after = (
            torch.fft.irfft(blocks * part, n=self._n_fft)[..., reach : reach + HOP]
            for part in (filters[:, :-1], filters[:, 1:])
        )
        return torch.lerp(before, after, self.ramp).flatten(1)

    def _filters(self, gains: Tensor) -> Tensor:
        spectrum = torch.polar(torch.exp(gains @ self.log_magnitude), gains @ self.phase)
        impulse = torch.fft.irfft(spectrum, n=self._n_fft)[..., : self._taps] * self.fade
        filters: Tensor = torch.fft.rfft(impulse, n=self._n_fft)
        return filters
