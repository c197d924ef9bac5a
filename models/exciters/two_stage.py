"""The two-stage extender with a network as its exciter (Nercessian, Lukin and Imort 2024), and its baselines.

Two stages: the network makes an excitation that is white above the crossover, the LTV filter shapes it to the acoustic
features. A baseline is the same network without the filter: it generates the missing band itself. Both are
high-passed at the crossover and added to the input, so what was there stays, and both are causal without latency.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import torch
from torch import Tensor, nn

from dsp import bands, crossover
from dsp.exciter import noise_table
from models.exciters import torch_bands
from models.exciters.config import NetworkConfig
from models.exciters.ltv_layer import HOP, RATE, ShapingFilter
from models.exciters.player import entering, network_of

# A network's output is about 1 at first; what is missing lies some 30 dB below full scale.
_BASELINE_GAIN = 10 ** (-30 / 20)
# Levels enter as (dB + 60) / 20, as they do in the predictor.
_CENTRE_DB, _SPREAD_DB = 60.0, 20.0


@dataclass(frozen=True)
class LearnedConfig:
    """What a learned extender is made of.

    Attributes:
        network: Sizes of the exciter; its type decides which network it is.
        filtered: Whether the LTV filter shapes what it makes; without it the network is a baseline.
    """

    network: NetworkConfig
    filtered: bool


class Generated(NamedTuple):
    """What an extender made: the network's output as it is, and the input with the band added, (batch, time) each."""

    excitation: Tensor
    restored: Tensor


class LearnedExtender(nn.Module):
    """The network, the filter and the crossover; see the module."""

    def __init__(self, config: LearnedConfig) -> None:
        super().__init__()
        self.config = config
        self.network = network_of(config.network)
        self.shape = ShapingFilter() if config.filtered else None
        self.register_buffer("noise", torch.from_numpy(noise_table()), persistent=False)

    noise: Tensor

    def forward(
        self, degraded: Tensor, levels_db: Tensor, crossovers_hz: Sequence[float], noise_at: int = 0
    ) -> Generated:
        """Extend whole signals at 48 kHz.

        Args:
            degraded: Shape (batch, frames * HOP).
            levels_db: Acoustic features of the missing band, shape (batch, frames + 1, bands); what they say of bands
                below the crossover is not used.
            crossovers_hz: Of each signal.
            noise_at: Where in the table of noise the signals begin.

        Returns:
            The excitation, in the scale in which white is 0 dB in every band, and the restored signal.
        """
        if degraded.shape[1] % HOP or levels_db.shape[1] != degraded.shape[1] // HOP + 1:
            raise ValueError(f"a signal of n * {HOP} samples goes with n + 1 frames of features")
        excitation = self.excite(degraded, levels_db, crossovers_hz, noise_at)
        return Generated(excitation, self.finish(degraded, excitation, levels_db, crossovers_hz))

    def excite(self, degraded: Tensor, levels_db: Tensor, crossovers_hz: Sequence[float], noise_at: int = 0) -> Tensor:
        """Return what the network makes of the signals, shape (batch, time)."""
        config = self.network.config
        signal = entering(degraded, self.noise, config.inputs, noise_at)
        frames = _conditioning(levels_db, crossovers_hz).transpose(1, 2) if config.conditioning else None
        output, _ = self.network(signal, self.network.start(len(signal)), frames)
        excitation: Tensor = output[:, 0].float()
        return excitation

    def finish(self, degraded: Tensor, excitation: Tensor, levels_db: Tensor, crossovers_hz: Sequence[float]) -> Tensor:
        """Return the input with the shaped and high-passed excitation added, shape (batch, time)."""
        if self.shape is not None:
            band = self.shape(excitation, _held(levels_db, crossovers_hz))
        else:
            band = _BASELINE_GAIN * excitation
        return degraded + high_passed(band, crossovers_hz)


def high_passed(band: Tensor, crossovers_hz: Sequence[float]) -> Tensor:
    """Return signals without what lies below their crossovers; causal, shape (batch, time)."""
    taps = torch.stack([_high_pass(crossover.nearest_step(edge)) for edge in crossovers_hz]).to(band.device)
    size = bands.fft_size(band.shape[1] + taps.shape[1] - 1)
    product = torch.fft.rfft(band, n=size) * torch.fft.rfft(taps, n=size)
    filtered: Tensor = torch.fft.irfft(product, n=size)[:, : band.shape[1]]
    return filtered


def above(crossovers_hz: Sequence[float]) -> Tensor:
    """Return 1 for bands that reach above the crossovers, else 0; shape (batch, 1, bands)."""
    return torch.stack([1 - torch_bands.band_mask(RATE, 0.0, edge) for edge in crossovers_hz])[:, None]


@lru_cache(maxsize=256)
def _high_pass(step: int) -> Tensor:
    return torch.from_numpy(crossover.high_pass(crossover.step_hz(step), RATE))


def _conditioning(levels_db: Tensor, crossovers_hz: Sequence[float]) -> Tensor:
    return (levels_db + _CENTRE_DB) / _SPREAD_DB * above(crossovers_hz).to(levels_db.device)


def _held(levels_db: Tensor, crossovers_hz: Sequence[float]) -> Tensor:
    """Return levels whose bands below the crossover repeat the first one above: nothing of them gets through."""
    first = above(crossovers_hz).argmax(-1, keepdim=True).to(levels_db.device)
    index = torch.maximum(torch.arange(bands.BAND_COUNT, device=levels_db.device), first)
    return levels_db.gather(-1, index.expand_as(levels_db))
