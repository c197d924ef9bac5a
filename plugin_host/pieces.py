"""A block that is longer than a stage was prepared for, played in pieces that are not."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from models.stage import Block

Process = Callable[[Block, Mapping[str, float]], Block]


def in_pieces(process: Process, block: Block, settings: Mapping[str, float], most: int) -> Block:
    """Return what comes of a block (channels, samples), at most so many samples of it at once."""
    if block.shape[1] <= most:
        return process(block, settings)
    starts = range(0, block.shape[1], most)
    return np.concatenate([process(block[:, start : start + most], settings) for start in starts], axis=1)
