"""Laws of decoding: tables, pairs, parameters in every order, and bytes of any kind."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plugin_host.midi.messages import (
    ControlChange,
    ControlChange14,
    Decoder,
    Message,
    Note,
    Nrpn,
    NrpnStep,
    ProgramChange,
    encode,
)
from plugin_host.midi.relative_encoder import RELATIVE_KINDS, STEPS, RelativeKind, guess

channels = st.integers(1, 16)
sevens = st.integers(0, 127)
fourteens = st.integers(0, 16383)
messages = st.one_of(
    st.builds(ControlChange, channels, st.integers(0, 127), sevens),
    st.builds(ControlChange14, channels, st.integers(0, 31), fourteens),
    st.builds(Nrpn, channels, st.integers(0, 16382), fourteens),
    st.builds(NrpnStep, channels, st.integers(0, 16382), st.sampled_from([1, -1])),
    st.builds(Note, channels, sevens, sevens),
    st.builds(ProgramChange, channels, sevens),
)


def read(decoder: Decoder, *controls: tuple[int, int]) -> list[Message]:
    """Read control changes of channel 1 and return every meaning."""
    return [message for number, value in controls for message in decoder.read((0xB0, number, value))]


def last(kind: type[Message], found: list[Message]) -> Message:
    return [message for message in found if isinstance(message, kind)][-1]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ((0xB0, 70, 64), ControlChange(1, 70, 64)),
        ((0xBF, 0, 127), ControlChange(16, 0, 127)),
        ((0x90, 36, 100), Note(1, 36, 100)),
        ((0x90, 36, 0), Note(1, 36, 0)),
        ((0x89, 36, 64), Note(10, 36, 0)),
        ((0xC2, 5), ProgramChange(3, 5)),
    ],
)
def test_the_table_of_messages(data: tuple[int, ...], message: Message) -> None:
    assert Decoder().read(data)[0] == message


@pytest.mark.parametrize("data", [(), (0xB0,), (0xB0, 1), (0xB0, 1, 128), (0xB0, 1, 2, 3), (64, 1, 2), (0xF8,)])
def test_what_is_malformed_or_no_concern_of_ours_means_nothing(data: tuple[int, ...]) -> None:
    assert Decoder().read(data) == ()


@given(messages)
def test_what_is_encoded_is_decoded(message: Message) -> None:
    decoder = Decoder()
    assert message in [found for data in encode(message) for found in decoder.read(data)]


@given(st.lists(st.one_of(st.binary(max_size=5), st.tuples(st.integers(0xB0, 0xBF), sevens, sevens).map(bytes))))
def test_any_bytes_give_values_in_range(stream: list[bytes]) -> None:
    decoder = Decoder()
    for message in (found for data in stream for found in decoder.read(data)):
        assert 1 <= message.channel <= 16
        if not isinstance(message, ProgramChange | NrpnStep):
            assert 0 <= message.value <= message.full


@given(fourteens, fourteens)
def test_a_pair_ends_at_its_value_in_either_order(first: int, second: int) -> None:
    for order in ((7, 39), (39, 7)):
        decoder = Decoder()
        parts = [(number, value >> 7 if number == 7 else value & 127) for value in (first, second) for number in order]
        assert last(ControlChange14, read(decoder, *parts)) == ControlChange14(1, 7, second)


def test_a_part_that_did_not_change_need_not_come_again() -> None:
    decoder = Decoder()
    read(decoder, (7, 10), (39, 20))
    assert last(ControlChange14, read(decoder, (39, 21))) == ControlChange14(1, 7, 10 << 7 | 21)
    assert last(ControlChange14, read(decoder, (7, 11))) == ControlChange14(1, 7, 11 << 7 | 21)


def test_high_parts_alone_span_the_whole_range() -> None:
    found = read(Decoder(), (7, 0), (7, 127))
    assert [m.value for m in found if isinstance(m, ControlChange14)] == [0, 16383]


def test_a_low_part_alone_is_no_value_of_a_pair() -> None:
    assert read(Decoder(), (39, 5)) == [ControlChange(1, 39, 5)]


def test_channels_do_not_mix() -> None:
    decoder = Decoder()
    decoder.read((0xB0, 7, 100))
    assert decoder.read((0xB1, 39, 1)) == (ControlChange(2, 39, 1),)


@given(st.integers(0, 16382), fourteens, st.permutations([99, 98]), st.permutations([6, 38]))
def test_an_nrpn_ends_at_its_value_in_every_order(number: int, value: int, select: list[int], data: list[int]) -> None:
    parts = {99: number >> 7, 98: number & 127, 6: value >> 7, 38: value & 127}
    found = read(Decoder(), *[(part, parts[part]) for part in [*select, *data]])
    assert last(Nrpn, found) == Nrpn(1, number, value)


def test_data_goes_on_without_selecting_again() -> None:
    found = read(Decoder(), (99, 1), (98, 2), (6, 10), (38, 0), (6, 11), (38, 5), (38, 6))
    assert last(Nrpn, found) == Nrpn(1, 130, 11 << 7 | 6)


def test_another_parameter_does_not_inherit_data() -> None:
    found = read(Decoder(), (99, 1), (98, 2), (6, 10), (38, 77), (98, 3), (38, 5), (6, 20))
    assert [m for m in found if isinstance(m, Nrpn) and m.number == 131] == [Nrpn(1, 131, 20 << 7 | 5)]


@pytest.mark.parametrize("other", [[(99, 127), (98, 127)], [(101, 0), (100, 0)], [(101, 127), (100, 127)]])
def test_data_of_no_parameter_or_a_registered_one_is_no_nrpn(other: list[tuple[int, int]]) -> None:
    found = read(Decoder(), (99, 1), (98, 2), *other, (6, 10), (38, 5), (96, 0))
    assert [m for m in found if isinstance(m, Nrpn | NrpnStep)] == []


def test_steps_go_to_the_selected_parameter() -> None:
    found = read(Decoder(), (99, 0), (98, 9), (96, 0), (97, 0))
    assert [m for m in found if isinstance(m, NrpnStep)] == [NrpnStep(1, 9, 1), NrpnStep(1, 9, -1)]


@pytest.mark.parametrize(
    ("kind", "table"),
    [
        ("twos_complement", {1: 1, 2: 2, 63: 63, 127: -1, 126: -2, 65: -63}),
        ("binary_offset", {65: 1, 66: 2, 127: 63, 63: -1, 62: -2, 64: 0}),
        ("sign_magnitude", {1: 1, 2: 2, 63: 63, 65: -1, 66: -2, 127: -63, 64: 0, 0: 0}),
    ],
)
def test_the_table_of_encoders(kind: RelativeKind, table: dict[int, int]) -> None:
    assert {value: STEPS[kind](value) for value in table} == table


@pytest.mark.parametrize("kind", RELATIVE_KINDS)
def test_turning_both_ways_shows_the_kind(kind: RelativeKind) -> None:
    codes = {step: value for value in range(127, -1, -1) for step in [STEPS[kind](value)]}
    assert guess([codes[1], codes[1], codes[2], codes[-1], codes[-1]]) == kind


def test_a_knob_is_no_encoder() -> None:
    assert guess([1, 2, 3, 4, 5, 4]) is None
