"""A jump on the timeline: the extender begins anew there, and what it still held fills the gap."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from dsp.buffers.delay_line import DelayLine
from dsp.buffers.reblock import in_blocks
from models.stage import Block, MeasuresBandwidth, Stage


class Jump:
    """What a stage held before a jump, to be played in place of the silence after it.

    Args:
        stage: Prepared.
        channels: That it was prepared for.
        max_block: The largest block.
    """

    def __init__(self, stage: Stage, channels: int, max_block: int) -> None:
        self._stage, self._max_block = stage, max_block
        self._input = DelayLine(channels, stage.latency_samples)
        self._tail: Block = np.zeros((channels, 0), np.float32)

    @property
    def player(self) -> Stage | Jump:
        """What is to play: the stage alone where it is never late, and so holds nothing when a jump comes."""
        return self if self._stage.latency_samples else self._stage

    def seek(self, position: int, settings: Mapping[str, float]) -> None:
        """Play out what is inside the stage and reset it to a sample of the timeline."""
        stage = self._stage
        # Pushed out by its own mirror image: before silence the stage would see an end, and generate that of a click.
        mirrored = np.ascontiguousarray(self._input.newest(stage.latency_samples)[:, ::-1])
        tail = in_blocks(stage.process, mirrored, settings, self._max_block)
        measuring: object = stage
        if isinstance(measuring, MeasuresBandwidth):
            measuring.jump(position)
        else:
            stage.reset(position)
        # Two jumps in short succession: what the first one left stands for the silence after it.
        self._tail = np.concatenate([self._tail, tail[:, self._tail.shape[1] :]], 1)

    def process(self, block: Block, settings: Mapping[str, float]) -> Block:
        """Process a block by the stage, and put what was left before the jump in it."""
        self._input.append(block)
        out = self._stage.process(block, settings)
        if not self._tail.shape[1]:
            return out
        count = min(self._tail.shape[1], out.shape[1])
        filled = np.concatenate([self._tail[:, :count], out[:, count:]], 1)
        self._tail = self._tail[:, count:]
        return filled
