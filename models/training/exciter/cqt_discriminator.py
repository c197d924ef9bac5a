"""The multi-scale sub-band constant-Q discriminator (Gu, Zhang, Xue and Wu 2023, MS-SB-CQT).

A constant-Q transform sees pitched sounds alike in every octave. Each octave is brought into step by layers of its own
before all are judged together, and there is one discriminator for each number of bins an octave.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils.parametrizations import weight_norm

from models.exciters.ltv_layer import RATE
from models.training.exciter.adversarial import Verdict
from models.training.exciter.spectrogram_discriminator import PictureDiscriminator

BINS_PER_OCTAVE = (12, 24, 36)
OCTAVES = 5
# Five octaves up to Nyquist: all that is generated and two octaves of what it goes on from.
LOWEST_HZ = RATE / 2 / 2**OCTAVES
_HOP = 256
_GAIN = 10.0


class ConstantQ(nn.Module):
    """A constant-Q transform by windowed complex exponentials (Brown 1991), differentiable.

    Args:
        bins_per_octave: Bins of an octave; the window of each is long enough to resolve it from its neighbours.
        octaves: How many.
    """

    def __init__(self, bins_per_octave: int, octaves: int = OCTAVES) -> None:
        super().__init__()
        self.register_buffer("kernels", _kernels(bins_per_octave, octaves), persistent=False)

    kernels: Tensor

    def forward(self, signal: Tensor) -> Tensor:
        """Return real and imaginary part of signals of shape (batch, time), shape (batch, 2, bins, frames)."""
        reach = self.kernels.shape[-1] // 2
        both = functional.conv1d(signal[:, None], self.kernels, stride=_HOP, padding=reach)
        parts: Tensor = both.unflatten(1, (2, -1))
        return parts


def _kernels(bins_per_octave: int, octaves: int) -> Tensor:
    """Return cosines, then sines, under centred Hann windows that sum to 1, shape (2 * bins, 1, samples)."""
    quality = 1 / (2 ** (1 / bins_per_octave) - 1)
    # Half a bin up, so that the highest stays below Nyquist.
    places = (torch.arange(octaves * bins_per_octave, dtype=torch.float64) + 0.5) / bins_per_octave
    frequencies = LOWEST_HZ * 2**places
    longest = 2 * math.ceil(quality * RATE / float(frequencies[0]) / 2) + 1
    time = (torch.arange(longest, dtype=torch.float64) - longest // 2) / RATE
    phase = frequencies[:, None] * time
    window = torch.where(phase.abs() < quality / 2, 0.5 + 0.5 * torch.cos(2 * math.pi * phase / quality), 0.0)
    window = window / window.sum(1, keepdim=True)
    parts = torch.cat([window * torch.cos(2 * math.pi * phase), -window * torch.sin(2 * math.pi * phase)])
    return parts[:, None].float()


class ConstantQDiscriminator(nn.Module):
    """One scale: the transform, layers for each octave, and a judge of the picture."""

    def __init__(self, bins_per_octave: int, channels: int, octaves: int = OCTAVES) -> None:
        super().__init__()
        self.transform, self.octaves = ConstantQ(bins_per_octave, octaves), octaves
        self.align = nn.ModuleList(weight_norm(nn.Conv2d(2, 2, 3, padding=1)) for _ in range(octaves))
        self.judge = PictureDiscriminator(2, channels)

    def forward(self, signal: Tensor) -> Verdict:
        """Judge signals of shape (batch, time)."""
        picture = _GAIN * self.transform(signal)
        parts = [align(part) for align, part in zip(self.align, picture.chunk(self.octaves, 2), strict=True)]
        verdict: Verdict = self.judge(torch.cat(parts, 2))
        return verdict


class MultiScaleConstantQ(nn.Module):
    """One discriminator for each number of bins an octave."""

    def __init__(self, channels: int = 16, bins_per_octave: Sequence[int] = BINS_PER_OCTAVE) -> None:
        super().__init__()
        self.parts = nn.ModuleList(ConstantQDiscriminator(bins, channels) for bins in bins_per_octave)

    def forward(self, signal: Tensor) -> list[Verdict]:
        """Return the verdicts on signals of shape (batch, time)."""
        return [part(signal) for part in self.parts]
