"""Rates above 96 kHz: played at a half, a third ... of the rate, and joined to the untouched original."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

import numpy as np

from models.stage import Block
from plugin_host.files.resample import played_rate, resampled

Play = Callable[[Iterable[Block]], Iterator[Block]]


def at_played_rate(play: Play, blocks: Iterable[Block], rate: int, channels: int) -> Iterator[Block]:
    """Yield the blocks as `play` changes them at the rate that is played, as many samples as went in.

    What is added at the lower rate is raised and added to the original, which so keeps every sample of its own:
    where nothing is added the output is the input bit for bit, and above half the played rate it always is.

    Args:
        play: Yields blocks at the played rate, aligned, as many samples as it is given.
        blocks: Shape (channels, any), at `rate`.
        rate: In Hz.
        channels: Number of channels.
    """
    low = played_rate(rate)
    if low == rate:
        yield from play(blocks)
        return
    original, dry = _Kept(channels), _Kept(channels)
    wet = play(dry.watched(resampled(original.watched(blocks), rate, low, channels)))
    added = (block - dry.next(block.shape[1]) for block in wet)
    for raised in resampled(added, low, rate, channels):
        # Both conversions round, so that a sample more or less may come back than went in.
        part = original.next(raised.shape[1])
        yield part + raised[:, : part.shape[1]]
    rest = original.next(original.count)
    if rest.shape[1]:
        yield rest


class _Kept:
    """Blocks that were passed on and are still needed."""

    def __init__(self, channels: int) -> None:
        self._blocks: list[Block] = []
        self._channels = channels
        self.count = 0

    def watched(self, blocks: Iterable[Block]) -> Iterator[Block]:
        """Yield the blocks, and keep them."""
        for block in blocks:
            self._blocks.append(block)
            self.count += block.shape[1]
            yield block

    def next(self, count: int) -> Block:
        """Return the next samples, shape (channels, <= count)."""
        count = min(count, self.count)
        self.count -= count
        parts = [np.zeros((self._channels, 0), np.float32)]
        while count:
            block = self._blocks.pop(0)
            parts.append(block[:, :count])
            if block.shape[1] > count:
                self._blocks.insert(0, block[:, count:])
            count -= min(count, block.shape[1])
        return np.concatenate(parts, axis=1)
