"""Laws of controller maps: they come back as they were saved, and a wrong one says where and what to do."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plugin_host.midi import map_file as midi_map_file
from plugin_host.midi.map import Binding, MidiMap
from plugin_host.midi.map_file import MidiMapError, list_maps, load_map, parse_map, save_map, user_file
from plugin_host.preset.file import load_preset

SHIPPED = ("cc-70-79", "eight-knobs")


@pytest.fixture(autouse=True)
def _own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(midi_map_file, "user_folder", lambda: tmp_path / "controllers")


def test_two_maps_are_shipped() -> None:
    assert tuple(found.id for found in list_maps()) == SHIPPED


@pytest.mark.parametrize("name", SHIPPED)
def test_a_shipped_map_names_what_there_is(name: str) -> None:
    midi_map = load_map(name)
    assert midi_map.name
    assert "bypass" in {binding.control for binding in midi_map.bindings}
    for preset in midi_map.programs.values():
        load_preset(preset)


@pytest.mark.parametrize("name", SHIPPED)
def test_save_load_save_is_the_same_bytes(name: str, tmp_path: Path) -> None:
    first, second = tmp_path / "one.json", tmp_path / "two.json"
    save_map(load_map(name), first)
    save_map(load_map(first), second)
    assert first.read_bytes() == second.read_bytes()


def test_what_a_newer_program_wrote_is_kept() -> None:
    text = '{"schema": 1, "mood": "blue", "bindings": [{"control": "mix", "cc": 1, "colour": [1, 2]}]}'
    again = parse_map(parse_map(text).to_text()).to_text()
    assert '"mood": "blue"' in again
    assert '"colour"' in again


def test_a_users_map_hides_the_shipped_one_of_its_name() -> None:
    save_map(MidiMap(name="mine"), user_file("eight-knobs"))
    assert load_map("Eight-Knobs").name == "mine"
    assert sorted(found.id for found in list_maps()) == sorted(SHIPPED)


def test_a_broken_map_is_listed_with_its_fault() -> None:
    path = user_file("broken")
    path.parent.mkdir()
    path.write_text('{"bindings": [\n{"control": "mixx", "cc": 1}]}', encoding="utf-8")
    found = next(one for one in list_maps() if one.id == "broken")
    assert found.midi_map is None
    assert f"{path}, line 2" in found.fault
    with pytest.raises(MidiMapError, match="line 2"):
        load_map("broken")


@pytest.mark.parametrize("name", ["", "../evil", "a/b", ".hidden", "a\\b", "c:d", "end."])
def test_a_name_that_is_no_file_name_is_refused(name: str) -> None:
    with pytest.raises(MidiMapError):
        user_file(name)


def test_an_unknown_name_lists_the_known_ones() -> None:
    with pytest.raises(MidiMapError, match="cc-70-79, eight-knobs"):
        load_map("nine-knobs")


def test_a_failed_save_leaves_the_old_file_and_nothing_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "map.json"
    save_map(MidiMap(name="old"), path)

    def full(source: str, target: Path) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(MidiMapError, match="No space left"):
        save_map(MidiMap(name="new"), path)
    monkeypatch.undo()
    assert load_map(path).name == "old"
    assert [entry.name for entry in tmp_path.iterdir()] == ["map.json"]


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ('{"schema": 2}', 1, "update Highband"),
        ('{"bindings": [\n\n{"control": "volume", "cc": 1}]}', 3, "the knobs are"),
        ('{"bindings": [\n{"control": "mix"}]}', 2, "exactly one"),
        ('{"bindings": [\n{"control": "mix", "cc": 1, "nrpn": 1}]}', 2, "exactly one"),
        ('{"bindings": [{"control": "mix",\n"cc": 120}]}', 2, "119"),
        ('{"bindings": [{"control": "mix",\n"cc": "1"}]}', 2, "integer"),
        ('{"bindings": [{"control": "mix", "cc": 1,\n"channel": 0}]}', 2, "1"),
        ('{"bindings": [{"control": "mix", "cc": 1,\n"kind": "toggle"}]}', 2, "switches"),
        ('{"bindings": [{"control": "bypass",\n"note": 1}]}', 2, "toggle or hold"),
        ('{"bindings": [{"control": "mix", "nrpn": 1,\n"kind": "binary_offset"}]}', 2, "encoders"),
        ('{"bindings": [{"control": "mix", "cc": 1},\n{"control": "mix", "cc": 1, "channel": 2}]}', 2, "twice"),
        ('{"programs": {"0": "a",\n"128": "b"}}', 1, "0 to 127"),
        ('{\n"name": "\\u001b[2J"}', 2, "name must hold no control characters"),
        ("{\n", 2, "not JSON"),
        ('{\n"x": NaN}', 2, "finite"),
        ('{\n"x": "\\ud800"}', 2, "half a character"),
        ('{"name": "a",\n"name": "b"}', 2, "stands twice"),
        ("[]", 1, "object"),
    ],
)
def test_a_wrong_map_is_refused_with_the_line(text: str, line: int, words: str) -> None:
    with pytest.raises(MidiMapError) as caught:
        parse_map(text, "rig.json")
    assert str(caught.value).startswith(f"rig.json, line {line}: ")
    assert words in str(caught.value)


@pytest.mark.parametrize(
    "data",
    [
        b"\xff\xfe",
        b'{"a": 1, "a": 2}',
        b'{"tolerance": NaN}',
        b'{"tolerance": 1e999}',
        b'{"schema": ' + b"9" * 5000 + b"}",
        b'{"name": "\\ud800"}',
        b"[" * 100_000,
        b"{" + b" " * 2**20 + b"}",
        b"\x00",
        b"",
    ],
    ids=range(10),
)
def test_a_hostile_map_is_one_sentence(data: bytes) -> None:
    with pytest.raises(MidiMapError) as caught:
        parse_map(data, "rig.json")
    assert str(caught.value).startswith("rig.json")
    assert "\n" not in str(caught.value)


@given(st.one_of(st.binary(max_size=60), st.text(alphabet='{}[]":,0129 bindgscorlmx', max_size=60)))
def test_random_bytes_never_crash_the_parser(data: bytes | str) -> None:
    with contextlib.suppress(MidiMapError):
        parse_map(data)


def test_a_learned_binding_stands_alone() -> None:
    before = MidiMap.model_validate(
        {"bindings": [{"control": "mix", "cc": 1}, {"control": "tilt", "cc": 2}, {"control": "tone", "cc": 3}]}
    )
    after = before.with_binding(Binding(control="mix", cc=2, channel=5))
    assert [(one.control, one.source_text) for one in after.bindings] == [
        ("tone", "cc 3"),
        ("mix", "cc 2 on channel 5"),
    ]
