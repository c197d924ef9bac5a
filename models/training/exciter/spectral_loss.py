"""The spectral loss of waveforms, at many resolutions at once (Yamamoto, Song and Kim 2020; auraloss)."""

from __future__ import annotations

import torch
from auraloss.freq import MultiResolutionSTFTLoss
from torch import Tensor, nn

from models.exciters.ltv_layer import RATE

# As in the recipe of Nercessian 2022 without its shortest window, which costs as much as the longest and shows least.
_WINDOWS = [128, 256, 512, 1024, 2048]


class WaveformLoss(nn.Module):
    """Log magnitudes at all resolutions; the linear ones would see only the band that was there already."""

    def __init__(self) -> None:
        super().__init__()
        hops = [size // 4 for size in _WINDOWS]
        self.distance = MultiResolutionSTFTLoss(_WINDOWS, hops, _WINDOWS, w_sc=0.0, w_log_mag=1.0, w_lin_mag=0.0)

    def forward(self, restored: Tensor, clean: Tensor) -> Tensor:
        """Return the distance of two signals, both of shape (batch, time), a scalar."""
        distance: Tensor = self.distance(restored[:, None], clean[:, None])
        return distance


def judged_only(restored: Tensor, clean: Tensor, bandwidths_hz: Tensor) -> Tensor:
    """Return the restored signals with the clean ones' content above their true bandwidth.

    A recording can't say what is right above its own bandwidth; where both are the same, no loss and no discriminator
    finds fault with either.

    Args:
        restored: Shape (batch, time).
        clean: Same shape.
        bandwidths_hz: Shape (batch,).
    """
    time = clean.shape[-1]
    frequencies = torch.fft.rfftfreq(time, 1 / RATE, device=clean.device)
    known = frequencies < bandwidths_hz[:, None]
    spectrum = torch.where(known, torch.fft.rfft(restored), torch.fft.rfft(clean))
    mixed: Tensor = torch.fft.irfft(spectrum, n=time)
    return mixed
