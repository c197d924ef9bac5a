"""A ring buffer of samples between two threads: one writes, one reads, neither waits."""

from __future__ import annotations

from collections import deque

import numpy as np

from dsp.audio import Block


class RingBuffer:
    """First in, first out, for one writing and one reading thread; samples that do not fit are counted and dropped.

    Attributes:
        lost: Number of samples that did not fit so far.
    """

    def __init__(self, channels: int, capacity: int) -> None:
        self._ring = np.zeros((channels, capacity), np.float32)
        # Each thread moves its own count alone, so neither needs a lock.
        self._written = self._read = 0
        self.lost = self._gap = 0
        self._gaps: deque[tuple[int, int]] = deque()

    def push(self, *blocks: Block) -> None:
        """Write blocks (channels, samples) of one length under each other; belongs to the writer."""
        count, size = blocks[0].shape[1], self._ring.shape[1]
        if self._written - self._read + count > size:
            self.lost += count
            self._gap += count
            return
        if self._gap:
            self._gaps.append((self._written, self._gap))
            self._gap = 0
        start = self._written % size
        head = min(count, size - start)
        row = 0
        for block in blocks:
            rows = self._ring[row : row + block.shape[0]]
            rows[:, start : start + head] = block[:, :head]
            rows[:, : count - head] = block[:, head:]
            row += block.shape[0]
        self._written += count

    def pop(self) -> Block:
        """Return the samples written since the last call, with silence where some were lost; belongs to the reader."""
        end, parts = self._written, []
        if end == self._read and not self._gaps:
            return self._ring[:, :0]
        while self._gaps and self._gaps[0][0] <= end:
            place, count = self._gaps.popleft()
            parts += [self._read_to(place), np.zeros((self._ring.shape[0], count), np.float32)]
        parts.append(self._read_to(end))
        return np.concatenate(parts, axis=1)

    def _read_to(self, end: int) -> Block:
        size = self._ring.shape[1]
        index = np.arange(self._read, end) % size
        samples: Block = self._ring[:, index]
        self._read = end
        return samples
