"""Laws of the service: what other interfaces learn, bind and see is what the controller does, and it is kept."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from models.extender import controls as knobs
from plugin_host.control.client import HostError
from plugin_host.control.zmq_server import ZmqControl
from plugin_host.midi.control_surface import Surface
from plugin_host.midi.controller import MidiControl
from plugin_host.midi.map import MidiMap
from plugin_host.midi.map_file import load_map
from plugin_host.midi.service import MidiService
from plugin_host.session.interfaces import InterfaceOptions, make_interfaces
from plugin_host.settings.changes import SettingsError
from plugin_host.settings.store import SettingsStore
from tests.plugin_host.fake_host import ANY, FakeHost, client

MAP = MidiMap.model_validate(
    {"bindings": [{"control": "mix", "cc": 70}, {"control": "tone", "cc": 71}, {"control": "drive", "cc": 71}]}
)


class Rig:
    """A controller, its service and what was kept."""

    def __init__(self) -> None:
        self.store = SettingsStore(knobs.CONTROLS)
        self.surface = Surface(self.store, lambda name, origin: None, knobs.CONTROLS, MAP)
        self.kept: list[MidiMap] = []
        self.ports: list[str] = []
        self.service = MidiService(self.surface, lambda: "Giver", "rig", self.kept.append, self.ports.append)

    def turn(self, number: int, *values: int, now: float = 0.0) -> None:
        for value in values:
            self.surface.receive([0xB0, number, value], now)
        self.surface.update(now)


@pytest.fixture
def rig() -> Rig:
    return Rig()


def sources(state: Mapping[str, Any]) -> dict[str, str]:
    return {binding["control"]: binding["source"] for binding in state["bindings"]}


def test_a_control_that_waits_is_shown_until_it_takes_hold(rig: Rig) -> None:
    assert rig.service.now()["ghosts"] == {}
    rig.turn(70, 32)
    assert rig.service.now()["ghosts"] == {"mix": pytest.approx(32 / 127, abs=1e-4)}
    assert rig.store.targets()["mix"] == 100.0
    rig.turn(70, 127)
    assert rig.service.now()["ghosts"] == {}
    rig.store.request("mix", 10.0, "panel")
    rig.surface.update(0.1)
    assert rig.service.now()["ghosts"] == {"mix": 1.0}


def test_learning_is_shown_and_what_was_learned_raises_the_revision(rig: Rig) -> None:
    before = rig.service.state()
    rig.service.learn("amount")
    assert rig.service.now()["learning"] == "amount"
    rig.turn(20, 1, 60, 90, now=1.0)
    rig.surface.update(3.0)
    after = rig.service.state()
    assert (after["learning"], sources(after)["amount"]) == (None, "cc 20 on channel 1")
    assert after["revision"] > before["revision"]


def test_what_loses_its_control_is_named_and_gets_it_back_by_undo(rig: Rig) -> None:
    with pytest.raises(SettingsError, match="not changed yet"):
        rig.service.undo()
    assert rig.service.state()["taken"] == []
    rig.service.learn("amount")
    rig.turn(71, 1, 60, 90, now=1.0)
    rig.surface.update(3.0)
    assert rig.surface.midi_map.news_of(rig.surface.midi_map.bindings[-1], MAP) == (
        "cc 71 on channel 1 moves amount, and tone no longer, and drive no longer"
    )
    learned = rig.service.state()
    assert (sources(learned), learned["taken"]) == (
        {"mix": "cc 70", "amount": "cc 71 on channel 1"},
        ["tone", "drive"],
    )
    rig.service.undo()
    assert (rig.surface.midi_map, rig.kept) == (MAP, [MAP])
    # Another number for the same knob takes nothing from another.
    rig.service.bind({"control": "mix", "cc": 75})
    assert rig.service.state()["taken"] == []


def test_learning_that_is_cancelled_changes_nothing(rig: Rig) -> None:
    before = rig.service.state()
    rig.service.learn("amount")
    rig.turn(20, 1, 60, 90, now=1.0)
    rig.service.cancel()
    rig.surface.update(3.0)
    assert rig.service.state() == before
    with pytest.raises(SettingsError, match="there is no knob"):
        rig.service.learn("loudness")


def test_a_binding_is_edited_in_place_and_what_was_edited_is_kept(rig: Rig) -> None:
    rig.service.bind({"control": "tone", "cc": 71, "takeover": False})
    assert sources(rig.service.state()) == {"mix": "cc 70", "tone": "cc 71", "drive": "cc 71"}
    rig.service.bind({"control": "tone", "cc": 70})
    assert sources(rig.service.state()) == {"tone": "cc 70", "drive": "cc 71"}
    rig.service.unbind("drive")
    assert sources(rig.service.state()) == {"tone": "cc 70"}
    assert [len(kept.bindings) for kept in rig.kept] == [3, 2, 1]


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"control": "tone"}, "exactly one of"), ({"control": "tone", "cc": 200}, "cc"),
        ({"control": "loudness", "cc": 1}, "loudness"), ({"cc": 1}, "control"),
        ({"control": "tone", "note": 3}, "a note must have"),
    ],
)  # fmt: skip
def test_a_wrong_binding_is_refused_in_a_sentence_and_nothing_changes(
    rig: Rig, fields: dict[str, Any], why: str
) -> None:
    before = rig.service.state()
    with pytest.raises(SettingsError, match=why) as refusal:
        rig.service.bind(fields)
    assert refusal.value.kind == "bad_binding"
    assert "\n" not in str(refusal.value)
    assert (rig.service.state(), rig.kept) == (before, [])


def test_the_desk_is_open_to_clients_and_its_moves_are_published(rig: Rig) -> None:
    control = ZmqControl(rig.store, FakeHost(), ANY, ANY, rate_hz=200.0, midi=rig.service)
    control.start()
    try:
        with client(control) as asker:
            assert asker.ask("midi_learn", knob="amount")["midi"]["learning"] == "amount"
            news = asker.watch(["midi"], 20.0)
            assert next(news)["data"]["learning"] == "amount"
            asker.ask("midi_cancel")
            assert sources(asker.ask("midi_unbind", knob="mix")["midi"]) == {"tone": "cc 71", "drive": "cc 71"}
            rig.turn(71, 100)
            assert next(message for message in news if message["data"]["ghosts"])["data"]["ghosts"].keys() == {
                "tone", "drive",
            }  # fmt: skip
            with pytest.raises(HostError, match="nothing of the controller"):
                asker.ask("midi_unbind", knob="mix")
    finally:
        control.stop()


def test_without_a_controller_learning_is_refused() -> None:
    control = ZmqControl(SettingsStore(knobs.CONTROLS), FakeHost(), ANY, ANY)
    control.start()
    try:
        with client(control) as asker:
            assert asker.ask("midi")["midi"] is None
            asker.ask("midi_cancel")
            with pytest.raises(HostError, match="start highband live with --midi"):
                asker.ask("midi_learn", knob="amount")
    finally:
        control.stop()


def test_what_a_live_session_learns_is_in_the_file_of_its_map(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("platformdirs.user_config_path", lambda *words, **more: tmp_path)

    class Host(FakeHost):
        store = SettingsStore(knobs.CONTROLS)
        sound = type("Sound", (), {"controls": knobs.CONTROLS})

    said: list[str] = []
    interfaces = make_interfaces(InterfaceOptions(midi="nobody", midi_map="eight-knobs"), Host(), said.append)  # type: ignore[arg-type]
    assert isinstance(interfaces[-1], MidiControl)
    surface = interfaces[-1].surface
    surface.learn("ceiling")
    for value in (1, 60, 90):
        surface.receive([0xB0, 119, value], 0.0)
    surface.update(5.0)
    found = {binding.control: binding.source_text for binding in load_map("eight-knobs").bindings}
    assert found["ceiling"] == "cc 119 on channel 1"
    assert (tmp_path / "controllers" / "eight-knobs.json").is_file()
    assert "from now on" in said[-1]
