"""Laws of a controller at work: what it sends moves the settings as its map says, and the settings come back to it."""

from __future__ import annotations

from typing import Any

import pytest

from models.control import Control
from models.extender import controls as knobs
from plugin_host.midi.control_surface import Surface
from plugin_host.midi.map import MidiMap
from plugin_host.midi.messages import ControlChange14, Nrpn, encode
from plugin_host.settings.store import SettingsStore


class Rig:
    """A surface over a real store, with a clock of its own."""

    def __init__(self, *bindings: dict[str, Any], **fields: Any) -> None:
        self.store = SettingsStore(knobs.CONTROLS)
        self.presets: list[tuple[str | int, str]] = []
        self.said: list[str] = []
        midi_map = MidiMap.model_validate({"bindings": list(bindings), **fields})
        self.surface = Surface(self.store, self._load, knobs.CONTROLS, midi_map, "midi:test", self.said.append)
        self.now = 0.0

    def _load(self, name: str | int, origin: str) -> None:
        if name == "missing":
            raise ValueError("there is no preset 'missing'")
        self.presets.append((name, origin))

    def play(self, *messages: tuple[int, ...] | bytes, after_s: float = 0.01) -> None:
        self.now += after_s
        for data in messages:
            self.surface.receive(data, self.now)
        self.surface.update(self.now)

    def cc(self, *values: int, number: int = 1) -> None:
        """Send values one by one, each acted on before the next comes."""
        for value in values:
            self.play((0xB0, number, value))

    def __getitem__(self, name: str) -> float:
        return self.store.targets()[name]

    def panel(self, name: str, value: float) -> None:
        self.store.request(name, value, "panel")


MIX = {"control": "mix", "cc": 1}
JUMP = {**MIX, "takeover": False}


def test_a_knob_waits_for_its_setting_and_then_moves_it() -> None:
    rig = Rig(MIX)
    rig.panel("mix", 50.0)
    rig.cc(0, 20, 40)
    assert rig["mix"] == 50.0
    rig.cc(64, 96)
    assert rig["mix"] == pytest.approx(100 * 96 / 127)


def test_a_fast_move_across_the_setting_is_not_missed() -> None:
    rig = Rig(MIX)
    rig.panel("mix", 50.0)
    rig.cc(0, 127)
    assert rig["mix"] == 100.0


def test_another_door_releases_the_knob() -> None:
    rig = Rig(JUMP | {"takeover": True})
    rig.cc(126, 127, 100)
    assert rig["mix"] == pytest.approx(100 * 100 / 127)
    rig.panel("mix", 10.0)
    rig.cc(99, 98)
    assert rig["mix"] == 10.0
    rig.cc(5)
    assert rig["mix"] == pytest.approx(100 * 5 / 127)


def test_two_knobs_of_one_setting_release_each_other() -> None:
    rig = Rig(MIX, {"control": "mix", "cc": 2})
    rig.cc(127, 100)
    rig.cc(20, 21, number=2)
    assert rig["mix"] == pytest.approx(100 * 100 / 127)
    rig.cc(120, number=2)
    assert rig["mix"] == pytest.approx(100 * 120 / 127)
    rig.cc(90)
    # The first stood at 100 and went to 90, the setting stands at 120: not met.
    assert rig["mix"] == pytest.approx(100 * 120 / 127)


def test_a_flood_is_one_request_with_the_last_value_of_each_knob() -> None:
    fine = {"control": "tone", "cc14": 2, "takeover": False}
    rig = Rig(JUMP, fine, {"control": "tilt", "nrpn": 300, "takeover": False})
    news = rig.store.subscribe()
    flood = [bytes((0xB0, 1, step % 128)) for step in range(26_000)]
    for step in range(4000):
        flood += [*encode(ControlChange14(1, 2, step)), *encode(Nrpn(1, 300, step))]
    rig.play(*flood, *[(0xB0, 99, 0), (0xB0, 1, 77)])
    assert rig["mix"] == pytest.approx(100 * 77 / 127)
    assert rig["tone"] == pytest.approx(-100 + 200 * 3999 / 16383)
    assert rig["tilt"] == pytest.approx(-6 + 12 * 3999 / 16383)
    assert len(news.take()) == 3


@pytest.mark.parametrize(
    ("kind", "up", "down"), [("twos_complement", 1, 127), ("binary_offset", 65, 63), ("sign_magnitude", 1, 65)]
)
def test_an_encoder_moves_from_where_the_setting_is(kind: str, up: int, down: int) -> None:
    rig = Rig({**MIX, "kind": kind, "step": 0.02})
    rig.panel("mix", 50.0)
    rig.play((0xB0, 1, up), (0xB0, 1, up), (0xB0, 1, up))
    assert rig["mix"] == pytest.approx(56.0)
    rig.play((0xB0, 1, down))
    assert rig["mix"] == pytest.approx(54.0)
    rig.play(*[(0xB0, 1, down)] * 200)
    assert rig["mix"] == 0.0


def test_nrpn_steps_move_the_setting() -> None:
    rig = Rig({"control": "mix", "nrpn": 300, "step": 0.1})
    rig.panel("mix", 50.0)
    rig.play((0xB0, 99, 2), (0xB0, 98, 44), (0xB0, 96, 0))
    assert rig["mix"] == pytest.approx(60.0)


def test_fully_left_is_auto_where_there_is_auto() -> None:
    rig = Rig({"control": "crossover", "cc": 1, "takeover": False})
    rig.cc(64)
    assert rig["crossover"] > 2000.0
    rig.cc(0)
    assert rig["crossover"] == 0.0


def test_a_channel_counts_where_the_map_names_one() -> None:
    rig = Rig(JUMP | {"channel": 2})
    rig.play((0xB0, 1, 0))
    assert rig["mix"] == 100.0
    rig.play((0xB1, 1, 0))
    assert rig["mix"] == 0.0


def test_a_note_or_a_button_flips_the_bypass() -> None:
    rig = Rig({"control": "bypass", "note": 36, "kind": "toggle"}, {"control": "bypass", "cc": 80, "kind": "toggle"})
    rig.play((0x90, 36, 100), (0x80, 36, 0))
    assert rig["bypass"] == 1.0
    rig.play((0xB0, 80, 127), (0xB0, 80, 0))
    assert rig["bypass"] == 0.0
    rig.play((0x90, 36, 100), (0x90, 36, 0), (0x90, 36, 100))
    assert rig["bypass"] == 0.0


def test_a_held_pad_holds_the_switch() -> None:
    rig = Rig({"control": "delta", "note": 37, "kind": "hold"})
    rig.play((0x90, 37, 1))
    assert rig["delta"] == 1.0
    rig.play((0x90, 37, 0))
    assert rig["delta"] == 0.0


def test_a_program_loads_its_preset_and_a_refusal_is_reported() -> None:
    rig = Rig(programs={"0": "dull-vocal", "1": "missing"})
    rig.play((0xC0, 0), (0xC0, 7))
    rig.play((0xC0, 0))
    rig.play((0xC0, 1))
    assert rig.presets == [("dull-vocal", "midi:test")]
    assert rig.said == ["there is no preset 'missing'"]


def test_a_drag_is_one_step_of_undo() -> None:
    rig = Rig(JUMP)
    rig.cc(*range(0, 100, 5))
    rig.play(after_s=1.0)
    rig.cc(50, 40)
    rig.store.undo("panel")
    assert rig["mix"] == pytest.approx(100 * 95 / 127)
    rig.store.undo("panel")
    assert rig["mix"] == 100.0


def test_the_controller_is_shown_what_others_moved_and_only_that() -> None:
    rig = Rig(JUMP, {"control": "bypass", "note": 36, "kind": "toggle"})
    assert rig.surface.feedback() == [bytes((0xB0, 1, 127)), bytes((0x90, 36, 0))]
    rig.cc(64)
    assert rig.surface.feedback() == []
    rig.panel("mix", 0.0)
    rig.panel("bypass", 1.0)
    assert rig.surface.feedback() == [bytes((0xB0, 1, 0)), bytes((0x90, 36, 127))]
    assert rig.surface.feedback() == []
    rig.surface.forget_feedback()
    assert len(rig.surface.feedback()) == 2


def test_a_fader_that_a_hand_moved_is_brought_back_to_where_it_was_last_sent() -> None:
    rig = Rig(JUMP)
    assert rig.surface.feedback() == [bytes((0xB0, 1, 127))]
    rig.cc(40)
    # No light was sent between the hand and the panel.
    rig.panel("mix", 100.0)
    assert rig.surface.feedback() == [bytes((0xB0, 1, 127))]


@pytest.mark.parametrize("source", [{"cc": 1}, {"cc14": 1}, {"nrpn": 1}])
def test_a_motor_fader_that_repeats_what_it_was_sent_moves_nothing(source: dict[str, int]) -> None:
    rig = Rig({"control": "mix", **source})
    rig.panel("mix", 33.3)
    rig.play(*rig.surface.feedback())
    assert rig["mix"] == 33.3


def test_learning_binds_what_moved_and_moves_nothing() -> None:
    rig = Rig(JUMP)
    learned: list[str] = []
    rig.surface.on_learned = lambda binding: learned.append(binding.source_text)
    rig.surface.learn("tone")
    for value in range(0, 127, 8):
        rig.play((0xB0, 1, 64), (0xB4, 22, value))
    assert (rig.surface.learning, rig["mix"]) == ("tone", 100.0)
    rig.play(after_s=2.0)
    assert (rig.surface.learning, rig["mix"]) == (None, 100.0)
    assert learned == ["cc 22 on channel 5"]
    rig.play((0xB4, 22, 127))
    rig.play((0xB4, 22, 0))
    assert rig["tone"] == -100.0


def test_cancelled_learning_leaves_the_map() -> None:
    rig = Rig(JUMP)
    before = rig.surface.midi_map
    rig.surface.learn("tone")
    rig.play((0xB0, 9, 0), (0xB0, 9, 100))
    rig.surface.cancel_learn()
    rig.play(after_s=5.0)
    assert rig.surface.midi_map is before
    rig.cc(0)
    assert rig["mix"] == 0.0


def test_learning_for_a_knob_that_is_not_there_is_refused() -> None:
    with pytest.raises(ValueError, match="the knobs are"):
        Rig(MIX).surface.learn("volume")


def test_a_binding_rests_while_its_effect_is_not_there() -> None:
    gain = Control("after.0.gain_db", "Gain", "dB", -24.0, 24.0, 0.0)
    rig = Rig({"control": gain.id, "cc": 1, "takeover": False})
    rig.cc(0)
    rig.store.declare([*knobs.CONTROLS, gain])
    rig.surface.use_controls(rig.store.controls)
    rig.cc(127)
    assert rig[gain.id] == 24.0
    rig.store.declare(knobs.CONTROLS)
    rig.cc(0)
    assert rig.said == []


def test_an_answer_comes_at_once_and_a_knob_moved_away_is_let_go_though_it_is_not_touched() -> None:
    rig = Rig(MIX, {"control": "tone", "cc": 2, "takeover": False})
    rig.cc(127)
    rig.surface.receive((0xB0, 2, 127), rig.now)
    rig.surface.request_settings(rig.now)
    assert rig["tone"] == 100.0
    assert rig.surface.waiting_positions() == {}
    rig.panel("mix", 10.0)
    rig.surface.update(rig.now + 0.01)
    assert rig.surface.waiting_positions() == {"mix": 1.0}


def test_lights_are_sent_again_to_a_controller_that_came_back_and_to_new_knobs() -> None:
    rig = Rig(JUMP)
    first = rig.surface.feedback()
    assert first
    assert rig.surface.feedback() == []
    rig.surface.forget_feedback()
    assert rig.surface.feedback() == first
    rig.surface.use_map(MidiMap.model_validate({"bindings": [{**JUMP, "cc": 9}]}))
    assert rig.surface.feedback() == [bytes((0xB0, 9, first[0][2]))]
