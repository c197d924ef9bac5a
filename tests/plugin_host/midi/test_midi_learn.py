"""Laws of learning: what moved most in the window is meant, in the meaning that the controller has in mind."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from models.extender import controls as knobs
from plugin_host.midi.learn import MidiLearn
from plugin_host.midi.map import Binding
from plugin_host.midi.messages import ControlChange14, Decoder, Nrpn, NrpnStep, encode

MIX, BYPASS = knobs.control("mix"), knobs.control("bypass")


def learn(stream: Iterable[tuple[int, ...] | bytes], control: str = "mix") -> Binding | None:
    decoder, learning = Decoder(), MidiLearn(knobs.control(control))
    for data in stream:
        for message in decoder.read(data):
            learning.update(message, 0.0)
    return learning.result()


def wide(kind: type[ControlChange14] | type[Nrpn], number: int) -> list[bytes]:
    return [data for value in range(4000, 9000, 300) for data in encode(kind(1, number, value))]


def test_the_knob_that_moved_most_beats_a_nervous_one() -> None:
    nervous = [(0xB0, 5, 64), (0xB0, 5, 65)] * 8
    turned = [(0xB0, 9, value) for value in range(0, 64, 4)]
    assert learn([data for pair in zip(nervous, turned, strict=True) for data in pair]) == Binding(
        control="mix", cc=9, channel=1
    )


def test_a_fine_knob_is_learned_whole() -> None:
    assert learn(wide(ControlChange14, 9)) == Binding(control="mix", cc14=9, channel=1)


def test_an_nrpn_is_learned_as_such() -> None:
    assert learn(wide(Nrpn, 300)) == Binding(control="mix", nrpn=300, channel=1)
    assert learn(encode(NrpnStep(1, 7, 1))) == Binding(control="mix", nrpn=7, channel=1)


def test_an_encoder_is_learned_with_its_kind() -> None:
    stream = [(0xB0, 3, 1)] * 5 + [(0xB0, 3, 127)] * 5
    assert learn(stream) == Binding(control="mix", cc=3, channel=1, kind="twos_complement")


@pytest.mark.parametrize(
    ("press", "wanted"),
    [
        ([(0x99, 36, 90), (0x89, 36, 0)], Binding(control="bypass", note=36, channel=10, kind="toggle")),
        ([(0xB0, 80, 127), (0xB0, 80, 0)], Binding(control="bypass", cc=80, channel=1, kind="toggle")),
        ([(0xB0, 80, 127)], Binding(control="bypass", cc=80, channel=1, kind="toggle")),
    ],
)
def test_a_switch_learns_a_pad_or_a_button(press: list[tuple[int, ...]], wanted: Binding) -> None:
    assert learn(press, "bypass") == wanted


def test_a_knob_does_not_learn_a_pad_a_program_or_a_mode_message() -> None:
    assert learn([(0x90, 36, 90), (0xC0, 3), (0xB0, 123, 0)]) is None


def test_the_window_opens_with_the_first_message() -> None:
    learning = MidiLearn(MIX, window_s=1.0)
    assert not learning.done(100.0)
    for message in Decoder().read((0xB0, 9, 1)):
        learning.update(message, 100.0)
    assert not learning.done(100.9)
    assert learning.done(101.0)
