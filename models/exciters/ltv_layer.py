"""The LTV filter of training and of learned exciters: what `dsp.ltv` does on arrays, differentiable, on whole signals.

Short minimum-phase filters with the magnitude of the band levels, cross-faded from frame to frame: the response is
never negative, there is no latency, and gradients flow to the excitation and to the levels.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from dsp import bands
from dsp.band_power import LOG_PER_DB
from dsp.gain_ramp import hop_ramp
from dsp.ltv import FilterDesign

RATE = 48000
HOP = bands.hop_samples(RATE)


class ShapingFilter(nn.Module):
    """Shapes a white excitation at 48 kHz to the levels of frames.

    Attributes:
        reach: Samples of past that a filter reaches.
    """

    def __init__(self) -> None:
        super().__init__()
        design = FilterDesign(RATE)
        self.reach, self._n_fft = design.taps - 1, design.n_fft
        arrays = {
            "log_magnitude": design.log_magnitude, "phase": design.phase, "fade": design.tables.fade,
            "ramp": hop_ramp(HOP),
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
            levels_db: Band levels as `dsp.bands` defines them, shape (batch, frames + 1, bands); frame k lies on sample
                k * HOP.

        Returns:
            Shape (batch, frames * HOP).
        """
        return self.shape(nn.functional.pad(excitation, (self.reach, 0)), levels_db)

    def shape(self, samples: Tensor, levels_db: Tensor) -> Tensor:
        """Return the shaped signal of an excitation that had begun before; see `forward`.

        Args:
            samples: `reach` samples of past, then the excitation, shape (batch or none, reach + frames * HOP).
            levels_db: Shape (batch, frames + 1, bands).
        """
        reach = self.reach
        blocks = torch.fft.rfft(samples.unfold(-1, reach + HOP, HOP), n=self._n_fft)
        filters = self._filters(levels_db * LOG_PER_DB)
        before, after = (
            torch.fft.irfft(blocks * part, n=self._n_fft)[..., reach : reach + HOP]
            for part in (filters[:, :-1], filters[:, 1:])
        )
        return torch.lerp(before, after, self.ramp).flatten(1)

    def _filters(self, gains: Tensor) -> Tensor:
        spectrum = torch.polar(torch.exp(gains @ self.log_magnitude), gains @ self.phase)
        impulse = torch.fft.irfft(spectrum, n=self._n_fft)[..., : self.reach + 1] * self.fade
        filters: Tensor = torch.fft.rfft(impulse, n=self._n_fft)
        return filters
