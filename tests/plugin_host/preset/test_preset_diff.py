"""Laws of the difference that a preset makes: all that it would change, and nothing that only reads differently."""

from __future__ import annotations

from typing import Any

import pytest

from models.extender import controls as knobs
from plugin_host.preset.diff import changes_by
from plugin_host.preset.file import Preset, list_presets, load_preset


def chain_of(preset: Preset) -> list[dict[str, Any]]:
    def effects(side: str) -> list[dict[str, Any]]:
        return [{"node": node.model_dump(exclude_none=True)} for node in getattr(preset, side)]

    return [{"name": side, "effects": effects(side)} for side in ("before", "after")]


@pytest.mark.parametrize("name", [preset.id for preset in list_presets()])
def test_a_preset_that_plays_changes_nothing(name: str) -> None:
    preset = load_preset(name)
    assert changes_by(preset, preset.complete_settings(), chain_of(preset)) == {}


def test_a_moved_knob_and_a_moved_effect_are_shown() -> None:
    preset = Preset.model_validate(
        {"settings": {"amount": -3}, "after": [{"effect": "Gain", "settings": {"gain_db": 1}}]}
    )
    settings = preset.complete_settings() | {"amount": 2.0, "after.0.gain_db": -6.0, "delta": 1.0}
    changes = changes_by(preset, settings, chain_of(preset))
    assert changes["amount"] == {"now": "2 dB", "then": "-3 dB"}
    assert changes["after"] == {"now": "Gain (gain_db -6)", "then": "Gain (gain_db 1)"}
    assert set(changes) == {"amount", "after"}


def test_a_preset_of_other_effects_shows_both_rows() -> None:
    other = Preset.model_validate({"before": [{"effect": "Invert"}]})
    changes = changes_by(other, knobs.defaults(), [])
    assert changes == {"before": {"now": "none", "then": "Invert"}}


def test_a_plug_in_differs_by_what_the_preset_names() -> None:
    preset = Preset.model_validate({"after": [{"plugin": "/x/Y.vst3", "settings": {"gain": 1.0}}]})
    settings = knobs.defaults() | {"after.0.gain": 1.0, "after.0.width": 3.0}
    assert changes_by(preset, settings, chain_of(preset)) == {}
    assert set(changes_by(preset, settings | {"after.0.gain": 2.0}, chain_of(preset))) == {"after"}
