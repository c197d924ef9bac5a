"""The newest samples of a signal, left by the audio thread for whoever wants to look at them."""

from __future__ import annotations

import numpy as np

from models.stage import Block


class SampleTap:
    """A ring of the newest samples, shape (channels, size); one writer, any readers, no lock.

    A reader that is overtaken sees a few samples of two different moments side by side, which no display shows.
    """

    def __init__(self, channels: int, size: int) -> None:
        self._ring = np.zeros((channels, size), np.float32)
        self._end = 0

    def write(self, block: Block) -> None:
        """Add a block (channels, samples), whatever its length."""
        size = self._ring.shape[1]
        block = block[:, -size:]
        count = block.shape[1]
        head = min(count, size - self._end)
        self._ring[:, self._end : self._end + head] = block[:, :head]
        if head < count:
            self._ring[:, : count - head] = block[:, head:]
        self._end = (self._end + count) % size

    def read(self) -> Block:
        """Return a copy of the newest samples, oldest first, silence in front until the ring is full."""
        newest: Block = np.roll(self._ring, -self._end, axis=1)
        return newest
