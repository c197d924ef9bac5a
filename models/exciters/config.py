"""Sizes of the learned exciters; without torch, so that a manifest can be read and an extender described alone."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

# Samples from one frame of acoustic features to the next, at 48 kHz.
HOP = 256


@dataclass(frozen=True)
class SeanetConfig:
    """Sizes of the network.

    Attributes:
        inputs: Channels that go in: the signal, and a noise beside it if there are two.
        channels: Of the levels, from the signal's rate down.
        strides: Between the levels.
        dilations: Of the residual units of a level, one each.
        kernel: Taps of a residual unit.
        conditioning: Acoustic features of a frame; 0 for the plain SEANet.
    """

    inputs: int = 1
    channels: tuple[int, ...] = (8, 16, 32, 64, 128)
    strides: tuple[int, ...] = (2, 2, 8, 8)
    dilations: tuple[int, ...] = (1, 3, 9)
    kernel: int = 3
    conditioning: int = 0

    def __post_init__(self) -> None:
        if len(self.channels) != len(self.strides) + 1:
            raise ValueError("channels must name one level more than there are strides")
        if HOP % math.prod(self.strides):
            raise ValueError(f"the strides must multiply to a divisor of {HOP}, the samples from frame to frame")


@dataclass(frozen=True)
class WavenetConfig:
    """Sizes of the network.

    Attributes:
        inputs: Channels that go in: the signal, and a noise beside it if there are two.
        channels: Of each layer.
        dilations: Of the layers of a stack.
        stacks: How often they come again.
        kernel: Taps of a layer.
        stride: Samples that one step of the layers stands for; 1 as published, more for less work. It still generates
            every sample of the full band.
        conditioning: Acoustic features of a frame; 0 for the plain generator.
    """

    inputs: int = 1
    channels: int = 32
    dilations: tuple[int, ...] = (1, 2, 4, 8, 16, 32, 64)
    stacks: int = 2
    kernel: int = 3
    stride: int = 1
    conditioning: int = 0

    def __post_init__(self) -> None:
        if self.stride < 1 or HOP % self.stride:
            raise ValueError(f"the stride must divide {HOP}, the samples from frame to frame")


NetworkConfig = SeanetConfig | WavenetConfig
CONFIGS: Mapping[str, type[NetworkConfig]] = {"seanet": SeanetConfig, "wavenet": WavenetConfig}
