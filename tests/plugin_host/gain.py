"""A stage whose gain is a knob, for tests of what moves knobs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from models.control import Control
from models.extender.controls import CONTROLS
from models.stage import Block


class Gain:
    """Multiplies by the knob `amount` in dB."""

    latency_samples = 0

    @property
    def controls(self) -> Sequence[Control]:
        return CONTROLS

    def prepare(self, sample_rate: int, channels: int, max_block: int) -> None:
        pass

    def process(self, block: Block, settings: Mapping[str, float]) -> Block:
        out: Block = block * np.float32(10 ** (settings["amount"] / 20))
        return out

    def reset(self, position: int = 0) -> None:
        pass
