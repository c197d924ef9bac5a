"""Laws of what the panel says of a host: every knob in one group, figures for people, what plays as a preset."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from models.extender.controls import CONTROLS
from plugin_host.panel.labels import (
    changed_by,
    curve_of,
    diff_rows,
    found_of,
    frame_of,
    groups_of,
    match_of,
    summary_of,
    title_of,
    words_of,
)
from plugin_host.panel.rendering.jobs import preset_of
from plugin_host.preset.file import list_presets, load_preset
from plugin_host.preset.nodes import nodes_of
from plugin_host.preset.schema import Preset
from plugin_host.session.host import LiveHost

KNOBS = [asdict(control) for control in CONTROLS]
PRESETS = [one.id for one in list_presets() if not one.file]


def chain_of(preset: Preset) -> list[dict[str, Any]]:
    """What a live host says of the chain of this preset."""
    stages = [SimpleNamespace(name=name, latency_samples=0, stage=None) for name in ("before", "extender", "after")]
    host = SimpleNamespace(sound=SimpleNamespace(preset=preset, chain=SimpleNamespace(stages=stages)))
    return LiveHost.chain(cast(LiveHost, host))


@pytest.mark.parametrize("name", PRESETS)
def test_what_a_host_says_of_its_chain_is_enough_to_set_it_again(name: str) -> None:
    preset = load_preset(name)
    assert preset.replace(**nodes_of(chain_of(preset), {})).plain() == preset.plain()


@pytest.mark.parametrize("name", PRESETS)
def test_what_plays_is_a_preset(name: str) -> None:
    preset = load_preset(name)
    values = {control.id: control.default for control in CONTROLS} | preset.settings
    settings = {knob: {"value": value, "text": "", "position": 0.0} for knob, value in values.items()}
    made = Preset.model_validate(preset_of({"chain": chain_of(preset)}, settings))
    assert (made.before, made.after) == (preset.before, preset.after)
    assert preset.settings.items() <= made.settings.items()
    assert not {"bypass", "delta"} & made.settings.keys()


def test_files_of_a_preset_are_found_from_any_other_folder_and_kept_as_they_are_for_its_own(tmp_path: Path) -> None:
    effects = [{"effect": "Convolution", "settings": {"impulse_response_filename": "../rooms/hall.wav"}}]
    plugins = [{"plugin": "Far.vst3", "bypass": True}, {"plugin": "/x/Y.vst3"}]
    preset = Preset.model_validate({"schema": 1, "name": "Mine", "before": effects, "after": plugins})
    rows = chain_of(preset.placed_at(tmp_path / "mine" / "hall.json"))
    turned = {"before.0.mix": {"value": 0.25, "text": "", "position": 0.25}}
    made = Preset.model_validate(preset_of({"chain": rows}, turned))
    hall, mine = tmp_path / "mine" / "../rooms/hall.wav", tmp_path / "mine"
    assert made.before[0].settings == {"impulse_response_filename": str(hall), "mix": 0.25}
    assert [getattr(node, "plugin", "") for node in made.after] == [str(mine / "Far.vst3"), "/x/Y.vst3"]
    assert preset.replace(**nodes_of(rows, {})).plain() == preset.plain()


def test_every_knob_is_in_one_group_under_its_effect() -> None:
    effect = {"id": "after.0.ratio", "name": "Compressor ratio", "unit": ""}
    chain = [{"name": "after", "effects": [{"title": "Compressor"}]}]
    groups = dict(groups_of([*KNOBS, effect], chain, ("bypass", "delta")))
    assert [knob["label"] for knob in groups["Compressor (after)"]] == ["ratio"]
    assert [knob["id"] for knob in groups["Extender"]] == [
        one.id for one in CONTROLS if one.id not in ("bypass", "delta")
    ]


def test_figures_are_shown_with_their_parts_and_a_missing_one_is_no_fault() -> None:
    latency = {"unit": "samples", "device": 256, "extender": 0, "after": 72, "sum": 328}
    load = {"callback": {"p50": 0.02, "p99": 0.1}}
    stats = {"sample_rate": 48000, "latency": latency, "load": load, "xruns": 2, "device": {"name": "x", "state": "y"}}
    words = dict(words_of(stats, {"in": {"rms_db": [-20.0]}, "out": {"rms_db": [-18.5]}}, is_away=False))
    assert words["Latency"] == "328 samples (6.8 ms) = device 256 + extender 0 + after 72"
    assert words["CPU"] == "typically 2.0 % of the time for a block, 1 in 100 above 10.0 %"
    assert (words["Device"], words["Dropped by the device"], words["Out against in"]) == (
        "x, y, 48 kHz",
        "2",
        "+1.5 dB",
    )
    assert "Waiting for the system" not in words
    assert summary_of(stats | {"missed": 3}, is_away=False) == "2 % · 6.8 ms · 5 dropped"
    assert (summary_of({}, is_away=False), summary_of(stats, is_away=True)) == ("0 dropped", "no host")
    assert dict(words_of({}, {}, is_away=False))["Out against in"] == "silent"
    busy = stats | {"waiting": {"p50": 0.001, "p99": 0.05}, "resting": True, "relief": ["spectra off"]}
    words = dict(words_of(busy, {}, is_away=False))
    assert words["Waiting for the system"] == "typically 0.1 % of the time for a block, 1 in 100 above 5.0 %"
    assert (words["Playing"], words["Saving time"]) == ("the aligned input, while the chain rests", "spectra off")
    assert words_of(stats, {}, is_away=True) == [("Host", "away")]


def test_the_picture_marks_the_crossover_that_is_chosen_or_found() -> None:
    stats, ceiling = {"sample_rate": 44100, "crossover_hz": 7300.0}, {"value": 14000.0}
    frame = frame_of({"in": [None, -3.14]}, stats, {"crossover": {"value": 0.0}, "ceiling": ceiling})
    assert (frame["in"], frame["crossover"], frame["ceiling"]) == ([-120.0, -3.1], 7300.0, 14000.0)
    assert (frame["is_auto"], frame["moves"]) == (True, {})
    chosen = {"crossover": {"value": 5000.0}}
    frame = frame_of({}, stats, chosen, KNOBS)
    assert (frame["crossover"], frame["is_auto"]) == (5000.0, False)
    assert frame["moves"] == {"crossover": [2000.0, 20000.0, 0.0]}
    assert (found_of(stats, chosen), found_of(stats, {"crossover": {"value": 0.0}})) == (0.0, 7300.0)


def test_the_nodes_of_the_curve_are_knobs_at_rising_frequencies() -> None:
    settings = {name: {"value": 0.0} for name in ("curve_18k", "curve_3k", "amount")} | {"curve_8k": {"value": -3.0}}
    nodes = curve_of(settings, KNOBS)
    assert [(node["id"], node["hz"], node["value"]) for node in nodes] == [
        ("curve_3k", 3000.0, 0.0), ("curve_8k", 8000.0, -3.0), ("curve_18k", 18000.0, 0.0)
    ]  # fmt: skip
    assert all((node["unit"], node["default"]) == ("dB", 0.0) for node in nodes)


def test_what_a_preset_changed_is_shown_from_what_to_what() -> None:
    before = {"amount": {"value": 0.0, "text": "0 dB"}, "tone": {"value": 1.0, "text": "1 %"}}
    after = {"amount": {"value": -3.0, "text": "-3 dB"}, "tone": {"value": 1.0, "text": "1 %"}}
    assert changed_by("Old tape", before, after, KNOBS) == "Old tape changed Amount 0 dB → -3 dB"
    assert changed_by("Same", before, before, KNOBS) == "Same changed no knob"
    effect = {"after.0.ratio": {"value": 2.0, "text": "2"}}
    assert changed_by("Loud", before, before | effect, KNOBS) == "Loud changed the effects"


def test_what_a_preset_would_change_has_names_for_people() -> None:
    diff = {"amount": {"now": "0 dB", "then": "-3 dB"}, "after": {"now": "none", "then": "Gain"}}
    assert diff_rows(diff, KNOBS) == [("Amount", "0 dB", "-3 dB"), ("Effects after", "none", "Gain")]


def test_the_loudness_match_shows_its_offset_and_who_is_turned_down() -> None:
    assert title_of({}) == "no preset"
    assert (title_of({"preset": "x"}), title_of({"preset": "x", "preset_title": "X"})) == ("x", "X")
    assert match_of({}) == match_of({"match": {"on": False, "offset_db": 2.0}}) == "match"
    assert "Loudness match" not in dict(words_of({"match": {"on": False}}, {}, is_away=False))
    stats: dict[str, Any] = {"match": {"on": True, "offset_db": None, "turned_down": ""}}
    assert match_of(stats) == "match: listening"
    stats = {"match": {"on": True, "offset_db": 2.25, "turned_down": "wet"}}
    assert match_of(stats) == "match: +2.2 dB"
    rows = dict(words_of(stats, {}, is_away=False))["Loudness match"]
    assert rows == "processed +2.2 dB louder: processed is turned down"
