"""The newest samples of a signal, left by the audio thread for whoever wants to look at them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

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

    def read(self, count: int | None = None) -> Block:
        """Return a copy of the newest samples, oldest first, silence in front until the ring is full.

        Args:
            count: How many, at most the ring's size; by default all that it holds.
        """
        end = self._end
        begin = end - (self._ring.shape[1] if count is None else count)
        if begin >= 0:
            return self._ring[:, begin:end].copy()
        return np.concatenate((self._ring[:, begin:], self._ring[:, :end]), axis=1)

    def power(self) -> NDArray[np.float32]:
        """Return each channel's mean square over all that the ring holds, shape (channels,); order does not count."""
        mean: NDArray[np.float32] = np.einsum("cs,cs->c", self._ring, self._ring) / self._ring.shape[1]
        return mean
