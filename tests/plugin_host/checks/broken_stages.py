"""Stages that each break one law, to see that the stage kit notices; `Sound` breaks none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from models.control import Control
from models.stage import Block

LEVEL = Control("level", "Level", "dB", -24.0, 12.0, 0.0)
BYPASS = Control("bypass", "Bypass", "", 0.0, 1.0, 0.0, "switch", 10.0)


class Sound:
    """A gain behind a delay, cross-faded to the delayed input where it is bypassed."""

    delay = 32

    @property
    def controls(self) -> Sequence[Control]:
        return (LEVEL, BYPASS)

    @property
    def latency_samples(self) -> int:
        return self.delay

    def prepare(self, sample_rate: int, channels: int, max_block: int) -> None:
        self._channels = channels
        self.reset()

    def reset(self, position: int = 0) -> None:
        self._past: Block = np.zeros((self._channels, self.delay), np.float32)
        self._gain: float | None = None
        self._wet: float | None = None

    def process(self, block: Block, settings: Mapping[str, float]) -> Block:
        block = np.nan_to_num(block, nan=0.0, posinf=0.0, neginf=0.0)
        both = np.concatenate([self._past, block], axis=1)
        count = block.shape[1]
        self._past, dry = both[:, count:], both[:, :count]
        gain = self._ramp("_gain", 10 ** (settings.get("level", 0.0) / 20), count)
        wet = self._ramp("_wet", 1.0 - settings.get("bypass", 0.0), count)
        out: Block = np.where(wet == 0.0, dry, dry + wet * (self.made(dry, gain) - dry)).astype(np.float32)
        return out

    def made(self, dry: Block, gain: Block) -> Block:
        made: Block = gain * dry
        return made

    def _ramp(self, name: str, goal: float, count: int) -> Block:
        """Move by at most a two-hundredth a sample, so that no cutting changes the way."""
        here = getattr(self, name)
        here = goal if here is None else here
        way = np.arange(1, count + 1) / 200
        values = here + np.clip(goal - here, -way, way)
        setattr(self, name, float(values[-1]))
        return np.asarray(values, np.float64)


class Humming(Sound):
    def made(self, dry: Block, gain: Block) -> Block:
        return super().made(dry, gain) + np.float32(0.001)


class Deaf(Sound):
    def made(self, dry: Block, gain: Block) -> Block:
        return dry


class Fragile(Sound):
    def process(self, block: Block, settings: Mapping[str, float]) -> Block:
        out = super().process(block, settings)
        return out if np.isfinite(block).all() else block


class Late(Sound):
    @property
    def latency_samples(self) -> int:
        return self.delay - 5


class BlockBound(Sound):
    def process(self, block: Block, settings: Mapping[str, float]) -> Block:
        out = super().process(block, settings)
        out[:, -1] *= 0.5
        return out


class Unforgetting(Sound):
    def reset(self, position: int = 0) -> None:
        if not hasattr(self, "_past") or self._past.shape[0] != self._channels:
            super().reset()


class Leaky(Sound):
    def process(self, block: Block, settings: Mapping[str, float]) -> Block:
        out = super().process(block, settings)
        return out if settings.get("bypass", 0.0) == 0.0 else np.asarray(0.999 * out, np.float32)


class Clicking(Sound):
    """Turns the sound upside down at the upper half of its knob."""

    def made(self, dry: Block, gain: Block) -> Block:
        return np.asarray(np.where(gain > 1.5, -1.0, 1.0) * dry, np.float32)


class Strict(Sound):
    def prepare(self, sample_rate: int, channels: int, max_block: int) -> None:
        self._most = max_block
        super().prepare(sample_rate, channels, max_block)

    def process(self, block: Block, settings: Mapping[str, float]) -> Block:
        assert block.shape[1] <= self._most, "the block is too long"
        return super().process(block, settings)


class Hoarding(Sound):
    def __init__(self) -> None:
        self._kept: list[Block] = []

    def process(self, block: Block, settings: Mapping[str, float]) -> Block:
        self._kept.append(block.copy())
        return super().process(block, settings)
