"""Turns: stretches of channels whose band ends lower than the rest, each played by an extender of its own edge.

Such an extender is fed the turns alone, one after another, so that a guest sounds as he would without the host between.
What it generates is faded in and out inside the turns; outside of them the output is the base extender's, bit for bit.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from dsp.audio import Block
from dsp.bandwidth.turns import Turn

if TYPE_CHECKING:
    from models.extender.extender import Extender

_FADE_S = 0.005


class TurnPlayers:
    """Plays turns over the output of a base extender.

    Args:
        base: A prepared extender; its network's weights are shared.
        turns: Of each channel, in samples of the timeline at the extender's rate.
        rate: In Hz.
        max_block: The largest block.
    """

    STATE = ("_position", "_players")

    def __init__(self, base: Extender, turns: Sequence[Sequence[Turn]], rate: int, max_block: int) -> None:
        self._fade, self._delay = _FADE_S * rate, base.latency_samples
        edges = sorted({turn.edge_hz for channel in turns for turn in channel})
        self._players: list[tuple[Extender, list[NDArray[np.int64]]]] = []
        for edge_hz in edges:
            player = base.sibling()
            player.set_bandwidth(edge_hz)
            player.prepare(rate, len(turns), max_block)
            spans = [[(turn.start, turn.end) for turn in channel if turn.edge_hz == edge_hz] for channel in turns]
            # Of channels with the same turns one speaks for all.
            distinct = spans[:1] if all(span == spans[0] for span in spans) else spans
            self._players.append((player, [np.array(span, np.int64).reshape(-1, 2) for span in distinct]))

    @property
    def lowest_hz(self) -> float | None:
        """The lowest crossover of the players, in Hz."""
        return self._players[0][0].crossover_hz

    def reset(self, position: int) -> None:
        """Forget the past; the next sample is this one of the timeline."""
        self._position = position
        for player, _ in self._players:
            player.reset(position)

    def play(self, block: Block, settings: Mapping[str, float], base: Block) -> Block:
        """Return the base's output for a block with the turns in it."""
        time = np.arange(self._position, self._position + block.shape[1])
        self._position += block.shape[1]
        for player, spans in self._players:
            # What leaves it is late: the end of a turn comes out while what follows goes in.
            is_fed = np.any([self._inside(time, span, self._delay) >= 0 for span in spans], axis=0)
            if not is_fed.any():
                continue
            if is_fed.all():
                wet = player.process(block, settings)
            else:
                wet = np.zeros_like(block)
                wet[:, is_fed] = player.process(np.ascontiguousarray(block[:, is_fed]), settings)
            gate = np.stack([self._gate(time - self._delay, span) for span in spans])
            base = np.where(gate > 0, base + gate * (wet - base), base)
        return base

    def _gate(self, time: NDArray[np.int64], span: NDArray[np.int64]) -> Block:
        """Return 1 inside of the spans and 0 outside, with ramps inside, shape (samples,)."""
        gate: Block = np.clip(self._inside(time, span) / self._fade, 0.0, 1.0).astype(np.float32)
        return gate

    @staticmethod
    def _inside(time: NDArray[np.int64], span: NDArray[np.int64], longer: int = 0) -> NDArray[np.int64]:
        """Return how far inside of the spans times lie, negative outside; spans may be taken to end later."""
        if not len(span):
            return np.full(len(time), -1)
        nearest = np.maximum(np.searchsorted(span[:, 0], time, side="right") - 1, 0)
        inside: NDArray[np.int64] = np.minimum(time - span[nearest, 0], span[nearest, 1] + longer - 1 - time)
        return inside
