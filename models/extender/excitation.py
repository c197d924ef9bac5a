"""The excitation of an extender: harmonics, a translation or a network, from the input and its past."""

from __future__ import annotations

from typing import NamedTuple, Protocol

import numpy as np

from dsp import bands, crossover, exciter
from dsp.buffers.delay_line import DelayLine
from dsp.compile import BoundKernel, kernel
from dsp.fft import Array
from models.stage import Block

KINDS = ("harmonics", "translation")
# A sample beyond this is not audio; like NaN and Inf it is played as silence.
_LOUDEST = 1e4


class SourceNetwork(Protocol):
    """A trained network that generates the coloured source, such as `models.exciters.player.NetworkExciter`."""

    def reset(self, channels: int) -> None:
        """Forget the past, and prepare for so many channels."""
        ...

    def excite(self, block: Array, position: int) -> Array:
        """Return the source for a block (channels, samples) whose first sample has this index since the reset."""
        ...


class Course(NamedTuple):
    """Levels of the input and drives at the boundaries of hops, shape (channels, hops + 1) and (hops + 1,)."""

    levels: Array
    drives: Array


class Span(NamedTuple):
    """Where a block lies: its start in the input and in the source, and on the grid of hops and frames."""

    start: int
    source_start: int
    hop: int
    phase: int
    frames: int
    window: int


class Excitation:
    """Generates the coloured source from the input, hop by hop on the extender's grid.

    Args:
        kind: One of `KINDS`; of no account where there is a network.
        sample_rate: Hz.
        network: Takes the place of all of them.
    """

    STATE = ("_course",)

    def __init__(self, kind: str, sample_rate: int, network: SourceNetwork | None = None) -> None:
        if network is None and kind not in KINDS:
            raise ValueError(f"the exciter must be one of {', '.join(KINDS)}, not '{kind}'")
        self.kind, self._network = kind, network
        self._rate = sample_rate
        self._hop = bands.hop_samples(sample_rate)
        self.reach = exciter.translation_reach(sample_rate) if kind == "translation" else 1

    def reset(self, channels: int) -> None:
        """Forget the past."""
        # At the start of the hop that is under way and at its end; no drive yet is 0.
        levels = np.full((channels, 2), exciter.LEAST_LEVEL, np.float32)
        self._course = Course(levels, np.zeros(2, np.float32))
        self._spare = Course(np.empty_like(levels), np.zeros(2, np.float32))
        if self._network is not None:
            self._network.reset(channels)

    def excite(
        self, block: Block, signal: DelayLine, source: DelayLine, position: int, frames: int, window: int,
        drive_db: float, step: int | None,
    ) -> None:  # fmt: skip
        """Append a block to the input, silence where it is no audio, and its excitation to the source.

        Args:
            block: Shape (channels, count).
            signal: The input.
            source: Where the result goes.
            position: Index of the block's first sample since the reset.
            frames: How many end at one of these samples' beginnings.
            window: Samples of a frame.
            drive_db: As the knob says.
            step: The crossover; None where nothing is generated.
        """
        count, phase = block.shape[1], position % self._hop
        start, source_start = signal.advance(count), source.advance(count)
        if self.kind == "harmonics":
            drive = 10 ** (float(drive_db) / 20)
            before, kept = self._course, 2 if phase else 1
            if frames:
                self._make_room(kept - 1 + frames)
            span = Span(start, source_start, self._hop, phase, frames, window)
            _bound_excite.call(block, signal.samples, source.samples, span, before, kept, drive, self._course)
            if len(self._course.drives) > 2:
                self._course = Course(self._course.levels[:, -2:].copy(), self._course.drives[-2:].copy())
        elif self._network is not None:
            _write_audio(block, signal.samples, start)
            source.newest(count)[:] = self._network.excite(signal.newest(count), position)
        else:
            _write_audio(block, signal.samples, start)
            reached, lowest_hz = signal.newest(count + self.reach), crossover.lowest_hz(step, self._rate)
            source.newest(count)[:] = exciter.translate(reached, lowest_hz, self._rate, position)

    def _make_room(self, hops: int) -> None:
        """Provide memory for levels and drives at the boundaries of so many hops."""
        if hops == 1:
            self._course, self._spare = self._spare, self._course
        else:
            levels = np.empty((len(self._course.levels), hops + 1), np.float32)
            self._course = Course(levels, np.empty(hops + 1, np.float32))


@kernel
def _write_audio(block: Array, signal: Array, start: int) -> None:
    """Write a block into a signal, silence in the place of what is no audio."""
    if len(block) != len(signal):
        raise ValueError("the block has another number of channels than was prepared for")
    for channel in range(block.shape[0]):
        row, target = block[channel], signal[channel, start : start + block.shape[1]]
        for i in range(len(row)):
            # NaN fails every comparison.
            target[i] = row[i] if abs(row[i]) <= np.float32(_LOUDEST) else np.float32(0.0)


@kernel
def _excite(
    block: Array, signal: Array, source: Array, span: Span, before: Course, kept: int, drive: float, course: Course
) -> None:
    start, source_start, hop, phase, frames, window = span
    levels, drives = course
    _write_audio(block, signal, start)
    if frames:
        drives[:] = drive
        for k in range(kept):
            if before.drives[2 - kept + k] != 0:
                drives[k] = before.drives[2 - kept + k]
        end = start + (hop - phase if phase else 0)
        for channel in range(signal.shape[0]):
            levels[channel, :kept] = before.levels[channel, 2 - kept :]
            for frame in range(frames):
                levels[channel, kept + frame] = exciter.lift(signal, channel, end + frame * hop - window, window)
    exciter.harmonics(signal, start, levels, drives, hop, phase, source, source_start, block.shape[1])


_bound_excite = BoundKernel(_excite)
