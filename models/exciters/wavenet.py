"""The WaveNet-type generator of HiFi-GAN: gated dilated convolutions, all samples at once (Su et al. 2020).

Causal here, without look-ahead. With conditioning it is that of HiFi-GAN-2 (Su, Jin and Finkelstein 2021): the acoustic
features are added inside the gates of every layer, which is WaveNet's own local conditioning; the gate turns the sum
into a gain, so that no other multiplication is needed.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils.parametrizations import weight_norm

from models.exciters.causal_conv import CausalConv, CausalTransposed, Past, unbiased
from models.exciters.config import HOP, WavenetConfig
from models.exciters.film import Conditioning, steps_within


class WavenetPast(NamedTuple):
    """What the network remembers: its layers' pasts in order, and the samples since the last frame."""

    layers: tuple[Past, ...]
    phase: int = 0


class Gated(nn.Module):
    """One layer: a dilated convolution, a gate, and a share for the way on and one for the way out."""

    def __init__(self, config: WavenetConfig, dilation: int) -> None:
        super().__init__()
        width, features = config.channels, config.conditioning
        self.dilated = CausalConv(width, 2 * width, config.kernel, dilation=dilation)
        # Checkpoints call it so.
        self.told = Conditioning(features, 2 * width, HOP // config.stride) if features else None
        self.share = weight_norm(unbiased(nn.Conv1d(width, 2 * width, 1)))

    def forward(
        self, now: Tensor, frames: Tensor | None, steps: tuple[int, int], past: Past
    ) -> tuple[Tensor, Tensor, Past]:
        """Return what goes on and what goes out, both of shape (batch, channels, steps), and the new past."""
        hidden, past = self.dilated(now, past)
        if self.told is not None and frames is not None:
            hidden = hidden + self.told(frames, *steps)
        value, gate = hidden.chunk(2, 1)
        on, out = self.share(torch.tanh(value) * torch.sigmoid(gate)).chunk(2, 1)
        return now + on, out, past


class Wavenet(nn.Module):
    """The generator; see the module."""

    def __init__(self, config: WavenetConfig) -> None:
        super().__init__()
        self.config = config
        width, reach = config.channels, 2 * config.stride
        self.enter = CausalConv(config.inputs, width, reach, config.stride)
        self.layers = nn.ModuleList(Gated(config, dilation) for dilation in config.dilations * config.stacks)
        self.mix = weight_norm(unbiased(nn.Conv1d(width, width, 1)))
        self.leave = CausalTransposed(width, 1, reach, config.stride)

    def start(self, batch: int) -> WavenetPast:
        """Return the past of a signal that has not begun: silence."""
        gated = [layer.dilated.start(batch) for layer in self.layers]  # type: ignore[union-attr, operator]
        return WavenetPast((self.enter.start(batch), *gated, self.leave.start(batch)))

    def forward(self, signal: Tensor, past: WavenetPast, frames: Tensor | None = None) -> tuple[Tensor, WavenetPast]:
        """Generate a block; arguments and results are those of `models.exciters.seanet.Seanet`."""
        pasts, time = list(past.layers), signal.shape[-1]
        now, pasts[0] = self.enter(signal, pasts[0])
        if now.shape[-1]:
            now = self._through(now, frames, steps_within(past.phase, time, self.config.stride), pasts)
        output, pasts[-1] = self.leave(now, pasts[-1], time)
        return output, WavenetPast(tuple(pasts), (past.phase + time) % HOP)

    def _through(self, now: Tensor, frames: Tensor | None, steps: tuple[int, int], pasts: list[Past]) -> Tensor:
        total = torch.zeros_like(now)
        for place, layer in enumerate(self.layers, start=1):
            now, out, pasts[place] = layer(now, frames, steps, pasts[place])
            total = total + out
        mixed: Tensor = self.mix(functional.relu(total * len(self.layers) ** -0.5))
        return functional.relu(mixed)
