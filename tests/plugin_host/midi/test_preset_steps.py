"""Buttons and pads of the controller that step through the presets."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from plugin_host.midi.map import MidiMap
from tests.plugin_host.midi.test_midi_surface import Rig


def test_buttons_step_through_the_presets_and_are_learned_like_switches() -> None:
    rig = Rig({"control": "preset.next", "note": 40, "kind": "toggle"})
    rig.play((0x90, 40, 100), after_s=0.1)
    rig.play((0x80, 40, 0), after_s=0.1)
    assert rig.presets == [(1, "midi:test")]
    rig.surface.learn("preset.previous")
    rig.play((0xB0, 20, 127), after_s=0.1)
    rig.play(after_s=1.5)
    assert rig.presets == [(1, "midi:test")]
    rig.play((0xB0, 20, 127), after_s=0.1)
    rig.play((0xB0, 20, 0), after_s=0.1)
    rig.play((0xB0, 20, 127), after_s=0.1)
    assert rig.presets == [(1, "midi:test"), (-1, "midi:test"), (-1, "midi:test")]
    assert rig.said == []


def test_a_step_through_the_presets_is_for_buttons() -> None:
    with pytest.raises(ValidationError, match=r"preset\.next is for buttons and pads"):
        MidiMap.model_validate({"bindings": [{"control": "preset.next", "cc": 20}]})
