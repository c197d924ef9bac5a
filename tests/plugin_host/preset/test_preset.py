"""Laws of presets: round trips are exact, mistakes are shown where they stand, nothing crashes the reader."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib import resources
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.extender import controls as knobs
from plugin_host.preset import file as module
from plugin_host.preset.effect_catalogue import EFFECTS
from plugin_host.preset.file import Preset, PresetError, list_presets, load_preset, parse_preset, save_preset

BUNDLED = sorted(entry.name.removesuffix(".json") for entry in resources.files("presets").iterdir()
                 if entry.name.endswith(".json"))  # fmt: skip
PROMISED = {
    "default", "phone-guest", "old-tape", "mp3-rescue", "dull-vocal", "drum-air", "acoustic-sparkle", "lo-fi-synth",
    "full-band-transparent", "podcast-brightener", "archive-restoration",
}  # fmt: skip
PLUGIN = '{"before": [{"plugin": "a.vst3", "settings": {"x": 1, "on": true}, "state": "AAAA"}]}'

JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=9), inner, max_size=4),
    max_leaves=12,
)
FIELDS = ["schema", "name", "description", "artifact", "artifact_hash", "settings", "before", "after", "schema_version"]


@pytest.fixture(autouse=True)
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A user's folder of the test's own."""
    folder = tmp_path / "user"
    folder.mkdir()
    monkeypatch.setattr(module, "user_folder", lambda: folder)
    return folder


def refusal(text: str | bytes) -> str:
    with pytest.raises(PresetError) as caught:
        parse_preset(text, "mine.json")
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_the_promised_presets_are_there() -> None:
    assert set(BUNDLED) >= PROMISED
    assert [preset.id for preset in list_presets()] == BUNDLED


@pytest.mark.parametrize("stem", BUNDLED)
def test_a_bundled_preset_is_written_as_it_stands(stem: str) -> None:
    preset = load_preset(stem)
    assert preset.name
    assert preset.description
    assert preset.to_text() == resources.files("presets").joinpath(f"{stem}.json").read_text(encoding="utf-8")
    # Nothing that only one machine has, and nothing that is a state of listening.
    assert all(hasattr(node, "effect") for node in preset.nodes)
    assert not {"bypass", "delta"} & set(preset.settings)


@pytest.mark.parametrize("stem", BUNDLED)
def test_save_load_save_is_identical(stem: str, tmp_path: Path) -> None:
    first = save_preset(load_preset(stem), tmp_path / "a.json")
    save_preset(load_preset(tmp_path / "a.json"), tmp_path / "b.json")
    assert (tmp_path / "a.json").read_bytes() == (tmp_path / "b.json").read_bytes()
    assert first.plain() == load_preset(stem).plain()
    assert sorted(path.name for path in tmp_path.glob("*.*")) == ["a.json", "b.json"]


def test_texts_are_read_and_plain_values_written() -> None:
    given = (
        '{"settings": {"crossover": "auto", "ceiling": "6.3 kHz", "bypass": "on", "delta": false, "amount": "-3 dB"}}'
    )
    preset = parse_preset(given)
    assert preset.settings == {"crossover": 0.0, "ceiling": 6300.0, "bypass": 1.0, "delta": 0.0, "amount": -3.0}
    written = preset.plain()["settings"]
    assert written == {"crossover": "auto", "ceiling": 6300, "bypass": 1, "delta": 0, "amount": -3}
    assert parse_preset(preset.to_text()) == preset


def test_what_is_missing_stands_at_its_default() -> None:
    assert parse_preset("{}").complete_settings() == knobs.defaults()
    assert parse_preset('{"settings": {"mix": 50}}').complete_settings() == knobs.defaults() | {"mix": 50.0}


def test_the_amount_curve_is_kept_in_a_preset_and_shown_where_one_would_change_it(tmp_path: Path) -> None:
    curve = {node: float(place - 3) for place, node in enumerate(knobs.NODES_HZ)}
    kept = save_preset(Preset.model_validate({"name": "Mine", "settings": curve}), tmp_path / "mine.json")
    assert curve.items() <= load_preset(kept.file or "").complete_settings().items()
    assert parse_preset("{}").diff(kept).keys() >= {node for node, value in curve.items() if value}


def test_unknown_keys_survive_a_round_trip() -> None:
    text = '{"author": {"b": [1, 2.5, null]}, "before": [{"effect": "Gain", "colour": "red"}], "model_config": 1}'
    plain = json.loads(parse_preset(text).to_text())
    assert plain["author"] == {"b": [1, 2.5, None]}
    assert plain["before"][0]["colour"] == "red"
    assert plain["model_config"] == 1


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ('{"a": 1,\n"b" 2}', 2, "not JSON"),
        ("[\n1]", 1, "must be an object"),
        ('{\n"name": 3}', 2, "name must be text"),
        ('{"name": "\\u001b[2J"}', 1, "control characters"),
        ('{\n\n"schema": 2}', 3, "update Highband"),
        ('{"schema": true}', 1, "schema must be 1"),
        ('{"settings": {\n"amount": 1,\n"crossovr": 3}}', 3, "the knobs are crossover, amount"),
        ('{"name": "a",\n"setings": {"mix": 0}}', 2, "'setings' is unknown here; 'settings' is known"),
        ('{"Settings": {"mix": 0}}', 1, "'settings' is known"),
        ('{"before": [{"effect": "Gain",\n"by-pass": true}]}', 2, "'bypass' is known"),
        ('{"settings": {"amount": 1,\n"mix": 101}}', 2, "mix must be between 0 and 100 %"),
        ('{"settings": {"mix":\n1e999}}', 1, "finite"),
        ('{"x": [1,\nNaN]}', 2, "finite"),
        ('{"x": ' + "9" * 5000 + "}", 1, "finite"),
        ('{"x": "\\ud800"}', 1, "surrogate"),
        ('{"before": [\n{"effect": "Comp"}]}', 2, "the effects are Bitcrush, BrickwallLimiter"),
        ('{"before": [{"effect": "Gain",\n"settings": {\n"gain": 3}}]}', 3, "it has gain_db"),
        ('{"before": [{"effect": "Gain",\n"settings": {\n"gain_db": 99}}]}', 3, "between -80 and 36 dB"),
        ('{"after": [{"effect": "Gain"},\n{"effect": "PitchShift"}]}', 2, "block by block"),
        ('{"after": [{"effect": "Gain"},\n{"efect": "Gain"}]}', 2, '{"effect": name}'),
        ('{"after": [{"effect": "Gain",\n"bypass": 1}]}', 2, "bypass must be true or false"),
        ('{"after": [{"plugin": "a.vst3",\n"state": "%%"}]}', 2, "base64"),
        ('{"after": 3}', 1, "after must be a list"),
        ('{"artifact": "../../etc"}', 1, "without a folder"),
        ('{"artifact_hash": "xyz"}', 1, "hexadecimal"),
        ('{"name": "a",\n"name": "b"}', 2, "stands twice"),
        ("[" * 100_000, 1, ""),
    ],
)
def test_a_mistake_is_shown_where_it_stands(text: str, line: int, words: str) -> None:
    refused = refusal(text)
    assert refused.startswith(f"mine.json, line {line}: ")
    assert words in refused


def test_bytes_that_are_no_text_are_refused_with_their_line() -> None:
    assert refusal(b'{\n"name": "\xff"}').startswith("mine.json, line 2: ")
    assert "MiB" in refusal(b" " * (module.LARGEST_BYTES + 1))
    assert parse_preset(b"\xef\xbb\xbf{}") == parse_preset("{}")


def refused_or_kept(text: str | bytes) -> None:
    """Either one sentence with a line, or a preset that makes a round trip."""
    refused, kept = "", ""
    try:
        kept = parse_preset(text).to_text()
    except PresetError as error:
        refused = str(error)
    assert "line " in refused or parse_preset(kept).to_text() == kept
    assert "\n" not in refused


@given(st.binary(max_size=200))
def test_random_bytes_never_crash_the_reader(data: bytes) -> None:
    refused_or_kept(data)


@settings(max_examples=200)
@given(st.dictionaries(st.sampled_from(FIELDS) | st.text(max_size=6), JSON, max_size=6))
def test_random_json_is_refused_in_words_or_makes_a_round_trip(tree: dict[str, Any]) -> None:
    refused_or_kept(json.dumps(tree))


@settings(max_examples=200)
@given(
    st.sampled_from(sorted(EFFECTS)), st.dictionaries(st.sampled_from(["gain_db", "q", "mix", "mode", "x"]), JSON), JSON
)
def test_random_nodes_are_refused_in_words_or_make_a_round_trip(name: str, values: dict[str, Any], extra: Any) -> None:
    for node in ({"effect": name, "settings": values, "x": extra}, {"plugin": name, "settings": values}, extra):
        refused_or_kept(json.dumps({"after": [node]}))


def test_a_name_never_leaves_the_folders(own_folder: Path) -> None:
    (own_folder.parent / "secret.json").write_text("{}")
    (own_folder / "Mine.json").write_text('{"name": "My own"}')
    assert load_preset("mine").name == "My own"
    assert load_preset("PHONE-guest").id == "phone-guest"
    assert [preset.id for preset in list_presets()][-1] == "Mine"
    for name in ("secret", "..", "", "*", "mine\0"):
        with pytest.raises(PresetError, match="the presets are"):
            load_preset(name)


def test_paths_that_can_not_be_read_are_named_in_one_sentence(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "none.json", "a/\0.json"):
        with pytest.raises(PresetError, match=r"is not a file|can't be read"):
            load_preset(path)


def test_a_bad_file_of_the_user_hides_no_other(own_folder: Path) -> None:
    (own_folder / "bad.json").write_text('{\n"schema": 9}')
    assert [preset.id for preset in list_presets()] == BUNDLED
    with pytest.raises(PresetError, match="line 2"):
        load_preset("bad")


def test_a_failed_save_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.json"
    save_preset(Preset(name="old"), path)

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(PresetError, match="No space left"):
        save_preset(Preset(name="new"), path)
    assert load_preset(path).name == "old"
    assert [entry.name for entry in tmp_path.glob("*a.*")] == ["a.json"]


def test_plug_ins_are_saved_only_for_presets_from_a_local_file(tmp_path: Path) -> None:
    with pytest.raises(PresetError, match="only a preset from a file of yours"):
        save_preset(parse_preset(PLUGIN), tmp_path / "a.json")
    (tmp_path / "mine.json").write_text(PLUGIN)
    (tmp_path / "sub").mkdir()
    moved = save_preset(load_preset(tmp_path / "mine.json"), tmp_path / "sub" / "b.json")
    assert moved.before[0].model_dump()["plugin"] == str(tmp_path / "a.vst3")


def test_diff_shows_what_changes() -> None:
    default, phone = load_preset("default"), load_preset("phone-guest")
    assert default.diff(default) == {}
    changes = default.diff(phone)
    assert changes["ceiling"] == ("22 kHz", "14 kHz")
    assert changes["before"] == ("none", "HighpassFilter (cutoff_frequency_hz 100)")
    assert "mix" not in changes
    off = phone.replace(before=[{"effect": "HighpassFilter", "bypass": True}])
    assert phone.diff(off) == {"before": (changes["before"][1], "HighpassFilter, bypassed")}


def test_reading_presets_loads_no_heavy_library() -> None:
    heavy = "{'torch', 'pedalboard', 'numpy', 'soundfile'}"
    code = f"import sys, plugin_host.preset.file; sys.exit(bool({heavy} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
