"""The dry/wet path: bypass, level match, fallback and rest, around one aligned copy of a chain's input."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dsp.buffers.delay_line import DelayLine
from dsp.compile import kernel
from dsp.gain_ramp import gain_after
from models.control import Control
from models.stage import Block
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
# From the dry to the wet signal and back.
FADE_S = 0.010
# From full gain to none; a change of a few dB takes a few dozen milliseconds.
_GAIN_S = 0.1
# The step at a chain that fails is faded out in this many samples.
RESCUE_SAMPLES = 64
_RESCUE = (1.0 - np.arange(1, RESCUE_SAMPLES + 1, dtype=np.float32) / RESCUE_SAMPLES)[None]
_WET = [0.0, 1.0, 1.0]


class DryWet:
    """Plays a chain's output, or its input delayed by the chain's latency, and fades between the two.

    A chain that was not called, or failed, gives a splice for as long as its latency; the dry signal plays until that
    has passed. What is fully wet or fully dry, at full gain, passes bit for bit.

    Attributes:
        line: The input, whose newest samples are appended before each call of `play`.
        match: Measures dry and wet while they are compared equally loud; None where nobody compares.
    """

    def __init__(self) -> None:
        self.match: LoudnessMatch | None = None

    def prepare(self, sample_rate: int, channels: int, latency: int, most_latency: int) -> None:
        """Allocate for a chain of this latency in samples, which may grow up to the most, and forget the past."""
        self._channels, self._latency, self._most_latency = channels, latency, max(latency, most_latency)
        self._fade_step, self._gain_step = 1.0 / (FADE_S * sample_rate), 1.0 / (_GAIN_S * sample_rate)
        if self.match is not None:
            self.match.prepare(self, sample_rate, channels)
        self.reset()
        # The kernel is compiled or loaded here, and not on the audio thread.
        self.line.append(np.zeros((channels, 1), np.float32))
        self._mixed(None, 1, False, False)
        self.reset()

    def reset(self) -> None:
        """Forget the past: the first block starts as bypassed as its settings say, without a fade."""
        self.line = DelayLine(self._channels, self._most_latency + 1)
        self._last: Block = np.zeros((self._channels, 1), np.float32)
        # Share of the dry signal, then the gains of dry and wet.
        self._levels = np.array([np.nan, 1.0, 1.0])
        self._is_wet, self._was_matched, self._unfit = False, False, 0
        self._has_moved = False

    def realign(self, latency: int) -> None:
        """Follow a chain whose latency has changed, as far as there is room; on the audio thread."""
        self._latency, self._has_moved = min(latency, self._most_latency), True

    @property
    def dry_share(self) -> float:
        """How much of the dry signal plays now, 0 to 1."""
        return 0.0 if np.isnan(self._levels[0]) else float(self._levels[0])

    def play(self, wet: Block | None, count: int, bypassed: bool, matched: bool) -> Block:
        """Return what plays of the newest input.

        Args:
            wet: The chain's output for it, finite, shape (channels, count); None where it failed or rests.
            count: Samples of the newest input.
            bypassed: Whether the dry signal is wanted.
            matched: Whether both are wanted equally loud.

        Returns:
            A block (channels, count), which may be `wet` itself.
        """
        if wet is None or bypassed or matched or not self._is_wet:
            out = self._mixed(wet, count, bypassed, matched)
        else:
            out = wet
        if count:
            # Memory that is lent may be overwritten before the next block.
            self._last = out if out.base is None and out is not wet else out[:, -1:].copy()
        return out

    def _mixed(self, wet: Block | None, count: int, bypassed: bool, matched: bool) -> Block:
        levels, start = self._levels, self.line.end - self._latency - count
        gains = self._compared(wet, count) if matched and self.match is not None else (1.0, 1.0)
        self._was_matched = matched
        if wet is None:
            self._unfit = self._latency
            levels[0] = 1.0
        goal = 1.0 if wet is None or bypassed or self._unfit > 0 else 0.0
        if np.isnan(levels[0]):
            levels[0] = goal
        before = float(levels[1]) * self.line.newest(1, self._latency + count)
        out = np.empty((self._channels, count), np.float32)
        source = out if wet is None else np.ascontiguousarray(wet, np.float32)
        if wet is None:
            out.fill(0.0)
        _blend(self.line.samples, start, source, levels, goal, *gains, self._fade_step, self._gain_step, out)
        if wet is None or self._unfit > 0 or (self._has_moved and levels[0] == 1.0):
            # From the sample that was played last, without a step.
            length = min(RESCUE_SAMPLES, count)
            out[:, :length] += (self._last[:, -1:] - before) * _RESCUE[:, :length]
            self._unfit -= 0 if wet is None else min(count, self._unfit)
        self._has_moved = False
        self._is_wet = levels.tolist() == _WET
        return out

    def _compared(self, wet: Block | None, count: int) -> tuple[float, float]:
        """Give both to the measurement, and return the gains of dry and wet that it asks for."""
        assert self.match is not None
        if not self._was_matched:
            self.match.begin()
        if wet is not None:
            self.match.push(self, self.line.newest(count, self._latency), wet)
        return self.match.gains


@kernel
def _blend(
    dry: Block, start: int, wet: Block, levels: NDArray[np.float64], share: float, dry_gain: float, wet_gain: float,
    fade_step: float, gain_step: float, out: Block,
) -> None:  # fmt: skip
    """Mix two signals by gains that move from sample to sample.

    Args:
        dry: Shape (channels, time).
        start: Index of the block's first sample in it.
        wet: The block, shape (channels, count).
        levels: Share of dry, gain of dry and gain of wet before the block; overwritten by those at its end.
        share: Where the share of dry goes.
        dry_gain: Where dry's gain goes.
        wet_gain: Where wet's gain goes.
        fade_step: Most change of the share from sample to sample.
        gain_step: Most change of a gain from sample to sample.
        out: Overwritten, like `wet`; may be the same memory.
    """
    count = out.shape[1]
    for i in range(count):
        here = gain_after(i + 1, levels[0], share, fade_step)
        of_dry = np.float32(here * gain_after(i + 1, levels[1], dry_gain, gain_step))
        of_wet = np.float32((1.0 - here) * gain_after(i + 1, levels[2], wet_gain, gain_step))
        for channel in range(out.shape[0]):
            out[channel, i] = of_dry * dry[channel, start + i] + of_wet * wet[channel, i]
    levels[0] = gain_after(count, levels[0], share, fade_step)
    levels[1] = gain_after(count, levels[1], dry_gain, gain_step)
    levels[2] = gain_after(count, levels[2], wet_gain, gain_step)
