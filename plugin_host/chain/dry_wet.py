"""The chain as it is heard in a comparison: bypassed or not, and both equally loud where that is wished."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from dsp.buffers.reblock import in_blocks
from models.control import Control
from models.stage import Block
from plugin_host.chain.chain import BYPASS, FADE_S, Chain
from plugin_host.chain.loudness_match import LoudnessMatch

MATCH = Control(
    "compare.match",
    "Match",
    "",
    0.0,
    1.0,
    0.0,
    "switch",
    10.0,
    about="Compare equally loud: whichever of bypassed and processed is the louder one is turned down.",
)
# From full gain to none; a change of a few dB takes a few dozen milliseconds.
_GAIN_S = 0.1


class Compared:
    """A chain whose bypass is done here, where dry and wet are both at hand.

    The chain is always fed and never bypassed itself. While the knob `compare.match` is off nothing is measured, and
    wet and dry pass bit for bit.

    Args:
        chain: What is compared with its delayed input.
        match: Measures; one for all chains of a host.
    """

    def __init__(self, chain: Chain, match: LoudnessMatch) -> None:
        self._chain, self._match = chain, match

    @property
    def controls(self) -> Sequence[Control]:
        """The chain's, and the match."""
        return [*self._chain.controls, MATCH]

    @property
    def latency_samples(self) -> int:
        """The chain's."""
        return self._chain.latency_samples

    def loads(self) -> dict[str, dict[str, float]]:
        """Return each stage's share of the deadline."""
        return self._chain.loads()

    def take_error(self) -> Exception | None:
        """Return the chain's last fault and forget it."""
        return self._chain.take_error()

    def prepare(self, sample_rate: int, channels: int, max_block: int) -> None:
        """Prepare the chain; raise ValueError if it can't do this."""
        self._chain.prepare(sample_rate, channels, max_block)
        self._max_block = max_block
        self._fade = max(1, round(FADE_S * sample_rate))
        self._slope = 1.0 / (_GAIN_S * sample_rate)
        self._match.prepare(self, sample_rate, channels)
        self._forget()

    def reset(self, position: int = 0) -> None:
        """Forget the past; see `models.stage.Stage.reset`."""
        self._chain.reset(position)
        self._forget()

    def _forget(self) -> None:
        # Unknown until the first block, which starts as bypassed as its settings say, without a fade.
        self._dryness: int | None = None
        self._gains = [1.0, 1.0]
        self._was_on = False

    def process(self, block: Block, settings: Mapping[str, float]) -> Block:
        """Return a block of the same shape."""
        if block.shape[1] > self._max_block:
            return in_blocks(self.process, block, settings, self._max_block)
        bypassed, is_on = settings.get(BYPASS, 0.0) >= 0.5, settings.get(MATCH.id, 0.0) >= 0.5
        if bypassed:
            settings = {name: value for name, value in settings.items() if name != BYPASS}
        wet = self._chain.process(block, settings)
        # Nothing is compared, nor was just now.
        if not bypassed and not is_on and self._dryness == 0 and self._gains == [1.0, 1.0]:
            self._was_on = False
            return wet
        dry = self._chain.dry(block.shape[1])
        if is_on:
            if not self._was_on:
                self._match.begin()
            self._match.push(self, dry, wet)
        self._was_on = is_on
        goals = self._match.gains if is_on else (1.0, 1.0)
        dry, wet = (self._scaled(place, sound, goals[place]) for place, sound in enumerate((dry, wet)))
        return self._mixed(dry, wet, self._fade if bypassed else 0)

    def _scaled(self, place: int, sound: Block, goal: float) -> Block:
        """Move a gain toward its goal, as far a sample whatever the cutting."""
        here = self._gains[place]
        if here == goal:
            return sound if goal == 1.0 else np.float32(goal) * sound
        way = self._slope * np.arange(1, sound.shape[1] + 1)
        gains = here + np.clip(goal - here, -way, way)
        self._gains[place] = float(gains[-1])
        return np.asarray(gains * sound, np.float32)

    def _mixed(self, dry: Block, wet: Block, goal: int) -> Block:
        """Cross-fade toward dry (goal = the fade's samples) or wet (goal = 0), one step a sample, as the chain does."""
        if self._dryness is None:
            self._dryness = goal
        if self._dryness == goal:
            return dry.copy() if goal else wet
        direction = 1 if goal else -1
        steps = self._dryness + direction * np.arange(1, dry.shape[1] + 1)
        share = np.clip(steps, 0, self._fade).astype(np.float32) / np.float32(self._fade)
        self._dryness = int(np.clip(self._dryness + direction * dry.shape[1], 0, self._fade))
        mixed: Block = wet + share * (dry - wet)
        return np.where(share == 1.0, dry, mixed).astype(np.float32)
