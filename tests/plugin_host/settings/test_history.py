"""Laws of steps that change the program: undo brings it back with its knobs and slots, or leaves all as it is."""

from __future__ import annotations

import pytest

from models.control import Control
from models.extender import controls as knobs
from plugin_host.settings.changes import SettingsError
from plugin_host.settings.store import SettingsStore


def test_a_step_that_builds_brings_program_knobs_and_slots_back() -> None:
    gain, level = (Control("after.0.db", name, "dB", -60.0, 60.0, -2.0) for name in ("Gain", "Level"))
    made, playing = SettingsStore([*knobs.CONTROLS, gain]), ["first"]

    def play(program: str) -> None:
        playing[:] = [program]
        made.declare([*knobs.CONTROLS, gain if program == "first" else level])

    made.request("after.0.db", 20.0, "test")
    made.select_slot("B", "test")
    made.request("amount", 3.0, "test")
    before = made.targets()
    with made.one_step(lambda: playing[0]):
        play("second")
        # What another hand moves while it is built belongs to the same step.
        made.request("drive", 5.0, "midi")
        made.load({"tone": 25.0}, "test")
    after = made.targets()
    assert after == {**knobs.defaults(), "tone": 25.0, "after.0.db": -2.0}
    assert made.builds("undo")
    with pytest.raises(SettingsError, match="ask the host"):
        made.undo("test")
    made.undo("test", play)
    assert (made.targets(), playing, made.builds("undo")) == (before, ["first"], False)
    made.redo("test", play)
    assert (made.targets(), playing) == (after, ["second"])
    made.undo("test", play)
    made.undo("test")
    made.undo("test")
    assert (made.targets()["after.0.db"], made.snapshot().slot) == (20.0, "A")
    made.undo("test")
    assert made.targets() == knobs.defaults() | {"after.0.db": -2.0}


def test_a_program_that_can_not_be_played_again_leaves_everything_as_it_is() -> None:
    made, playing = SettingsStore(knobs.CONTROLS), ["first"]
    with made.one_step(lambda: playing[0]):
        playing[:] = ["second"]
        made.load({"tone": 25.0}, "test")

    def fail(program: str) -> None:
        raise ValueError("the plug-in is gone")

    with pytest.raises(ValueError, match="the plug-in is gone"):
        made.undo("test", fail)
    assert (made.targets()["tone"], made.snapshot().can_undo, made.snapshot().can_redo) == (25.0, True, False)
    made.request("amount", 3.0, "test")
    made.undo("test")
    assert made.targets()["amount"] == 0.0


def test_a_session_begins_without_a_step() -> None:
    made = SettingsStore(knobs.CONTROLS)
    made.begin({"amount": 3.0}, "session")
    assert (made.targets()["amount"], made.snapshot().can_undo) == (3.0, False)
