"""SEANet: a convolutional encoder and decoder from waveform to waveform (Li, Tagliasacchi, Rybakov et al. 2021).

Causal and without look-ahead. With conditioning it is SEANet-2 (Nercessian, Lukin and Imort 2024): the acoustic
features reach every level by feature-wise scale and shift (FiLM, Perez et al. 2018) and not by addition alone, because
an envelope is a gain, and a chain of convolutions and ELUs has no other place where it could multiply.
The features are levels in dB, so the scale is a logarithm.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils.parametrizations import weight_norm

from models.exciters.causal_conv import CausalConv, CausalTransposed, Past, unbiased
from models.exciters.config import HOP, SeanetConfig
from models.exciters.film import Conditioning, steps_within

_EDGE_KERNEL = 7
# 26 dB either way at each level: as much as any envelope asks for, and no more than training survives.
_MOST_NEPERS = 3.0


class SeanetPast(NamedTuple):
    """What the network remembers: its layers' pasts in order, and the samples since the last frame."""

    layers: tuple[Past, ...]
    phase: int = 0


class Residual(nn.Module):
    """A residual unit: a dilated convolution and one over channels, beside the way straight through."""

    def __init__(self, channels: int, kernel: int, dilation: int) -> None:
        super().__init__()
        self.dilated = CausalConv(channels, max(1, channels // 2), kernel, dilation=dilation)
        self.mix = weight_norm(unbiased(nn.Conv1d(max(1, channels // 2), channels, 1)))

    def forward(self, signal: Tensor, past: Past) -> tuple[Tensor, Past]:
        """Return a block of the same shape, (batch, channels, time), and the new past."""
        hidden, past = self.dilated(functional.elu(signal), past)
        return signal + self.mix(functional.elu(hidden)) if signal.shape[-1] else signal, past


class Level(nn.Module):
    """The residual units at one rate, conditioned on the features by scale and shift."""

    def __init__(self, config: SeanetConfig, level: int) -> None:
        super().__init__()
        channels = config.channels[level]
        self.stride = math.prod(config.strides[:level])
        self.units = nn.ModuleList(Residual(channels, config.kernel, dilation) for dilation in config.dilations)
        features = config.conditioning
        self.film = Conditioning(features, 2 * channels, HOP // self.stride) if features else None

    def forward(self, signal: Tensor, frames: Tensor | None, phase: int, time: int, past: list[Past]) -> Tensor:
        """Return a block of the same shape; the pasts, one a unit, are replaced in place in their list."""
        if self.film is not None and frames is not None:
            scale, shift = self.film(frames, *steps_within(phase, time, self.stride)).chunk(2, 1)
            signal = signal * torch.exp(_MOST_NEPERS * torch.tanh(scale / _MOST_NEPERS)) + shift
        for place, unit in enumerate(self.units):
            signal, past[place] = unit(signal, past[place])
        return signal


class Seanet(nn.Module):
    """The generator; see the module."""

    def __init__(self, config: SeanetConfig) -> None:
        super().__init__()
        self.config = config
        depth = range(len(config.strides))
        pairs = [(config.channels[k], config.channels[k + 1], 2 * config.strides[k], config.strides[k]) for k in depth]
        self.enter = CausalConv(config.inputs, config.channels[0], _EDGE_KERNEL)
        self.encoder = nn.ModuleList(Level(config, k) for k in depth)
        self.down = nn.ModuleList(CausalConv(*pair) for pair in pairs)
        self.bottom = Level(config, len(config.strides))
        self.up = nn.ModuleList(CausalTransposed(high, low, kernel, stride) for low, high, kernel, stride in pairs)
        self.decoder = nn.ModuleList(Level(config, k) for k in depth)
        self.leave = CausalConv(config.channels[0], 1, _EDGE_KERNEL)

    def start(self, batch: int) -> SeanetPast:
        """Return the past of a signal that has not begun: silence."""
        return SeanetPast(tuple(past for group in self._groups(batch) for past in group))

    def forward(self, signal: Tensor, past: SeanetPast, frames: Tensor | None = None) -> tuple[Tensor, SeanetPast]:
        """Generate a block.

        Args:
            signal: At 48 kHz, shape (batch, inputs, time).
            past: From `start` or from the previous call.
            frames: Features of the frames from the one at or before the block to the one after its last sample, shape
                (batch, conditioning, frames); frame k lies on sample k * HOP.

        Returns:
            The generated block, shape (batch, 1, time), and the new past.
        """
        groups, phase, time = self._regrouped(past.layers), past.phase, signal.shape[-1]
        edges, downs, ups, levels = groups[0], groups[1], groups[2], groups[3:]
        now, edges[0] = self.enter(signal, edges[0])
        skips, depth = [], len(self.down)
        for k in range(depth):
            now = self.encoder[k](now, frames, phase, time, levels[k])
            skips.append(now)
            now, downs[k] = self.down[k](functional.elu(now), downs[k])
        now = self.bottom(now, frames, phase, time, levels[depth])
        for k in reversed(range(depth)):
            now, ups[k] = self.up[k](functional.elu(now), ups[k], skips[k].shape[-1])
            now = self.decoder[k](now + skips[k], frames, phase, time, levels[depth + 1 + k])
        now, edges[1] = self.leave(functional.elu(now), edges[1])
        return now, SeanetPast(tuple(layer for group in groups for layer in group), (phase + time) % HOP)

    def _groups(self, batch: int) -> list[list[Past]]:
        """Return the pasts of the edges, of what goes down, of what goes up, and of each level."""
        plain: list[list[nn.Module]] = [[self.enter, self.leave], [*self.down], [*self.up]]
        units = [[unit.dilated for unit in level.units] for level in [*self.encoder, self.bottom, *self.decoder]]
        return [[layer.start(batch) for layer in group] for group in plain + units]

    def _regrouped(self, layers: tuple[Past, ...]) -> list[list[Past]]:
        depth, units, queue = len(self.down), len(self.config.dilations), iter(layers)
        sizes = [2, depth, depth] + [units] * (2 * depth + 1)
        return [[next(queue) for _ in range(size)] for size in sizes]
