"""Turns: stretches of channels whose band ends lower than the rest, each played by an extender of its own edge.

Such an extender is fed the turns alone, one after another, so that a guest sounds as he would without the host between.
What it generates is faded in and out inside the turns; outside of them the output is the base extender's, bit for bit.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from dsp.audio import Block
from dsp.bandwidth.turns import Turn
from dsp.crossover import step_hz
from models.extender.crossover_tracker import step_for
from models.state import SavedState, save_state

if TYPE_CHECKING:
    from models.extender.extender import Extender

_FADE_S = 0.005
# Rows of (start, end), sorted, in samples of the timeline.
Spans = NDArray[np.int64]


class Aside(Protocol):
    """Answers requests in their order, while the one who asks does something else."""

    def ask(self, request: Any) -> None:
        """Begin to work on a request."""
        ...

    def answer(self) -> Any:
        """Return the answer to the oldest request that has none."""
        ...


# Makes one of the function that answers a request.
MakeAside = Callable[[Callable[[Any], Any]], Aside]


class _Player(NamedTuple):
    """An extender, where it is fed, and where each channel plays it."""

    extender: Extender
    fed: Spans
    played: Sequence[Spans]


class TurnPlayers:
    """Plays turns over the output of a base extender: `begin` a block, and `end` it with the base's output.

    Args:
        base: A prepared extender; its network's weights are shared.
        turns: Of each channel, in samples of the timeline at the extender's rate.
        rate: In Hz.
        max_block: The largest block.
        make_aside: Makes what plays the turns between the two calls; by default `begin` does it.

    Attributes:
        lowest_hz: The lowest crossover of all turns; None where nothing is generated in any.
    """

    STATE = ("_position", "_players")

    def __init__(
        self, base: Extender, turns: Sequence[Sequence[Turn]], rate: int, max_block: int,
        make_aside: MakeAside | None = None,
    ) -> None:  # fmt: skip
        self._fade, self._delay, self._make_aside = _FADE_S * rate, base.latency_samples, make_aside
        self._aside: Aside | None = None
        edges = sorted({turn.edge_hz for channel in turns for turn in channel})
        step = step_for(edges[0], rate)
        self.lowest_hz = None if step is None else step_hz(step)
        self._players: list[_Player] = []
        for edge_hz in edges:
            player = base.sibling()
            player.set_bandwidth(edge_hz)
            player.prepare(rate, len(turns), max_block)
            spans = [[(turn.start, turn.end) for turn in channel if turn.edge_hz == edge_hz] for channel in turns]
            # Of channels with the same turns one speaks for all.
            distinct = spans[:1] if all(span == spans[0] for span in spans) else spans
            rows = [np.array(span, np.int64).reshape(-1, 2) for span in distinct]
            # What leaves it is late: the end of a turn comes out while what follows goes in.
            self._players.append(_Player(player, _union(np.concatenate(rows) + np.array([0, self._delay])), rows))

    def reset(self, position: int) -> None:
        """Forget the past; the next sample is this one of the timeline."""
        self._position, self._aside = position, None
        for player in self._players:
            player.extender.reset(position)

    def begin(self, block: Block, settings: Mapping[str, float]) -> None:
        """Begin to play a block."""
        if self._make_aside is None:
            self._wets = self._play(block, settings)
            return
        # Not earlier: what plays aside goes on from the state of now.
        self._aside = self._aside or self._make_aside(self._answer)
        self._aside.ask((block, settings))
        self._position += block.shape[1]

    def end(self, base: Block) -> Block:
        """Return the base's output for the block with the turns in it."""
        wets = self._wets if self._aside is None else self._aside.answer()
        count = base.shape[1]
        start = self._position - count - self._delay
        for player, wet in zip(self._players, wets, strict=True):
            if wet is not None:
                gate = np.stack([self._gate(spans, start, count) for spans in player.played])
                base = np.where(gate > 0, base + gate * (wet - base), base)
        return base

    def recall(self) -> None:
        """Get the state of what plays aside."""
        if self._aside is not None:
            self._aside.ask(None)
            SavedState(self._aside.answer()).restore(self)

    def _answer(self, request: tuple[Block, Mapping[str, float]] | None) -> bytes | list[Block | None]:
        return save_state(self) if request is None else self._play(*request)

    def _play(self, block: Block, settings: Mapping[str, float]) -> list[Block | None]:
        """Return the output of each extender, None of one that does not play in a block."""
        start, count = self._position, block.shape[1]
        wets: list[Block | None] = []
        self._position += count
        for player in self._players:
            pieces = [slice(first, last) for first, last, _ in _cut(player.fed, start, count)]
            if not pieces:
                wets.append(None)
                continue
            fed = block if pieces == [slice(0, count)] else np.concatenate([block[:, piece] for piece in pieces], 1)
            out, at = player.extender.process(fed, settings), 0
            wet = np.zeros_like(block)
            for piece in pieces:
                end = at + piece.stop - piece.start
                wet[:, piece], at = out[:, at:end], end
            wets.append(wet)
        return wets

    def _gate(self, spans: Spans, start: int, count: int) -> Block:
        """Return 1 inside of the spans and 0 outside, with ramps inside, shape (samples,)."""
        gate = np.zeros(count, np.float32)
        for first, last, (begin, end) in _cut(spans, start, count):
            time = np.arange(start + first, start + last)
            gate[first:last] = np.clip(np.minimum(time - begin, end - 1 - time) / self._fade, 0.0, 1.0)
        return gate


def _union(spans: Spans) -> Spans:
    """Return the spans with those that touch made one."""
    merged: list[list[int]] = []
    for start, end in sorted(spans.tolist()):
        if merged and start <= merged[-1][1]:
            merged[-1][1] = max(merged[-1][1], end)
        else:
            merged.append([start, end])
    return np.array(merged, np.int64).reshape(-1, 2)


def _cut(spans: Spans, start: int, count: int) -> Iterator[tuple[int, int, Spans]]:
    """Yield where spans begin and end in a block, counted from its start, and each span itself."""
    inside = spans[(spans[:, 1] > start) & (spans[:, 0] < start + count)]
    for span in inside:
        yield max(0, int(span[0]) - start), min(count, int(span[1]) - start), span
