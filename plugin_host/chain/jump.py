"""A jump on the timeline: the extender begins anew there, and what it still held fills the gap."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from dsp.buffers.reblock import in_blocks
from models.stage import Block, Stage


class Jump:
    """What a stage held before a jump, to be played in place of the silence after it.

    Attributes:
        tail: The samples that are left, shape (channels, any).
    """

    def __init__(self) -> None:
        self.tail: Block = np.zeros((0, 0), np.float32)

    def seek(self, stage: Stage, position: int, channels: int, max_block: int, settings: Mapping[str, float]) -> None:
        """Play out what is inside a stage and reset it to a sample of the timeline.

        A stage without latency plays on as it is: it would take what follows for the onset of a sound.
        """
        if not stage.latency_samples:
            return
        silence = np.zeros((channels, stage.latency_samples), np.float32)
        tail = in_blocks(stage.process, silence, settings, max_block)
        stage.reset(position)
        # Two jumps in short succession: what the first one left stands for the silence after it.
        left = self.tail if self.tail.shape[1] else silence[:, :0]
        self.tail = np.concatenate([left, tail[:, left.shape[1] :]], 1)

    def fill(self, out: Block) -> Block:
        """Return a block of the stage with what was left before the jump in it."""
        count = min(self.tail.shape[1], out.shape[1])
        filled = np.concatenate([self.tail[:, :count], out[:, count:]], 1)
        self.tail = self.tail[:, count:]
        return filled
