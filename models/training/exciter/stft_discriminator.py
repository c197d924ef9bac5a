"""The multi-resolution discriminators of amplitude and of phase (Lu, Ai, Du and Ling 2024, AP-BWE)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor, nn

from models.exciters import torch_bands
from models.training.exciter.adversarial import Verdict
from models.training.exciter.spectrogram_discriminator import PictureDiscriminator

Look = Literal["amplitude", "phase"]
WINDOWS = (512, 1024, 2048)
_FLOOR = 1e-4


class StftDiscriminator(nn.Module):
    """One discriminator a resolution, of log amplitude or of phase.

    Args:
        look: "amplitude" or "phase".
        channels: Of the layers.
        windows: Samples of the windows; the hop is a quarter.
    """

    def __init__(self, look: Look, channels: int = 16, windows: Sequence[int] = WINDOWS) -> None:
        super().__init__()
        self.look, self.windows = look, tuple(windows)
        planes = 1 if look == "amplitude" else 2
        self.parts = nn.ModuleList(PictureDiscriminator(planes, channels) for _ in windows)

    def forward(self, signal: Tensor) -> list[Verdict]:
        """Return the verdicts on signals of shape (batch, time)."""
        return [part(self._picture(signal, size)) for part, size in zip(self.parts, self.windows, strict=True)]

    def _picture(self, signal: Tensor, size: int) -> Tensor:
        window = torch_bands.hann(size).to(signal.device)
        spectrum = torch.stft(signal, size, size // 4, window=window, return_complex=True)
        return amplitude_picture(spectrum) if self.look == "amplitude" else phase_picture(spectrum)


def amplitude_picture(spectrum: Tensor) -> Tensor:
    """Return log10 of the magnitude, not below -4, shape (batch, 1, frequencies, frames)."""
    power = spectrum.real.square() + spectrum.imag.square()
    return 0.5 * torch.log10(power + _FLOOR**2)[:, None]


def phase_picture(spectrum: Tensor) -> Tensor:
    """Return cosine and sine of the phase, shape (batch, 2, frequencies, frames).

    An angle jumps from pi to -pi where nothing happens; its cosine and sine do not. Where there is hardly any signal
    there is hardly any phase either.
    """
    magnitude = torch.sqrt(spectrum.real.square() + spectrum.imag.square() + _FLOOR**2)
    return torch.stack([spectrum.real / magnitude, spectrum.imag / magnitude], 1)
