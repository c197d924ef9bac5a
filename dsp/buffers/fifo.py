"""A FIFO of samples; a delay where it starts full of silence."""

from __future__ import annotations

import numpy as np

from dsp.audio import Block


class Fifo:
    """First in, first out, in memory that never grows.

    Args:
        channels: Rows of every block.
        capacity: Most samples held at once.
        silence: Samples of silence it starts with; pushing and popping blocks of one length then delays by so many.
    """

    def __init__(self, channels: int, capacity: int, silence: int = 0) -> None:
        self._ring = np.zeros((channels, max(1, capacity)), np.float32)
        self._silence = silence
        self.clear()

    def clear(self) -> None:
        """Forget all samples, and start with the silence again."""
        self._ring.fill(0.0)
        self._read = 0
        self.held = self._silence

    def push(self, block: Block) -> None:
        """Put a block (channels, samples) at the end; raise OverflowError where it does not fit."""
        count, size = block.shape[1], self._ring.shape[1]
        if self.held + count > size:
            raise OverflowError(f"a FIFO of {size} samples has no room for {count} beside its {self.held}")
        start = (self._read + self.held) % size
        head = min(count, size - start)
        self._ring[:, start : start + head] = block[:, :head]
        self._ring[:, : count - head] = block[:, head:]
        self.held += count

    def pop(self, count: int) -> Block:
        """Remove and return the oldest `count` samples, shape (channels, count); silence stands for missing ones."""
        size, present = self._ring.shape[1], min(count, self.held)
        out = np.zeros((self._ring.shape[0], count), np.float32)
        missing = count - present
        head = min(present, size - self._read)
        out[:, missing : missing + head] = self._ring[:, self._read : self._read + head]
        out[:, missing + head :] = self._ring[:, : present - head]
        self._read = (self._read + present) % size
        self.held -= present
        return out
