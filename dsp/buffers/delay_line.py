"""The tape: the newest samples of a signal, side by side, moved to the front only now and then."""

from __future__ import annotations

import numpy as np

from dsp.audio import Block
from dsp.compile import kernel

_LEAST_ROOM = 2048


class Tape:
    """Keeps at least so many of a signal's newest samples where they can be looked at without a copy.

    Args:
        channels: Rows.
        past: Samples that stay in reach, silence before there were any; what is being added comes on top.

    Attributes:
        samples: All that is held, for kernels: they are told where in it to look, by `end`.
        end: Where in `samples` the newest one's successor would lie.
    """

    def __init__(self, channels: int, past: int) -> None:
        self._past = past
        self._room = past + _LEAST_ROOM
        self.samples = np.zeros((channels, self._room), np.float32)
        self.end = past

    def take(self, block: Block) -> bool:
        """Make a block (channels, count) the newest samples and return whether all of them are numbers.

        Raises:
            ValueError: The block has another number of channels.
        """
        # A longer block than any before brings other memory: ask for the place first.
        start = self.advance(block.shape[1])
        is_finite: bool = _take(self.samples, start, block)
        return is_finite

    def advance(self, count: int) -> int:
        """Make so many samples the newest and return where in `samples` they begin, for a kernel that fills them."""
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
        kept = self.newest(self._past).copy()
        if self._past + count > self._room:
            self._room = self._past + count
            self.samples = np.zeros((len(kept), self._room), np.float32)
        self.samples[:, : self._past] = kept
        return self._past


@kernel
def _take(samples: Block, start: int, block: Block) -> bool:
    if len(block) != len(samples):
        raise ValueError("the block has another number of channels than was prepared for")
    total = np.float32(0.0)
    for channel in range(block.shape[0]):
        for i in range(block.shape[1]):
            samples[channel, start + i] = block[channel, i]
            # What is no number stays none, whatever it is multiplied by.
            total += block[channel, i] * np.float32(0.0)
    is_finite: bool = total == 0.0
    return is_finite
