"""A real port: two clients of a JACK server of our own, wired from outside; what one sends moves the other's knobs."""

from __future__ import annotations

import subprocess
from typing import Any

import pytest
import rtmidi

from models.extender import controls as knobs
from plugin_host.midi.controller import MidiControl
from plugin_host.midi.map import MidiMap
from plugin_host.midi.ports import list_ports
from plugin_host.settings.store import SettingsStore
from tests.plugin_host.fake_host import FakeHost
from tests.plugin_host.session.live_program import wait_for
from tests.stress.jack_dummy_server import DummyServer

MAP = MidiMap.model_validate(
    {
        "bindings": [
            {"control": "mix", "cc": 70, "takeover": False},
            {"control": "tone", "cc14": 1, "takeover": False},
            {"control": "bypass", "note": 36, "kind": "toggle"},
        ],
        "programs": {"3": "dull-vocal"},
    }
)


def shell(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(words, capture_output=True, text=True, check=False)


@pytest.fixture
def store() -> SettingsStore:
    return SettingsStore(knobs.CONTROLS)


def giver() -> Any:
    """A controller: a client of its own with one port."""
    made = rtmidi.MidiOut(rtmidi.API_UNIX_JACK, name="Giver")
    made.open_virtual_port("knobs")
    return made


def turn(hand: Any, value: int, store: SettingsStore) -> None:
    """Send until it arrives: what comes within the cycle in which a port was connected may be lost."""

    def has_arrived() -> bool:
        hand.send_message([0xB0, 70, value])
        return store.targets()["mix"] == pytest.approx(100 * value / 127)

    wait_for(has_arrived)


def control_of(store: SettingsStore, port: str, said: list[str], host: FakeHost | None = None) -> MidiControl:
    return MidiControl(store, host or FakeHost(), knobs.CONTROLS, MAP, port, "jack", said.append)


def test_a_virtual_port_wired_from_outside_plays_and_answers(server: DummyServer, store: SettingsStore) -> None:
    host, said = FakeHost(), list[str]()
    control, hand = control_of(store, "virtual", said, host), giver()
    lamp = rtmidi.MidiIn(rtmidi.API_UNIX_JACK, name="Lamp")
    lamp.open_virtual_port("ring")
    control.start()
    try:
        assert shell("jack_connect", "-s", server.name, "Giver:knobs", "Highband:in").returncode == 0
        out = next(line for line in shell("jack_lsp", "-s", server.name).stdout.split() if line.endswith(":out"))
        assert shell("jack_connect", "-s", server.name, out, "Lamp:ring").returncode == 0
        # A wire carries nothing before the server's next cycle.
        turn(hand, 0, store)
        for value in [*range(127), 40]:
            hand.send_message([0xB0, 70, value])
        for data in ([0xB0, 1, 64], [0xB0, 33, 5], [0x90, 36, 100], [0x80, 36, 0], [0xC0, 3]):
            hand.send_message(data)
        wait_for(lambda: host.loaded == ["dull-vocal"])
        assert store.targets()["bypass"] == 1.0
        # The preset moved the knobs, so each goes on from where its control is turned next.
        hand.send_message([0xB0, 70, 40])
        hand.send_message([0xB0, 33, 6])
        wait_for(lambda: store.targets()["mix"] == pytest.approx(100 * 40 / 127))
        wait_for(lambda: store.targets()["tone"] == pytest.approx(-100 + 200 * (64 << 7 | 6) / 16383))
        while lamp.get_message() is not None:
            pass
        store.request("mix", 100.0, "panel")
        wait_for(lambda: lamp.get_message() == ([0xB0, 70, 127], pytest.approx(0.0, abs=60.0)))
    finally:
        control.stop()
        for client in (hand, lamp):
            client.delete()


def test_a_controller_that_goes_and_comes_back_plays_again(server: DummyServer, store: SettingsStore) -> None:
    said: list[str] = []
    control, hand = control_of(store, "give", said), giver()
    assert "Giver:knobs" in [port.name for port in list_ports("jack")]
    control.start()
    try:
        assert said == ["MIDI plays from Giver:knobs"]
        turn(hand, 0, store)
        hand.delete()
        wait_for(lambda: not control.port_name)
        hand = giver()
        wait_for(lambda: bool(control.port_name))
        turn(hand, 127, store)
        assert len(said) == 3
    finally:
        control.stop()
        hand.delete()


def test_closing_a_port_while_its_controller_plays_stops_nothing_else(
    server: DummyServer, store: SettingsStore
) -> None:
    hand = giver()
    try:
        for _ in range(3):
            control = control_of(store, "Giver", [])
            control.start()
            for value in range(500):
                hand.send_message([0xB0, 70, value % 128])
            control.stop()
            assert not control.port_name
    finally:
        hand.delete()
