"""A control surface: what a controller sends becomes requests for settings, and settings go back to its lights.

No port and no thread is in here: `receive` reads bytes, `request_settings` and `update` move settings, `feedback`
returns bytes.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from models.control import Control
from plugin_host.midi.bindings import Link, make_link
from plugin_host.midi.learn import MidiLearn
from plugin_host.midi.map import STEPS, Binding, MidiMap
from plugin_host.midi.messages import Decoder, Message, ProgramChange

# A drag ends when its control has rested for so long; what it did is one step of undo.
_DRAG_ENDS_S = 0.5


class Value(Protocol):
    """The store's answer: the value that a knob goes to."""

    @property
    def value(self) -> float:
        """In the knob's unit."""


class Store(Protocol):
    """What a surface needs of the settings."""

    def request(self, name: str, value: float | str, origin: str, gesture: str | None = None) -> Value:
        """Ask for a value; raise ValueError with a sentence where it is refused."""

    def end_gesture(self, origin: str, gesture: str) -> None:
        """Close a drag."""

    def targets(self) -> Mapping[str, float]:
        """Return every knob's target by id."""


class Surface:
    """One controller at work.

    Args:
        store: Where settings are requested.
        load_preset: Called with the name of a preset, or with 1 or -1 for the next or the previous one, and the origin;
            raises ValueError with a sentence if it fails.
        controls: The knobs that bindings name; a binding for any other knob rests.
        midi_map: The controller's map.
        origin: Name under which settings are requested.
        report: Called with a sentence when a request is refused.

    Attributes:
        origin: Name under which settings are requested; change it when the port is known.
        on_learned: Called with a new binding after it has become part of the map.
        replaced: The map before the last change of it, or None where there was none.
    """

    def __init__(
        self,
        store: Store,
        load_preset: Callable[[str | int, str], object],
        controls: Sequence[Control],
        midi_map: MidiMap,
        origin: str = "midi",
        report: Callable[[str], None] = lambda sentence: None,
    ) -> None:
        self._store, self._load_preset, self._report = store, load_preset, report
        self._controls = _by_id(controls)
        self.origin = origin
        self.on_learned: Callable[[Binding], None] = lambda binding: None
        self._lock = threading.Lock()
        # Under the lock from here on.
        self._decoder = Decoder()
        self._learn: MidiLearn | None = None
        self._program: int | None = None
        self._drags: dict[str, float] = {}
        self._moved: dict[Link, None] = {}
        self._shown: Mapping[str, float] | None = None
        self.replaced: MidiMap | None = None
        self._map, self._links = midi_map, list[Link]()
        self.use_map(midi_map)

    def use_map(self, midi_map: MidiMap) -> None:
        """Use another map; a control whose binding is the same keeps its takeover, any other begins anew."""
        links = [self._link(binding, midi_map) for binding in midi_map.bindings if binding.control in self._controls]
        by_source: dict[tuple[str, int], list[Link]] = {}
        for link in links:
            by_source.setdefault(link.binding.source, []).append(link)
        with self._lock:
            if midi_map is not self._map:
                self.replaced = self._map
            self._map, self._links, self._by_source = midi_map, links, by_source
            self._moved.clear()
            self._shown = None

    def use_controls(self, controls: Sequence[Control]) -> None:
        """Use other knobs, as another preset brings them; bindings that name none of them rest."""
        self._controls = _by_id(controls)
        self.use_map(self._map)

    def _link(self, binding: Binding, midi_map: MidiMap) -> Link:
        if midi_map.tolerance == self._map.tolerance:
            for link in self._links:
                if link.binding == binding and link.control == self._controls[binding.control]:
                    return link
        return make_link(binding, self._controls[binding.control], midi_map.tolerance)

    @property
    def midi_map(self) -> MidiMap:
        """The map in use, with what was learned."""
        return self._map

    # The worker's thread.

    def receive(self, data: Sequence[int], now: float) -> None:
        """Read the bytes of one message; `now` in seconds of any steady clock."""
        with self._lock:
            for message in self._decoder.read(data):
                self._fold(message, now)

    def _fold(self, message: Message, now: float) -> None:
        if self._learn is not None:
            self._learn.update(message, now)
        elif isinstance(message, ProgramChange):
            self._program = message.number
        else:
            for link in self._by_source.get((message.kind, message.number), ()):
                if link.binding.channel in (None, message.channel):
                    link.update(message)
                    self._moved[link] = None

    def request_settings(self, now: float) -> None:
        """Request the settings that the messages since the last call amount to; `now` on the clock of `receive`."""
        with self._lock:
            moved, self._moved = self._moved, {}
            program, self._program = self._program, None
        if moved:
            targets = dict(self._store.targets())
            for link in moved:
                self._move(link, targets, now)
        if program is not None and (preset := self._map.programs.get(str(program))) is not None:
            self._load(preset)

    def update(self, now: float) -> None:
        """Do the same, and what takes time to come: what was learned, drags that end, knobs that others moved away.

        Now and then is enough; `now` on the clock of `receive`.
        """
        self._finish_learning(now)
        with self._lock:
            # A control that is not moved has to let go of a knob that something else has moved.
            self._moved = dict.fromkeys(self._links)
        self.request_settings(now)
        for control in [name for name, last in self._drags.items() if now - last >= _DRAG_ENDS_S]:
            del self._drags[control]
            self._store.end_gesture(self.origin, control)

    def _move(self, link: Link, targets: dict[str, float], now: float) -> None:
        name = link.control.id
        if name in STEPS:
            if link.wanted(0.0):
                self._load(STEPS[name][1])
            return
        if name not in targets:
            return
        with self._lock:
            value = link.wanted(targets[name])
        if value is None:
            return
        try:
            targets[name] = self._store.request(name, value, self.origin, gesture=name).value
        except ValueError as error:
            self._report(str(error))
            return
        link.accepted(targets[name])
        # What this control shows by its own move may differ from the settings when the lights are next looked at.
        self._shown = None
        self._drags[name] = now

    def _load(self, preset: str | int) -> None:
        try:
            self._load_preset(preset, self.origin)
        except (ValueError, OSError) as error:
            self._report(str(error))

    def feedback(self) -> list[bytes]:
        """Return what brings the controller's faders and lights to the settings; nothing where they are there."""
        targets = self._store.targets()
        with self._lock:
            if targets == self._shown:
                return []
            self._shown = dict(targets)
            return [
                data
                for link in self._links
                if link.control.id in targets
                for data in link.show(targets[link.control.id])
            ]

    def waiting_positions(self) -> dict[str, float]:
        """Return by knob where a control stands, 0..1, that soft takeover keeps waiting."""
        with self._lock:
            waiting = {link.control.id: link.waits_at for link in self._links}
        return {knob: round(position, 4) for knob, position in waiting.items() if position is not None}

    def forget_feedback(self) -> None:
        """Forget what the controller showed and which parts it sent: it was away."""
        with self._lock:
            self._decoder, self._shown = Decoder(), None
            for link in self._links:
                link.forget_shown()

    # Learning; any thread.

    @property
    def learning(self) -> str | None:
        """The id of the knob that waits for a control, or None."""
        learn = self._learn
        return None if learn is None else learn.control.id

    def learn(self, control: str) -> None:
        """Bind the next control that moves to this knob; until then the controller moves nothing.

        Raises:
            ValueError: There is no such knob; one sentence.
        """
        if control not in self._controls:
            raise ValueError(f"there is no knob '{control[:64]}'; the knobs are {', '.join(self._controls)}")
        with self._lock:
            self._learn = MidiLearn(self._controls[control])

    def cancel_learn(self) -> None:
        """Stop waiting; the map stays as it is."""
        with self._lock:
            self._learn = None

    def _finish_learning(self, now: float) -> None:
        with self._lock:
            learn = self._learn
            if learn is None or not learn.done(now):
                return
            binding = learn.result()
        if binding is not None:
            self.use_map(self._map.with_binding(binding))
        with self._lock:
            # Not before the map: learning that has ended without a new one is read as in vain.
            if self._learn is learn:
                self._learn = None
        if binding is not None:
            self.on_learned(binding)


def _by_id(controls: Sequence[Control]) -> dict[str, Control]:
    return {control.id: control for control in (*controls, *(step for step, _ in STEPS.values()))}
