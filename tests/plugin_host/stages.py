"""Small stages that satisfy the contract, for tests of what plays them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from models.control import Control
from models.extender.controls import CONTROLS
from models.stage import Block


class Delay:
    """A stage that does nothing but take its time, then multiply by a gain."""

    def __init__(self, latency: int = 0, gain: float = 1.0) -> None:
        self.latency_samples = latency
        self.gain = np.float32(gain)
        self.blocks: list[int] = []
        self._past: Block = np.zeros((0, 0), np.float32)
        self._max_block = 0

    @property
    def controls(self) -> Sequence[Control]:
        return CONTROLS

    def prepare(self, sample_rate: int, channels: int, max_block: int) -> None:
        if sample_rate > 96000:
            raise ValueError(f"rates up to 96000 Hz are possible, not {sample_rate}")
        self._past = np.zeros((channels, self.latency_samples), np.float32)
        self._max_block = max_block

    def process(self, block: Block, settings: Mapping[str, float]) -> Block:
        assert 1 <= block.shape[1] <= self._max_block
        assert block.shape[0] == self._past.shape[0]
        self.blocks.append(block.shape[1])
        both = np.concatenate([self._past, block], axis=1)
        self._past = both[:, block.shape[1] :]
        out: Block = both[:, : block.shape[1]] * self.gain
        return out

    def reset(self, position: int = 0) -> None:
        self._past[:] = 0.0


class FollowingDelay(Delay):
    """A delay that is set to the bandwidth of the file."""

    edge_hz: float | None = None

    def set_bandwidth(self, edge_hz: float | None, turns: object = ()) -> None:
        self.edge_hz = edge_hz
