"""Reblocking: process a long block in shorter ones, and cut a stream into blocks of one size."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping

import numpy as np

from dsp.audio import Block

Process = Callable[[Block, Mapping[str, float]], Block]


def in_blocks(process: Process, block: Block, settings: Mapping[str, float], most: int) -> Block:
    """Process a block (channels, samples) at most so many samples at a time, and return the whole result."""
    parts = [process(block[:, start : start + most], settings) for start in range(0, block.shape[1], most)]
    return np.concatenate([block[:, :0], *parts], axis=1)


def reblocked(blocks: Iterable[Block], size: int) -> Iterator[Block]:
    """Yield a stream of blocks (channels, any) in blocks of `size` samples; the last one may be shorter."""
    held: list[Block] = []
    for block in blocks:
        held.append(block)
        if sum(one.shape[1] for one in held) < size:
            continue
        whole = np.concatenate(held, axis=1)
        stop = whole.shape[1] - whole.shape[1] % size
        yield from np.split(whole[:, :stop], range(size, stop, size), axis=1)
        held = [whole[:, stop:]]
    if any(one.shape[1] for one in held):
        yield np.concatenate(held, axis=1)
