"""The contract of a stage: whatever processes audio in blocks, from a gain to the whole chain."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol, runtime_checkable

from dsp.audio import Block
from dsp.bandwidth.turns import Turn
from models.control import Control

__all__ = ["Block", "FollowsBandwidth", "MeasuresBandwidth", "Stage"]


@runtime_checkable
class Stage(Protocol):
    """A processor of blocks, shape (channels, samples), float32, -1..1.

    Blocks may have any length from 1 to `max_block`; any cutting of a signal into blocks gives the same samples.
    Nothing but `process` runs on the audio thread, and it raises nothing for any finite or non-finite input.
    """

    @property
    def controls(self) -> Sequence[Control]:
        """The knobs, in the order a person should see them."""
        ...

    @property
    def latency_samples(self) -> int:
        """Whole samples between an input sample and the same sample at the output; constant after `prepare`."""
        ...

    def prepare(self, sample_rate: int, channels: int, max_block: int) -> None:
        """Allocate for this rate and layout, and forget everything; raise ValueError if the stage can't do it."""
        ...

    def process(self, block: Block, settings: Mapping[str, float]) -> Block:
        """Return a new block of the same shape; `settings` maps control ids to values in their units."""
        ...

    def reset(self, position: int = 0) -> None:
        """Forget the past, as after `prepare`.

        Args:
            position: Sample of the timeline at which the next block begins. What repeats in time, such as a grid of
                frames or a table of noise, counts from the timeline's sample 0, so that a stage gives the same samples
                wherever a DAW begins to play. Before sample 0 there was silence; before any other something unknown,
                so that what comes may be in the middle of a sound.
        """
        ...


@runtime_checkable
class FollowsBandwidth(Protocol):
    """A stage that can be set to where the recording's own band ends."""

    def set_bandwidth(self, edge_hz: float | None, turns: Sequence[Sequence[Turn]] = ()) -> None:
        """Let an automatic crossover follow the recording's own band.

        Args:
            edge_hz: Where the band of the whole ends; None lets the stage measure it.
            turns: Of each channel, the stretches that end lower than that, in samples of the timeline.
        """
        ...


@runtime_checkable
class MeasuresBandwidth(Protocol):
    """A stage that measures where the recording's own band ends, which takes it some seconds of sound."""

    def copy_bandwidth(self, other: object) -> None:
        """Go on with what another stage has measured, where that is of use; both are prepared for the same rate."""
        ...

    def jump(self, position: int) -> None:
        """Go on at another sample of the timeline: forget the past like `reset`, but not what was measured."""
        ...
