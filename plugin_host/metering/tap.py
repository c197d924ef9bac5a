"""The newest samples of a signal, left by the audio thread for whoever wants to look at them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dsp.compile import kernel
from models.stage import Block


class SampleTap:
    """A ring of the newest samples, shape (channels, size); one writer, any readers, no lock.

    A reader that is overtaken sees a few samples of two different moments side by side, which no display shows.
    """

    def __init__(self, channels: int, size: int) -> None:
        self._ring = np.zeros((channels, size), np.float32)
        self._end = 0
        # Compiled here and not on the audio thread.
        self.write(np.zeros((channels, 0), np.float32))

    def write(self, block: Block) -> None:
        """Add a block (channels, samples), whatever its length."""
        self._end = _write(self._ring, self._end, block)

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


@kernel
def _write(ring: Block, end: int, block: Block) -> int:
    """Write a block behind the end, around the ring's own end, and return the new one."""
    size, count = ring.shape[1], block.shape[1]
    first = max(0, count - size)
    for channel in range(ring.shape[0]):
        place = (end + first) % size
        for i in range(first, count):
            ring[channel, place] = block[channel, i]
            place += 1
            if place == size:
                place = 0
    after: int = (end + count) % size
    return after
