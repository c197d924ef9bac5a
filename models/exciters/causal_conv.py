"""Causal convolutions with an explicit past: a signal cut into blocks anywhere gives the same samples.

A step of a strided layer depends on nothing newer than the sample it stands on, and a transposed layer spreads a step
over the samples from there on, so a network of them has no look-ahead whatever its strides: between two steps of a deep
layer it is the shallow ones that depend on the newest samples.
"""

from __future__ import annotations

from typing import NamedTuple, TypeVar

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils.parametrizations import weight_norm
from torch.nn.utils.parametrize import is_parametrized, remove_parametrizations

_Network = TypeVar("_Network", bound=nn.Module)


class Past(NamedTuple):
    """What a layer remembers.

    Attributes:
        samples: Shape (batch, channels, reach).
        phase: Samples since the layer's last step, modulo its stride.
    """

    samples: Tensor
    phase: int = 0


def unbiased(conv: nn.Conv1d) -> nn.Conv1d:
    """Return a convolution whose bias begins at zero.

    Random ones would come out of strided layers as a buzz that never changes, and a network in search of a white
    spectrum would rather tune that than listen.
    """
    if conv.bias is not None:
        nn.init.zeros_(conv.bias)
    return conv


def folded(network: _Network) -> _Network:
    """Return a network, changed in place, whose weights are no longer normalised anew at each call: for playing."""
    for module in network.modules():
        if is_parametrized(module, "weight"):
            remove_parametrizations(module, "weight")
    return network.eval()


class CausalConv(nn.Module):
    """A weight-normalised convolution over the present and the past (Salimans and Kingma 2016).

    Args:
        inputs, outputs: Channels.
        kernel: Taps.
        stride: Samples from one output to the next; outputs stand on every stride-th sample from the first on.
        dilation: Samples from one tap to the next.
    """

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int = 1, dilation: int = 1) -> None:
        super().__init__()
        self.conv = weight_norm(unbiased(nn.Conv1d(inputs, outputs, kernel, stride, dilation=dilation)))
        self.inputs, self.outputs, self.stride = inputs, outputs, stride
        self.reach = (kernel - 1) * dilation

    def start(self, batch: int) -> Past:
        """Return the past of a signal that has not begun: silence."""
        weight = self.conv.weight
        return Past(torch.zeros(batch, self.inputs, self.reach, dtype=weight.dtype, device=weight.device))

    def forward(self, signal: Tensor, past: Past) -> tuple[Tensor, Past]:
        """Return the outputs that fall into a block, and the new past.

        Args:
            signal: Shape (batch, inputs, time).
            past: From `start` or from the previous call.

        Returns:
            Shape (batch, outputs, steps); without a stride there are as many steps as samples.
        """
        whole = torch.cat([past.samples, signal], -1) if self.reach else signal
        time, first = signal.shape[-1], -past.phase % self.stride
        steps = self.conv(whole[..., first:]) if first < time else signal.new_zeros(len(signal), self.outputs, 0)
        return steps, Past(whole[..., whole.shape[-1] - self.reach :], (past.phase + time) % self.stride)


class CausalTransposed(nn.Module):
    """A weight-normalised transposed convolution; each step sounds from its own sample on.

    Args:
        inputs, outputs: Channels.
        kernel: Samples that a step sounds, at least the stride.
        stride: Samples from one step to the next.
    """

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int) -> None:
        super().__init__()
        self.conv = weight_norm(nn.ConvTranspose1d(inputs, outputs, kernel, stride, bias=False), dim=1)
        # The bias is added once to each sample, however many steps sound in it.
        self.bias = nn.Parameter(torch.zeros(outputs, 1))
        self.outputs, self.kernel, self.stride = outputs, kernel, stride

    def start(self, batch: int) -> Past:
        """Return the past of a signal that has not begun: nothing sounds on."""
        return Past(torch.zeros(batch, self.outputs, self.kernel, dtype=self.bias.dtype, device=self.bias.device))

    def forward(self, steps: Tensor, past: Past, time: int) -> tuple[Tensor, Past]:
        """Return a block of samples and the new past.

        Args:
            steps: Those that fall into the block, shape (batch, inputs, steps).
            past: From `start` or from the previous call.
            time: Samples of the block.

        Returns:
            Shape (batch, outputs, time).
        """
        sounding = functional.pad(past.samples, (0, time))
        if steps.shape[-1]:
            steps, first = self.conv(steps), -past.phase % self.stride
            sounding = sounding + functional.pad(steps, (first, sounding.shape[-1] - first - steps.shape[-1]))
        return sounding[..., :time] + self.bias, Past(sounding[..., time:], (past.phase + time) % self.stride)
