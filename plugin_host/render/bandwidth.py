"""The bandwidth of what is rendered: of the whole, and of turns that end lower, for the stage that follows it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from dsp.bandwidth.turns import Turn, TurnFinder
from models.stage import Block, FollowsBandwidth
from plugin_host.files.audio_reader import AudioReader
from plugin_host.files.resample import played_rate, resampled
from plugin_host.render.spread import ahead

# A minute of sound shows a file's bandwidth; spread out, it is found anywhere in an hour within two seconds.
_MOST_STRETCHES = 60
# Converters leave this share of the old rate as it was.
_ALIVE_SHARE = 0.475
# Edges nearer than this are one.
_SAME_EDGE = 1.1


class Edges(NamedTuple):
    """The lowest edge in a file, in Hz, and in how many places of a channel the band ends lower than elsewhere."""

    lowest_hz: float
    places: int

    @property
    def notes(self) -> tuple[str, ...]:
        """What a person should know of them."""
        where = "1 place" if self.places == 1 else f"{self.places} places"
        return (f"the band ends lower in {where} than elsewhere",) if self.places else ()


def follow_bandwidth(
    stage: FollowsBandwidth, reader: AudioReader, rate: int, go_on: Callable[[], None], finds_soft: bool = False,
    spreads: bool = False,
) -> Edges:  # fmt: skip
    """Measure a file, hand its bandwidth to the stage, and return what its edges are.

    Args:
        stage: Plays the file next.
        reader: The open file.
        rate: Of the output, in Hz.
        go_on: Called now and then; raises where the work is to stop.
        finds_soft: Whether a file that falls gently has an edge too.
        spreads: Read in another process.
    """
    played, size = played_rate(rate), reader.block_frames()
    finder = TurnFinder(reader.rate, reader.channels)
    blocks = _added(ahead(reader.blocks(size)) if spreads else reader.blocks(size), finder, go_on)
    if reader.frames <= _MOST_STRETCHES * size:
        # One pass does for both.
        edge_hz = measure_edge(resampled(blocks, reader.rate, played, reader.channels), played, finds_soft)
    else:
        edge_hz = measure_edge(_stretches(reader, played, go_on), played, finds_soft)
    for _ in blocks:
        pass
    if reader.rate < rate:
        # Too short or too soft to be measured, it still holds nothing above half its own rate.
        edge_hz = min(edge_hz, _ALIVE_SHARE * reader.rate)
    turns = _scaled(finder, played / reader.rate)
    stage.set_bandwidth(_edge_outside(edge_hz, turns, played), turns)
    lowest_hz = min([edge_hz, *(turn.edge_hz for channel in turns for turn in channel)])
    return Edges(lowest_hz, max(map(len, turns), default=0))


def finds_soft_edges(settings: Mapping[str, float]) -> bool:
    """Return whether a recording that falls gently is to have an edge too."""
    return settings.get("soft_edge", 0.0) >= 0.5


def measure_edge(blocks: Iterable[Block], rate: int, finds_soft: bool = False) -> float:
    """Return the highest frequency in Hz that the blocks, shape (channels, samples), truly hold."""
    from dsp.bandwidth.meter import BandwidthMeter

    meter = BandwidthMeter(rate)
    for block in blocks:
        meter.add(block)
    return float(meter.edge_hz(finds_soft))


def follow_samples(
    stage: FollowsBandwidth, blocks: Sequence[Block], rate: int, channels: int, finds_soft: bool
) -> None:
    """Measure blocks at the rate that is played, and hand their bandwidth to the stage; see `follow_bandwidth`."""
    finder = TurnFinder(rate, channels)
    for block in blocks:
        finder.add(block)
    turns = finder.turns()
    stage.set_bandwidth(_edge_outside(measure_edge(blocks, rate, finds_soft), turns, rate), turns)


def _scaled(finder: TurnFinder, scale: float) -> list[list[Turn]]:
    return [
        [Turn(round(turn.start * scale), round(turn.end * scale), turn.edge_hz) for turn in channel]
        for channel in finder.turns()
    ]


def _edge_outside(edge_hz: float, turns: Sequence[Sequence[Turn]], rate: int) -> float:
    """Return the edge that holds outside of the turns: none where what was measured is that of the turns."""
    highest = max((turn.edge_hz for channel in turns for turn in channel), default=0.0)
    return rate / 2 if edge_hz < _SAME_EDGE * highest else edge_hz


def _added(blocks: Iterable[Block], finder: TurnFinder, go_on: Callable[[], None]) -> Iterator[Block]:
    for block in blocks:
        go_on()
        finder.add(block)
        yield block


def _stretches(reader: AudioReader, rate: int, go_on: Callable[[], None]) -> Iterator[Block]:
    """Yield a minute of a file in stretches spread evenly over it, at the output's rate."""
    size = reader.block_frames()
    # The meter leaves out what is not finite, and so does not take the jump between two stretches for sound.
    gap = np.full((reader.channels, 1), np.nan, np.float32)
    for start in np.linspace(0, reader.frames - size, _MOST_STRETCHES):
        go_on()
        yield from resampled([reader.read_at(int(start), size)], reader.rate, rate, reader.channels)
        yield gap
