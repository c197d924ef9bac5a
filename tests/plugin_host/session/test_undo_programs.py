"""Laws of undo over preset loads and chain edits: one step brings effects, name, settings and artifact back, and the
generated band never goes.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from plugin_host.chain.program import build
from plugin_host.control.host import load_preset, set_chain
from plugin_host.devices.clocked import ClockedDevice
from plugin_host.preset.file import Preset, save_preset, user_folder
from plugin_host.session.host import LiveHost
from plugin_host.settings.store import SettingsStore
from tests.plugin_host.engine.test_swap import BLOCK, RATE, band_db, dull, play


@pytest.fixture
def host(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> LiveHost:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    sound = build("", None)
    made = LiveHost(sound, SettingsStore(sound.controls), ClockedDevice(RATE, 2, BLOCK), "low latency")
    made.engine.is_timed = False
    made.engine.prepare(RATE, 2, BLOCK)
    return made


def state(host: LiveHost) -> tuple[object, ...]:
    """All that undo has to bring back."""
    stats, now = host.stats(), host.store.snapshot()
    effects = [(part["name"], [one["node"] for one in part["effects"]]) for part in host.chain()]
    return stats["preset"], stats["artifact"], effects, now.slot, host.store.targets(), host.store.controls


def test_undo_and_redo_of_every_kind_of_step_lead_through_the_same_states(host: LiveHost) -> None:
    store = host.store
    user_folder().mkdir(parents=True)
    effects = [{"effect": "Gain", "settings": {"gain_db": 3.0}}]
    save_preset(
        Preset.model_validate({"name": "Other", "artifact": "studio", "after": effects}), user_folder() / "other.json"
    )
    steps: list[Callable[[], object]] = [
        lambda: store.request("amount", -3.0, "test"),
        lambda: load_preset(store, host, "dull-vocal", "test"),
        lambda: store.request("after.0.ceiling_db", -7.5, "test"),
        lambda: set_chain(store, host, [{"effect": "HighpassFilter"}], [], "test"),
        lambda: store.request("before.0.cutoff_frequency_hz", 60.0, "test"),
        lambda: store.select_slot("B", "test"),
        lambda: load_preset(store, host, "other", "test"),
        lambda: set_chain(store, host, [], [{"effect": "Gain", "settings": {"gain_db": -6.0}}], "test"),
        lambda: load_preset(store, host, "other", "test"),
    ]
    states = [state(host)]
    for step in steps:
        step()
        states.append(state(host))
    assert states[7][1] == "studio"
    assert states[8][4]["after.0.gain_db"] == -6.0  # type: ignore[index]
    for expected in reversed(states[:-1]):
        store.undo("test", host.play)
        assert state(host) == expected
    for expected in states[1:]:
        store.redo("test", host.play)
        assert state(host) == expected


def test_undo_across_a_swap_leaves_no_interval_without_the_band(host: LiveHost) -> None:
    store, sound = host.store, dull(2.0)
    store.begin({"crossover": 8000.0}, "test")
    steady = band_db(play(host.engine, sound))[25:]
    set_chain(store, host, [{"effect": "HighpassFilter"}], [], "test")
    parts = [play(host.engine, sound[:, : RATE // 2])]
    for way in (store.undo, store.redo, store.undo):
        way("test", host.play)
        parts.append(play(host.engine, sound[:, : RATE // 2]))
    levels = band_db(np.concatenate(parts, axis=1))
    assert levels.min() > steady.min() - 1.5
    assert levels.max() < steady.max() + 1.5


def test_a_preset_whose_file_is_gone_is_still_undone_and_one_that_can_not_be_built_is_refused(
    host: LiveHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = host.store
    user_folder().mkdir(parents=True)
    path = user_folder() / "mine.json"
    save_preset(Preset.model_validate({"name": "Mine", "before": [{"effect": "HighpassFilter"}]}), path)
    load_preset(store, host, "mine", "test")
    load_preset(store, host, "old-tape", "test")
    path.unlink()
    store.undo("test", host.play)
    assert host.stats()["preset"] == "mine"
    now = state(host)

    def fail(*_: object) -> None:
        raise ValueError("the artifact is gone")

    monkeypatch.setattr("plugin_host.session.host.build_around", fail)
    with pytest.raises(ValueError, match="the artifact is gone"):
        store.undo("test", host.play)
    assert state(host) == now
