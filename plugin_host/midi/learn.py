"""Learn: turn a knob of the controller, and the message that moved most is the one."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from models.control import Control
from plugin_host.midi import relative_encoder
from plugin_host.midi.map import Binding
from plugin_host.midi.messages import ControlChange, ControlChange14, Message, Note, Nrpn, NrpnStep, ProgramChange

Key = tuple[str, int, int]
# Of each sender so many values are kept: enough to recognise an encoder, and no flood grows.
_KEPT = 32
# One controller has not so many knobs; random bytes have.
_MOST_SENDERS = 1024


@dataclass(slots=True)
class _Sender:
    last: float
    travel: float = 0.0
    values: list[int] = field(default_factory=list)


class MidiLearn:
    """Collects messages in a short window, which opens with the first one, and proposes a binding for a control.

    Cancelling is forgetting it: nothing is changed until someone uses the result.

    Args:
        control: The knob to bind.
        window_s: Its length, from the first message on.
    """

    def __init__(self, control: Control, window_s: float = 1.0) -> None:
        self.control = control
        self._window_s = window_s
        self._until: float | None = None
        self._senders: dict[Key, _Sender] = {}

    def update(self, message: Message, now: float) -> None:
        """Read a message; `now` in seconds of any steady clock."""
        if isinstance(message, ProgramChange) or (isinstance(message, ControlChange) and message.number > 119):
            return
        if isinstance(message, Note) and self.control.curve != "switch":
            return
        if self._until is None:
            self._until = now + self._window_s
        key = (message.kind, message.channel, message.number)
        if key not in self._senders and len(self._senders) >= _MOST_SENDERS:
            return
        if isinstance(message, NrpnStep):
            self._senders.setdefault(key, _Sender(0.0)).travel += 1 / 128
            return
        position = message.value / message.full
        sender = self._senders.setdefault(key, _Sender(position))
        sender.travel += abs(position - sender.last)
        sender.last = position
        if len(sender.values) < _KEPT:
            sender.values.append(message.value)

    @property
    def has_begun(self) -> bool:
        """Whether the window has opened."""
        return self._until is not None

    def done(self, now: float) -> bool:
        """Return whether the window is over."""
        return self._until is not None and now >= self._until

    def result(self) -> Binding | None:
        """Return the binding, or None if nothing moved."""
        travels = {key: self._travel(key, sender) for key, sender in self._plain_meanings().items()}
        if not travels:
            return None
        key = max(travels, key=lambda one: travels[one])
        return self._binding(key, self._senders[key])

    def _travel(self, key: Key, sender: _Sender) -> float:
        if key[0] == "note":
            return 1.0
        steps = self._encoder(key, sender)
        return len(sender.values) / 128 if steps else sender.travel

    def _plain_meanings(self) -> dict[Key, _Sender]:
        """Leave of every message the one meaning that the controller most likely has in mind."""
        hidden: set[Key] = set()
        for kind, channel, number in self._senders:
            if kind == Nrpn.kind:
                hidden |= {("cc", channel, part) for part in (6, 38, 96, 97, 98, 99, 100, 101)} | {("cc14", channel, 6)}
            if kind == ControlChange14.kind:
                if self._is_pair(channel, number):
                    hidden |= {("cc", channel, number), ("cc", channel, number + 32)}
                else:
                    hidden.add((kind, channel, number))
        return {key: sender for key, sender in self._senders.items() if key not in hidden}

    def _is_pair(self, channel: int, number: int) -> bool:
        """Return whether it is a 14-bit knob: its low part comes again and again, beside its high part."""
        low = self._senders.get(("cc", channel, number + 32))
        return ("cc", channel, number) in self._senders and low is not None and len(low.values) >= 2

    def _encoder(self, key: Key, sender: _Sender) -> relative_encoder.RelativeKind | None:
        return relative_encoder.guess(sender.values) if key[0] == ControlChange.kind else None

    def _binding(self, key: Key, sender: _Sender) -> Binding:
        kind, channel, number = key
        fields: dict[str, Any] = {"control": self.control.id, kind: number, "channel": channel}
        if self.control.curve == "switch" and kind in ("note", "cc"):
            fields["kind"] = "toggle"
        elif (encoder := self._encoder(key, sender)) is not None:
            fields["kind"] = encoder
        return Binding(**fields)
