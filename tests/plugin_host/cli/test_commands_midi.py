"""Laws of the MIDI commands: what they print, what they write, and one sentence where they can't."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from plugin_host.cli import midi as commands_midi
from plugin_host.cli.app import app
from plugin_host.midi import map_file as midi_map_file
from plugin_host.midi import ports as midi_port
from plugin_host.midi.map_file import load_map
from plugin_host.midi.messages import Decoder

TURNED = [[0xB2, 21, value] for value in range(0, 120, 10)]


class Port:
    """A controller that sends a few messages and then rests."""

    name = "Giver:knobs"
    messages: Sequence[Sequence[int]] = ()

    def __init__(self, wanted: str, api: str | None) -> None:
        self._waiting = list(self.messages)

    def look(self) -> bool:
        return True

    def receive(self, most: int) -> list[Sequence[int]]:
        came, self._waiting = self._waiting, []
        return came

    def close(self) -> None:
        pass


@pytest.fixture(autouse=True)
def _rig(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(midi_map_file, "user_folder", lambda: tmp_path / "controllers")
    monkeypatch.setattr(midi_port, "MidiPort", Port)
    monkeypatch.setattr(Port, "messages", TURNED)


def run(*words: str) -> Result:
    return CliRunner().invoke(app, ["midi", *words])


def test_a_control_is_learned_into_a_copy_of_the_shipped_map(tmp_path: Path) -> None:
    done = run("learn", "mix", "--map", "cc-70-79")
    assert done.exit_code == 0, done.output
    written = load_map(tmp_path / "controllers" / "cc-70-79.json")
    assert [one.source_text for one in written.bindings if one.control == "mix"] == ["cc 21 on channel 3"]
    assert len(written.bindings) == len(load_map(tmp_path / "controllers" / "cc-70-79.json").bindings)
    assert load_map("cc-70-79") == written


def test_where_nothing_comes_in_nothing_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Port, "messages", [])
    done = run("learn", "mix", "--seconds", "0.1")
    assert (done.exit_code, list(tmp_path.iterdir())) == (1, [])
    assert "nothing came from Giver:knobs" in done.output


@pytest.mark.parametrize("words", [["learn", "volume"], ["learn", "mix", "--map", "nine"], ["maps", "nine"]])
def test_a_wrong_name_is_wrong_usage_and_one_sentence(words: list[str]) -> None:
    done = run(*words)
    assert done.exit_code == 2
    assert len(done.output.splitlines()) == 1


def test_the_monitor_prints_every_meaning() -> None:
    done = run("monitor", "--seconds", "0.05")
    assert done.exit_code == 0
    assert "b2 15 0a     cc 21 = 10 (channel 3) | cc14 21 = 1290 (channel 3)" in done.output


@pytest.mark.parametrize(
    ("data", "words"), [((0xE0, 0, 64), "pitchwheel channel=0 pitch=0"), ((0xB0, 1), "malformed"), ((), "malformed")]
)
def test_the_monitor_names_what_moves_no_knob(data: tuple[int, ...], words: str) -> None:
    assert commands_midi.describe(data, Decoder().read(data)).split(" ", len(data) or 1)[-1].strip() == words


def test_maps_are_listed_and_shown() -> None:
    assert "eight-knobs" in run("maps").output
    assert "program 0" in run("maps", "eight-knobs").output


def test_a_missing_library_is_one_sentence_that_names_the_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "rtmidi", None)
    done = run("ports")
    assert done.exit_code == 1
    assert "pip install python-rtmidi" in done.output
    assert len(done.output.splitlines()) == 1


def test_a_machine_without_midi_is_asked_to_start_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(midi_port, "_may_answer", lambda api: False)
    done = run("ports")
    assert done.exit_code == 1
    assert "no MIDI system answers; start JACK" in done.output
