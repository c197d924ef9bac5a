"""A link: one binding at work between a control of the controller and a knob of ours.

Messages are merged as they come, so that a flood of them costs no memory and their last value is never lost; the value
that they request is read later, once.
"""

from __future__ import annotations

from typing import Protocol

from models.control import Control
from plugin_host.midi.map import Binding
from plugin_host.midi.messages import ControlChange, ControlChange14, Message, Note, Nrpn, NrpnStep, encode
from plugin_host.midi.relative_encoder import STEPS


class Link(Protocol):
    """What a surface needs of a link."""

    binding: Binding
    control: Control

    def update(self, message: Message) -> None:
        """Fold in a message that this link's binding names."""

    def wanted(self, setting: float) -> float | None:
        """Return the value that the messages since the last call ask for, or None where they ask for nothing new.

        Args:
            setting: The target of the knob now, in its unit.
        """

    def accepted(self, value: float) -> None:
        """Note that the knob goes where this link requested."""

    def show(self, setting: float) -> tuple[bytes, ...]:
        """Return what brings the controller's fader or light to the setting; nothing where it is there already."""

    def forget_shown(self) -> None:
        """Show everything again: the controller was away."""

    @property
    def waits_at(self) -> float | None:
        """Where the control stands, 0..1, while it has to meet the setting before it moves it; else None."""


def make_link(binding: Binding, control: Control, tolerance: float) -> Link:
    """Return the link for a binding; `tolerance` as in SoftTakeover."""
    if binding.kind in ("toggle", "hold"):
        return ButtonLink(binding, control)
    return KnobLink(binding, control, tolerance)


def value_at(control: Control, position: float) -> float:
    """Map a position to a value; fully left is auto for a knob that has it, as nothing else on hardware could be."""
    return 0.0 if control.automatic and position <= 0.0 else control.from_position(position)


class SoftTakeover:
    """Whether one hardware control has hold of one setting.

    It takes hold when it comes within the tolerance of the setting, or when it crossed the setting between two
    messages, which a fast move does without ever being near. Whatever else moves the setting releases it.

    Args:
        tolerance: How near is near enough, as a share of the whole way.

    Attributes:
        taken: Whether it has hold.
        position: Where the control stands, 0..1; None before its first message.
    """

    def __init__(self, tolerance: float = 0.02) -> None:
        self._tolerance = tolerance
        self.taken = False
        self.position: float | None = None

    def release(self) -> None:
        """Release the setting: something else moved it."""
        self.taken = False

    def forget(self) -> None:
        """Release it and forget the position: the control may have moved unnoticed."""
        self.taken, self.position = False, None

    def rest(self, position: float) -> None:
        """Note that the control stands at the setting already, such as a motor fader that was sent there."""
        self.position, self.taken = position, True

    def offer(self, position: float, setting: float, low: float | None = None, high: float | None = None) -> bool:
        """Say whether a move of the control may move the setting.

        Args:
            position: Where the control stands now, 0..1.
            setting: Where the setting stands, 0..1.
            low: Where it stood lowest since the last call, if not at one of the two.
            high: Where it stood highest.
        """
        points = [position, position if low is None else low, position if high is None else high]
        if self.position is not None:
            points.append(self.position)
        crossed = min(points) <= setting <= max(points)
        self.taken = self.taken or crossed or abs(position - setting) <= self._tolerance
        self.position = position
        return self.taken


class _Feedback:
    """What the controller shows: sent only when it changes, on the channel of the control's last message."""

    def __init__(self, binding: Binding) -> None:
        self._binding = binding
        self.channel = binding.channel or 1
        self.shown: int | None = None

    def message(self, position: float) -> ControlChange | ControlChange14 | Nrpn | Note:
        kind, number = self._binding.source
        match kind:
            case "cc14":
                return ControlChange14(self.channel, number, round(position * ControlChange14.full))
            case "nrpn":
                return Nrpn(self.channel, number, round(position * Nrpn.full))
            case "note":
                return Note(self.channel, number, round(position * Note.full))
        return ControlChange(self.channel, number, round(position * ControlChange.full))

    def show(self, position: float) -> tuple[bytes, ...]:
        message = self.message(position)
        if not self._binding.feedback or message.value == self.shown:
            return ()
        self.shown = message.value
        return encode(message)


class KnobLink:
    """A knob, fader or endless encoder.

    Args:
        binding: Of the kind "absolute" or of a relative one.
        control: The knob it moves.
        tolerance: As in SoftTakeover.
    """

    def __init__(self, binding: Binding, control: Control, tolerance: float) -> None:
        self.binding, self.control = binding, control
        self.takeover = SoftTakeover(tolerance)
        self._feedback = _Feedback(binding)
        self._read = next((read for kind, read in STEPS.items() if kind == binding.kind), None)
        self._requested: float | None = None
        self._echo: float | None = None
        self._last: float | None = None
        self._low = self._high = 0.0
        self._steps = 0

    def update(self, message: Message) -> None:
        """Fold in a message."""
        self._feedback.channel = message.channel
        if isinstance(message, NrpnStep):
            self._steps += message.step
        elif isinstance(message, ControlChange | ControlChange14 | Nrpn):
            if self._read is not None:
                self._steps += self._read(message.value)
            else:
                self._fold(message.value / message.full)

    def _fold(self, position: float) -> None:
        if self._last is None:
            self._low = self._high = position
        self._last = position
        self._low, self._high = min(self._low, position), max(self._high, position)
        # Steps that came before a plain value are overtaken by it.
        self._steps = 0

    def wanted(self, setting: float) -> float | None:
        """Return the value that the messages ask for."""
        if setting != self._requested:
            # Something else moved it since; where nothing did, the hold outlasts the rounding of positions.
            self.takeover.release()
        last, self._last = self._last, None
        steps, self._steps = self._steps, 0
        value = setting if last is None else self._taken(last, setting)
        if steps:
            value = self._stepped(steps, value)
        return None if value == setting else value

    def _taken(self, position: float, setting: float) -> float:
        if self._is_echo():
            # A motor fader repeats what it was sent; its rounding must not move the setting.
            self.takeover.rest(position)
            self.accepted(setting)
            return setting
        self._echo = None
        waits = self.binding.takeover and self.control.curve != "switch"
        if waits and not self.takeover.offer(position, self.control.to_position(setting), self._low, self._high):
            return setting
        value_here = value_at(self.control, position)
        if value_here == setting:
            self.accepted(setting)
        return value_here

    def _is_echo(self) -> bool:
        """Return whether the control only said where it was sent; of a wide value the parts come one by one."""
        slack = 0.0 if self.binding.cc is not None else 1 / 127
        return self._echo is not None and self._echo - slack <= self._low <= self._high <= self._echo + slack

    def _stepped(self, steps: int, value: float) -> float:
        if self.control.curve == "switch":
            return float(steps > 0)
        position = self.control.to_position(value) + steps * self.binding.step
        return value_at(self.control, min(1.0, max(0.0, position)))

    def accepted(self, value: float) -> None:
        """Note where the knob goes, and that what turned it stands there by its own move."""
        self._requested = value
        if self._read is None:
            # At once: a setting that goes back before the lights are next sent must still be shown.
            self._feedback.shown = self._feedback.message(self.control.to_position(value)).value

    def show(self, setting: float) -> tuple[bytes, ...]:
        """Return what brings the fader or the ring of lights to the setting."""
        position = self.control.to_position(setting)
        messages = self._feedback.show(position)
        if messages:
            message = self._feedback.message(position)
            self._echo = message.value / message.full
        return messages

    def forget_shown(self) -> None:
        """Show everything again, and trust no position from before."""
        self._feedback.shown = self._requested = None
        self.takeover.forget()

    @property
    def waits_at(self) -> float | None:
        """Where the control stands while soft takeover waits."""
        return None if self.takeover.taken else self.takeover.position


class ButtonLink:
    """A button or pad: "toggle" flips a switch at each press, "hold" keeps it on while it is held.

    A press is a note, or a control change of 64 or more; the message for letting go is not needed by "toggle".
    """

    def __init__(self, binding: Binding, control: Control) -> None:
        self.binding, self.control = binding, control
        self._feedback = _Feedback(binding)
        self._presses = 0
        self._held: bool | None = None

    def update(self, message: Message) -> None:
        """Fold in a message."""
        if not isinstance(message, ControlChange | ControlChange14 | Nrpn | Note):
            return
        self._feedback.channel = message.channel
        pressed = message.value > 0 if isinstance(message, Note) else message.value * 2 > message.full
        self._presses += pressed
        self._held = pressed

    def wanted(self, setting: float) -> float | None:
        """Return on or off as 1 or 0, or None where it stays."""
        presses, self._presses = self._presses, 0
        held, self._held = self._held, None
        if self.binding.kind == "toggle":
            return 1.0 - setting if presses % 2 else None
        return None if held is None or float(held) == setting else float(held)

    def accepted(self, value: float) -> None:
        """Do nothing: a button stands nowhere."""

    def show(self, setting: float) -> tuple[bytes, ...]:
        """Return what lights the button."""
        return self._feedback.show(setting)

    def forget_shown(self) -> None:
        """Show the light again."""
        self._feedback.shown = None

    @property
    def waits_at(self) -> float | None:
        """None: a button stands nowhere."""
        return None
