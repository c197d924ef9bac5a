"""Two versions of one sound, played side by side on the same input: aligned, equally loud, one of them audible."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from dsp.buffers.delay_line import DelayLine
from dsp.gain_ramp import mix, unknown_gains
from models.control import Control
from models.stage import Block, MeasuresBandwidth
from plugin_host.chain.chain import Chain
from plugin_host.chain.loudness_match import LoudnessMatch

# Long, so that the gains hardly move once they are found.
_WINDOW_S = 30.0
# A switch is over within the block that it begins in, but not so fast that it clicks.
_FADE_S, _SHORTEST_FADE = 0.005, 64


class Version(NamedTuple):
    """One of the two.

    Attributes:
        chain: Plays it.
        settings: Its knobs, which stay.
    """

    chain: Chain
    settings: Mapping[str, float]


class Comparison:
    """A stage that plays both versions all the time and gives out one of them.

    Args:
        versions: Two; their chains play nowhere else.

    Attributes:
        audible: Index of the version that is given out; any thread may set it.
        match: Measures both.
    """

    def __init__(self, versions: Sequence[Version]) -> None:
        self._versions = first, second = tuple(versions)
        self._chains = first.chain, second.chain
        self.audible, self.match = 0, LoudnessMatch(_WINDOW_S)

    @property
    def controls(self) -> Sequence[Control]:
        """None: the knobs of both stay where they are."""
        return ()

    @property
    def latency_samples(self) -> int:
        """That of the later one, for which the other one waits."""
        return max(chain.latency_samples for chain in self._chains)

    @property
    def measuring(self) -> object:
        """What measures the recording's bandwidth in the first version, else in the second."""
        return next((chain.measuring for chain in self._chains if chain.measuring is not None), None)

    def copy_bandwidth(self, other: object) -> None:
        """Go on with what another stage has measured, in both versions."""
        for chain in self._chains:
            extender: object = chain.extender
            if isinstance(extender, MeasuresBandwidth):
                extender.copy_bandwidth(other)

    def prepare(self, sample_rate: int, channels: int, max_block: int) -> None:
        """Prepare both; raise ValueError if one can't do it."""
        for version in self._versions:
            version.chain.prepare(sample_rate, channels, max_block)
            version.chain.warm_up(version.settings)
        self._channels, self._fade = channels, round(_FADE_S * sample_rate)
        self.match.prepare(self, sample_rate, channels)
        self.reset()
        self.process(np.zeros((channels, 1), np.float32), {})
        self.reset()

    def reset(self, position: int = 0) -> None:
        """Forget the past."""
        for chain in self._chains:
            chain.reset(position)
        latest = self.latency_samples
        self._late = [latest - chain.latency_samples for chain in self._chains]
        self._lines = [DelayLine(self._channels, late + 1) for late in self._late]
        self._gains = unknown_gains()
        self.match.begin()

    def process(self, block: Block, settings: Mapping[str, float]) -> Block:
        """Return what the audible version makes of a block; its settings are its own."""
        count = block.shape[1]
        for version, line in zip(self._versions, self._lines, strict=True):
            line.append(version.chain.play(block.copy(), version.settings))
        first, second = (line.newest(count, late) for line, late in zip(self._lines, self._late, strict=True))
        self.match.push(self, first, second)
        gains = self.match.gains
        goals = (gains[0], 0.0) if self.audible == 0 else (0.0, gains[1])
        out = np.empty((self._channels, count), np.float32)
        line, step = self._lines[0], 1.0 / max(_SHORTEST_FADE, min(count, self._fade))
        start = line.end - self._late[0] - count
        mix(line.samples, start, goals[0], np.ascontiguousarray(second), goals[1], self._gains, step, out)
        return out

    def figures(self) -> dict[str, Any]:
        """Return `lufs` at which each is given out, None while unknown, and `seconds` that were measured.

        `offset_db` says by how much the second would be the louder one without the match.
        """
        found = self.match.figures()
        levels = zip((found["dry_lufs"], found["wet_lufs"]), self.match.gains, strict=True)
        played = [None if lufs is None else round(lufs + 20.0 * float(np.log10(gain)), 2) for lufs, gain in levels]
        return {"lufs": played, "offset_db": found["offset_db"], "seconds": found["seconds"]}
