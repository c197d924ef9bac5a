"""What a controller says: bytes become typed messages, and typed messages become bytes.

A message is read in every meaning it has: number 5 is a knob of its own and the high part of the 14-bit pair 5 and 37;
number 6 is a knob and the data of the NRPN that was selected. The map of a controller says which meaning counts.

rtmidi hands over whole messages, so a table of lengths is all there is to parse; mido's parser takes 5 us for each and
keeps an endless one in memory.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import ClassVar

NOTE_OFF, NOTE_ON, CONTROL, PROGRAM = 0x80, 0x90, 0xB0, 0xC0
DATA_HIGH, DATA_LOW, STEP_UP, STEP_DOWN = 6, 38, 96, 97
NRPN_LOW, NRPN_HIGH, RPN_LOW, RPN_HIGH = 98, 99, 100, 101
# Selecting this parameter means that none is selected (MIDI 1.0, registered and non-registered parameters).
NULL_PARAMETER = 0x3FFF

_LENGTHS = {NOTE_OFF: 3, NOTE_ON: 3, CONTROL: 3, PROGRAM: 2}


@dataclass(frozen=True, slots=True)
class ControlChange:
    """A knob, fader or button: `number` 0..127, `value` 0..127. Channels count from 1 everywhere."""

    kind: ClassVar[str] = "cc"
    full: ClassVar[int] = 127
    channel: int
    number: int
    value: int


@dataclass(frozen=True, slots=True)
class ControlChange14:
    """A fine knob: `number` 0..31 with its low part on `number` + 32; `value` 0..16383.

    Attributes:
        fine: Whether a low part has ever come; without one, the high part alone spans the whole range.
    """

    kind: ClassVar[str] = "cc14"
    full: ClassVar[int] = 16383
    channel: int
    number: int
    value: int
    fine: bool = True


@dataclass(frozen=True, slots=True)
class Nrpn:
    """A value of a non-registered parameter: `number` 0..16382, `value` 0..16383."""

    kind: ClassVar[str] = "nrpn"
    full: ClassVar[int] = 16383
    channel: int
    number: int
    value: int


@dataclass(frozen=True, slots=True)
class NrpnStep:
    """A step of a non-registered parameter: `step` is +1 or -1."""

    kind: ClassVar[str] = "nrpn"
    channel: int
    number: int
    step: int


@dataclass(frozen=True, slots=True)
class Note:
    """A key or pad: `value` is the velocity, 0 where it was let go."""

    kind: ClassVar[str] = "note"
    full: ClassVar[int] = 127
    channel: int
    number: int
    value: int


@dataclass(frozen=True, slots=True)
class ProgramChange:
    """A program: `number` 0..127."""

    kind: ClassVar[str] = "program"
    channel: int
    number: int


Message = ControlChange | ControlChange14 | Nrpn | NrpnStep | Note | ProgramChange


@dataclass(slots=True)
class _Pair:
    """The two parts of a wide value, in whichever order they come, either of them alone too.

    The last low part stays when a high part comes. MIDI 1.0 sets it to 0 instead, but then a controller that sends the
    low part first would always end beside its value, and one that leaves out what did not change would too.
    """

    high: int | None = None
    low: int | None = None

    @property
    def value(self) -> int | None:
        if self.high is None:
            return None
        return self.high << 7 | (self.high if self.low is None else self.low)


@dataclass(slots=True)
class _Channel:
    pairs: dict[int, _Pair] = field(default_factory=dict)
    parameter: _Pair = field(default_factory=_Pair)
    data: _Pair = field(default_factory=_Pair)

    @property
    def selected(self) -> int | None:
        if self.parameter.high is None or self.parameter.low is None:
            return None
        return None if self.parameter.value == NULL_PARAMETER else self.parameter.value


class Decoder:
    """Reads the messages of one port; it remembers the high parts and the selected NRPN of each channel."""

    def __init__(self) -> None:
        self._channels = [_Channel() for _ in range(16)]

    def read(self, data: Sequence[int]) -> tuple[Message, ...]:
        """Return every meaning of one message, the plainest first; nothing for what is malformed or no concern of ours.

        Args:
            data: The bytes of one whole message.
        """
        status = data[0] & 0xF0 if data else 0
        if len(data) != _LENGTHS.get(status) or not all(0 <= byte < 128 for byte in data[1:]) or data[0] > 255:
            return ()
        channel = (data[0] & 0x0F) + 1
        if status == PROGRAM:
            return (ProgramChange(channel, data[1]),)
        if status in (NOTE_ON, NOTE_OFF):
            return (Note(channel, data[1], data[2] if status == NOTE_ON else 0),)
        return tuple(self._controls(channel, data[1], data[2]))

    def _controls(self, channel: int, number: int, value: int) -> Iterator[Message]:
        state = self._channels[channel - 1]
        yield ControlChange(channel, number, value)
        if number < 64:
            yield from _wide(state, channel, number, value)
        if number in (DATA_HIGH, DATA_LOW, STEP_UP, STEP_DOWN):
            yield from _data(state, channel, number, value)
        elif number in (NRPN_LOW, NRPN_HIGH):
            _select(state, number, value)
        elif number in (RPN_LOW, RPN_HIGH):
            # The data that follows belongs to a registered parameter.
            state.parameter, state.data = _Pair(), _Pair()


def _wide(state: _Channel, channel: int, number: int, value: int) -> Iterator[Message]:
    pair = state.pairs.setdefault(number % 32, _Pair())
    if number < 32:
        pair.high = value
    else:
        pair.low = value
    whole = pair.value
    if whole is not None:
        yield ControlChange14(channel, number % 32, whole, pair.low is not None)


def _select(state: _Channel, number: int, value: int) -> None:
    before = state.selected
    if number == NRPN_HIGH:
        state.parameter.high = value
    else:
        state.parameter.low = value
    if state.selected != before:
        state.data = _Pair()


def _data(state: _Channel, channel: int, number: int, value: int) -> Iterator[Message]:
    selected = state.selected
    if selected is None:
        return
    if number in (STEP_UP, STEP_DOWN):
        yield NrpnStep(channel, selected, 1 if number == STEP_UP else -1)
        return
    if number == DATA_HIGH:
        state.data.high = value
    else:
        state.data.low = value
    whole = state.data.value
    if whole is not None:
        yield Nrpn(channel, selected, whole)


def encode(message: Message) -> tuple[bytes, ...]:
    """Return the messages on the wire, in the order in which they are sent."""
    control = CONTROL | message.channel - 1
    match message:
        case ControlChange(number=number, value=value):
            return (bytes((control, number, value)),)
        case ControlChange14(number=number, value=value):
            return bytes((control, number, value >> 7)), bytes((control, number + 32, value & 127))
        case Nrpn(number=number, value=value):
            data = bytes((control, DATA_HIGH, value >> 7)), bytes((control, DATA_LOW, value & 127))
            return (*_selecting(control, number), *data)
        case NrpnStep(number=number, step=step):
            return (*_selecting(control, number), bytes((control, STEP_UP if step > 0 else STEP_DOWN, 0)))
        case Note(channel=channel, number=number, value=value):
            return (bytes((NOTE_ON | channel - 1, number, value)),)
        case ProgramChange(channel=channel, number=number):
            return (bytes((PROGRAM | channel - 1, number)),)


def _selecting(control: int, number: int) -> tuple[bytes, bytes]:
    return bytes((control, NRPN_HIGH, number >> 7)), bytes((control, NRPN_LOW, number & 127))
