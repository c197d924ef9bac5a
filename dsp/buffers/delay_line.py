"""A delay line: the newest samples of a signal, side by side, moved to the front only now and then."""

from __future__ import annotations

import numpy as np

from dsp.audio import Block
from dsp.buffers.finite import is_finite
from dsp.compile import kernel

_LEAST_ROOM = 2048


class DelayLine:
    """Keeps at least so many of a signal's newest samples where they can be read without a copy.

    Args:
        channels: Rows.
        past: Samples that stay in reach, silence before there were any; the block that is appended comes on top.

    Attributes:
        samples: The memory, for kernels; positions in it count from `end`.
        end: Index in `samples` behind the newest sample.
    """

    STATE = ("samples", "end", "_room")

    def __init__(self, channels: int, past: int) -> None:
        self._past = past
        self._room = past + _LEAST_ROOM
        self.samples = np.zeros((channels, self._room), np.float32)
        self.end = past

    def append(self, block: Block) -> bool:
        """Make a block (channels, count) the newest samples and return whether all of them are finite.

        Raises:
            ValueError: The block has another number of channels.
        """
        if len(block) != len(self.samples):
            raise ValueError("the block has another number of channels than was prepared for")
        # A longer block than any before brings other memory: ask for the place first.
        start = self.advance(block.shape[1])
        return _write_finite(block, self.samples, start)

    def advance(self, count: int) -> int:
        """Make so many samples the newest and return the index of the first, for a kernel that writes them."""
        start = self.end
        if start + count > self._room:
            start = self._rewind(count)
        self.end = start + count
        return start

    def newest(self, count: int, before: int = 0) -> Block:
        """Return a view of the `count` samples that end `before` samples before the end."""
        end = self.end - before
        return self.samples[:, end - count : end]

    def _rewind(self, count: int) -> int:
        """Move what stays in reach to the front, and return where it ends."""
        kept = self.samples[:, self.end - self._past : self.end].copy()
        if self._past + count > self._room:
            self._room = self._past + count
            self.samples = np.zeros((len(kept), self._room), np.float32)
        self.samples[:, : self._past] = kept
        return self._past


@kernel
def _write_finite(block: Block, target: Block, start: int) -> bool:
    """Write a block (channels, count) into a longer signal, and return whether no sample is NaN or infinite."""
    for channel in range(block.shape[0]):
        for i in range(block.shape[1]):
            target[channel, start + i] = block[channel, i]
    return is_finite(block)
