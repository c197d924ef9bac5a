"""What the laws of the generators are stated with."""

from __future__ import annotations

import torch
from torch import Tensor

from models.conditioning import frames_within
from models.seanet import HOP, Seanet
from models.wavenet import Wavenet

TIME = 1500
Generator = Seanet | Wavenet


def wide_awake(network: Generator) -> Generator:
    """Return a network whose conditioning, silent at first, says something."""
    for weight in network.parameters():
        if not weight.any():
            torch.nn.init.normal_(weight, std=0.1)
    return network.eval()


def heard(network: Generator) -> tuple[Tensor, Tensor | None]:
    """Return a signal and the features of its frames, as the network takes them."""
    config = network.config
    frames = torch.randn(2, config.conditioning, frames_within(0, TIME, HOP)) if config.conditioning else None
    return torch.randn(2, config.inputs, TIME), frames


def in_blocks(network: Generator, signal: Tensor, frames: Tensor | None, block: int) -> Tensor:
    """Return what a network makes of a signal that comes in blocks."""
    made, past, start = [], network.start(len(signal)), 0
    for part in signal.split(block, -1):
        told = None
        if frames is not None:
            count = frames_within(start % HOP, part.shape[-1], HOP)
            told = frames[..., start // HOP : start // HOP + count]
        out, past = network(part, past, told)
        made.append(out)
        start += part.shape[-1]
    return torch.cat(made, -1)
