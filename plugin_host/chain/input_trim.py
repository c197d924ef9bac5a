"""The input trim: the gain of what comes in, before everything that listens to it, records it or changes it."""

from __future__ import annotations

import numpy as np

from models.control import Control
from models.stage import Block

# It belongs to the source and not to the sound: presets and slots leave it alone.
TRIM = Control(
    "input.trim", "Input trim", "dB", -24.0, 24.0, 0.0,
    about="Gain of the input, before the meters and the recording; presets leave it alone.",
)  # fmt: skip


class InputTrim:
    """A gain that moves in a straight line over each block; what rests at 0 dB stays as it is to the last bit.

    Attributes:
        gain: At the end of the last block; not a number before the first.
    """

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Begin with the next block's own gain."""
        self.gain = np.nan

    def apply(self, block: Block, trim_db: float) -> None:
        """Multiply a block (channels, samples) in place; on the audio thread."""
        goal = 10.0 ** (trim_db / 20.0)
        start = goal if self.gain != self.gain else self.gain
        if start != goal:
            block *= np.linspace(start, goal, block.shape[1] + 1, dtype=np.float32)[1:]
        elif goal != 1.0:
            block *= np.float32(goal)
        self.gain = goal
