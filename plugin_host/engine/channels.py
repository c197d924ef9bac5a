"""Between a device's channels and the chain's, frames first on one side and channels first on the other."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from models.stage import Block


def chain_channels(inputs: int, outputs: int) -> int:
    """Return the number of channels worth processing between so many inputs and outputs."""
    return min(inputs, outputs)


def fold(frames: NDArray[np.float32], block: Block) -> None:
    """Fill a block (channels, samples) from frames (samples, inputs).

    One channel takes the mean of all inputs, one input goes to all channels; else inputs without a channel are left
    out and channels without an input are silent.
    """
    inputs, channels = frames.shape[1], len(block)
    if inputs == channels or inputs == 1:
        block[:] = frames.T
    elif channels == 1:
        np.mean(frames, axis=1, out=block[0])
    else:
        shared = min(inputs, channels)
        block[:shared] = frames.T[:shared]
        if shared < channels:
            block[shared:] = 0.0


def spread(block: Block, frames: NDArray[np.float32]) -> None:
    """Fill frames (samples, outputs) from a block (channels, samples), by the rules of `fold`."""
    channels, outputs = len(block), frames.shape[1]
    if channels == outputs or channels == 1:
        frames[:] = block.T
    elif outputs == 1:
        np.mean(block, axis=0, out=frames[:, 0])
    else:
        shared = min(channels, outputs)
        frames[:, :shared] = block.T[:, :shared]
        if shared < outputs:
            frames[:, shared:] = 0.0
