"""The rate of the output, the rate at which it is played, and streams of blocks at another rate."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
import soxr

from dsp.audio import Block

LOWEST_KEPT_RATE, RAISED_RATE = 44100, 48000
HIGHEST_PLAYED_RATE = 96000


def output_rate(rate: int) -> int:
    """Return the rate of the output: the input's where there is room for the missing octaves, else 48 kHz."""
    return rate if rate >= LOWEST_KEPT_RATE else RAISED_RATE


def played_rate(rate: int) -> int:
    """Return the rate at which stages play sound of an output's rate: its half, third ... where it is above 96 kHz."""
    parts = -(-rate // HIGHEST_PLAYED_RATE)
    return rate // parts if rate % parts == 0 else HIGHEST_PLAYED_RATE


def resampled(blocks: Iterable[Block], rate: int, wanted: int, channels: int) -> Iterator[Block]:
    """Yield the blocks at another rate, aligned, `round(samples * wanted / rate)` samples in all."""
    if rate == wanted:
        yield from blocks
        return
    converter = soxr.ResampleStream(rate, wanted, channels, dtype="float32", quality="VHQ")
    taken = given = 0
    for block in blocks:
        taken += block.shape[1]
        raised = np.ascontiguousarray(converter.resample_chunk(np.ascontiguousarray(block.T)).T)
        given += raised.shape[1]
        yield raised
    # soxr may end a sample away from the rounded length.
    rest = round(taken * wanted / rate) - given
    last = converter.resample_chunk(np.zeros((0, channels), np.float32), last=True).T[:, :rest]
    yield np.pad(last, ((0, 0), (0, rest - last.shape[1])))
