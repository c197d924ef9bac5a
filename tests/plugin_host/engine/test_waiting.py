"""Laws of the engine's figures: waiting is measured apart from working."""

from __future__ import annotations

import time
from collections.abc import Mapping

import numpy as np

from models.extender.controls import CONTROLS
from models.stage import Block
from plugin_host.engine.engine import Engine
from plugin_host.settings.store import SettingsStore
from tests.plugin_host.gain import Gain

RATE, BLOCK = 48000, 4800


class Sleeper(Gain):
    """Waits for half of its deadline and does nothing."""

    def process(self, block: Block, settings: Mapping[str, float]) -> Block:
        time.sleep(0.5 * block.shape[1] / RATE)
        return super().process(block, {"amount": 0.0})


def played(chain: Gain) -> tuple[Engine, np.ndarray]:
    engine = Engine(chain, SettingsStore([]))
    engine.prepare(RATE, 1, BLOCK)
    sound = np.linspace(-0.5, 0.5, BLOCK, dtype=np.float32)[:, None]
    out = np.zeros_like(sound)
    engine.callback(sound, out)
    return engine, out - sound


def test_what_sleeps_is_waiting() -> None:
    engine, difference = played(Sleeper())
    stats = engine.stats()
    assert stats["waiting"]["max"] > 0.4
    assert stats["waiting"]["max"] <= stats["load"]["callback"]["max"] + 0.05
    assert not difference.any()


def test_what_waits_now_and_then_is_met() -> None:
    """Waiting is looked at in some calls only, but in calls of every place in a row of 2, 4 or 8."""
    engine = Engine(Gain(), SettingsStore([]))
    engine.prepare(RATE, 1, BLOCK)
    engine._store = SettingsStore(CONTROLS)
    sound = np.zeros((16, 1), np.float32)
    looked: set[int] = set()
    for call in range(64):
        before = engine.waiting.calls
        engine.callback(sound, np.zeros_like(sound))
        if engine.waiting.calls > before:
            looked.add(call % 8)
    assert looked == set(range(8))


def test_an_empty_block_and_a_new_start_leave_nothing_behind() -> None:
    engine, _ = played(Sleeper())
    engine.prepare(RATE, 1, BLOCK)
    engine.callback(np.zeros((0, 1), np.float32), np.zeros((0, 1), np.float32))
    assert engine.waiting.calls == 0
