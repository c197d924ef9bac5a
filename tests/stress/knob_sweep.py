"""The drill's sweep: every knob of a whole chain turned at random for minutes of sound, faster than it plays.

A process of its own: one JSON object on the command line, one on standard output.
"""

from __future__ import annotations

import json
import random
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from pydantic import BaseModel

from models.control import Control
from models.stage import Block
from plugin_host.checks.signals import EDGE_HZ, largest_step, music
from plugin_host.engine.engine import Engine
from plugin_host.settings.store import SettingsStore
from tests.stress.player import Part, sound

_RATE, _BLOCK = 48000, 128
_VISITED = 3
# Of the music that is played over and over; a knob is held at least as long.
_LOOP_S = 1.0
# Longer than a glide and the way of the slowest effect's knob.
_REST_S = 0.2
# How large a step may be against the largest while the knobs are held. In minutes of random moves the network meets
# bands that it has had no moment to get used to, which the quarter of a second of the stage kit has not.
BOUND = 2.5
_ROUNDING = 1e-6


class Sweep(BaseModel):
    """What is swept.

    Attributes:
        seconds: Of sound, all knobs together.
        seed: Of the moves.
        preset, artifact: What plays, as in `soak_player.Part`.
    """

    seconds: float = 300.0
    seed: int = 0
    preset: str = ""
    artifact: str | None = None


@dataclass
class Swept:
    """What a stretch of moves did.

    Attributes:
        share: Its largest step as a share of the bound.
        is_finite: Whether nothing but numbers came out.
        moves: How often a knob was turned.
    """

    share: float
    is_finite: bool
    moves: int


class Hand:
    """Turns knobs of an engine that plays a loop of music as fast as it can.

    Args:
        sweep: What is swept.
    """

    def __init__(self, sweep: Sweep) -> None:
        built = sound(Part(role="host", preset=sweep.preset, artifact=sweep.artifact))
        built.chain.set_bandwidth(EDGE_HZ)
        self.store = SettingsStore(built.controls)
        self.store.load(built.preset.settings, "drill")
        self.engine = Engine(built.chain, self.store)
        self.engine.is_timed = False
        self.engine.prepare(_RATE, 2, _BLOCK)
        self.chance = random.Random(sweep.seed)
        self._loop = np.ascontiguousarray(music(_RATE, 2, _LOOP_S).T)
        self._place = 0

    def play(self, seconds: float) -> Block:
        """Return the next so many seconds, shape (channels, samples)."""
        count = max(1, round(seconds * _RATE / _BLOCK))
        output = np.empty((count * _BLOCK, 2), np.float32)
        for start in range(0, len(output), _BLOCK):
            self.engine.callback(self._loop[self._place : self._place + _BLOCK], output[start : start + _BLOCK])
            self._place = (self._place + _BLOCK) % (len(self._loop) - _BLOCK)
        return output.T

    def set(self, values: Mapping[str, float]) -> None:
        """Turn knobs."""
        self.store.request_many(values, "drill")

    def held(self, values: Mapping[str, float], seconds: float) -> float:
        """Return the largest step while knobs are held, after they have come to rest."""
        self.set(values)
        self.play(_REST_S)
        return largest_step(self.play(max(_LOOP_S, seconds)))

    def turned(self, moves: Sequence[Mapping[str, float]], seconds: float, bound: float) -> Swept:
        """Turn to these settings in any order at random times for so many seconds."""
        passed, largest, is_finite, count = 0.0, 0.0, True, 0
        last = np.zeros((2, 0), np.float32)
        while passed < seconds:
            self.set(self.chance.choice(moves))
            stretch = self.chance.uniform(0.003, 0.15)
            output = self.play(stretch)
            is_finite = is_finite and bool(np.isfinite(output).all())
            largest = max(largest, largest_step(np.concatenate([last, output], axis=1)))
            last, passed, count = output[:, -1:], passed + stretch, count + 1
        return Swept(largest / bound, is_finite, count)


def sweep_all(sweep: Sweep) -> dict[str, Any]:
    """Turn every knob by itself, then all together; return JSON values."""
    hand = Hand(sweep)
    controls = hand.store.controls
    resting = hand.store.targets()
    # A third is for all together.
    each_s = sweep.seconds * 2.0 / 3.0 / len(controls)
    shares: dict[str, float] = {}
    is_finite, moves, loudest = True, 0, 0.0
    for control in controls:
        visited = [{control.id: value} for value in _values(control, hand.chance)]
        # Noise has larger steps the longer one listens: as long held as turned.
        held = max(hand.held(values, each_s / len(visited)) for values in visited)
        loudest = max(loudest, held)
        swept = hand.turned(visited, each_s, BOUND * held + _ROUNDING)
        shares[control.id] = swept.share
        is_finite, moves = is_finite and swept.is_finite, moves + swept.moves
        hand.set({control.id: resting[control.id]})
        hand.play(_REST_S)
    moved = [control for control in controls if control.curve != "switch"]
    settings = [{one.id: one.from_position(hand.chance.random()) for one in moved} for _ in range(_VISITED)]
    loudest = max(loudest, *(hand.held(values, _LOOP_S) for values in settings))
    together = hand.turned(settings, sweep.seconds / 3.0, BOUND * loudest + _ROUNDING)
    hand.set(resting)
    hand.play(_REST_S)
    return {
        "shares": {name: round(share, 3) for name, share in shares.items()},
        "together": round(together.share, 3),
        "is_finite": is_finite and together.is_finite,
        "moves": moves + together.moves,
        "intact": hand.store.targets() == resting,
        "fault": str(hand.engine.take_error() or ""),
    }


def _values(control: Control, chance: random.Random) -> list[float]:
    places = [0.0, 1.0, *(chance.random() for _ in range(_VISITED - 2))]
    return [control.from_position(place) for place in places]


def main(words: list[str]) -> None:
    """Sweep what the command line names."""
    print(json.dumps(sweep_all(Sweep.model_validate_json(words[0]))), flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
