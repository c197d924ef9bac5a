"""What the laws of the generators are stated with."""

from __future__ import annotations

import torch
from torch import Tensor

from models.exciters.config import HOP, SeanetConfig, WavenetConfig
from models.exciters.seanet import Seanet
from models.exciters.wavenet import Wavenet

TIME = 1500
Generator = Seanet | Wavenet
Config = SeanetConfig | WavenetConfig
SEANETS: dict[str, Config] = {
    "SEANet": SeanetConfig(channels=(4, 6, 8, 10, 12)),
    "SEANet-2": SeanetConfig(channels=(4, 6, 8, 10, 12), conditioning=7),
    "SEANet-2 with noise": SeanetConfig(inputs=2, channels=(4, 6, 8), strides=(2, 8), conditioning=7),
}
WAVENETS: dict[str, Config] = {
    "WaveNet": WavenetConfig(channels=16, dilations=(1, 2, 4, 8)),
    "conditioned WaveNet": WavenetConfig(channels=16, dilations=(1, 2, 4, 8), conditioning=7),
    "strided WaveNet with noise": WavenetConfig(
        inputs=2, channels=16, dilations=(1, 2, 4, 8), stride=4, conditioning=7
    ),
}


def frames_within(phase: int, time: int, hop: int) -> int:
    """Return how many frames a block needs, from the one before it to the one after its last sample."""
    return (phase + max(time, 1) - 1) // hop + 2


def generator(config: Config) -> Generator:
    """Return a network of these sizes, wide awake."""
    return wide_awake(Seanet(config) if isinstance(config, SeanetConfig) else Wavenet(config))


def wide_awake(network: Generator) -> Generator:
    """Return a network whose conditioning, silent at first, says something."""
    for weight in network.parameters():
        if not weight.any():
            torch.nn.init.normal_(weight, std=0.1)
    return network.eval()


def inputs(network: Generator) -> tuple[Tensor, Tensor | None]:
    """Return a signal and the features of its frames, as the network takes them."""
    config = network.config
    frames = torch.randn(2, config.conditioning, frames_within(0, TIME, HOP)) if config.conditioning else None
    return torch.randn(2, config.inputs, TIME), frames


def in_blocks(network: Generator, signal: Tensor, frames: Tensor | None, block: int) -> Tensor:
    """Return what a network makes of a signal that comes in blocks."""
    parts, past, start = [], network.start(len(signal)), 0
    for part in signal.split(block, -1):
        features = None
        if frames is not None:
            count = frames_within(start % HOP, part.shape[-1], HOP)
            features = frames[..., start // HOP : start // HOP + count]
        out, past = network(part, past, features)
        parts.append(out)
        start += part.shape[-1]
    return torch.cat(parts, -1)
