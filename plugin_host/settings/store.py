"""The settings: one store that every control interface asks and only the audio thread writes.

A control interface (panel, socket, OSC, MIDI, command line) calls `request` on its own thread: name, unit and range
are checked there, the target is kept, the change is published, and the move is queued. The audio thread calls `drain`
once a block, which empties the queue and smooths each value. The interfaces share a lock; the audio thread needs none.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from models.control import Control
from plugin_host.settings.changes import Accepted, Cause, Change, SettingsError, Snapshot, Subscription
from plugin_host.settings.checking import checked, control_of, possible
from plugin_host.settings.history import History, State, Step, Way
from plugin_host.settings.move_queue import MoveQueue
from plugin_host.settings.smoothing import Aims, Ramp, most_ms_of
from plugin_host.settings.snapshots import LISTENING, Snapshots, comparable


class SettingsStore:
    """Targets, current values, history and snapshots of a set of controls.

    Args:
        controls: The knobs; they start at their defaults.
        capacity: Most requests that wait for the audio thread; beyond it they are merged into their newest targets.
        sample_rate: In Hz, until `prepare` is called.

    Attributes:
        drain: Applies the requests and returns every value, on the audio thread; see `MoveQueue.drain`.
    """

    def __init__(self, controls: Sequence[Control], capacity: int = 256, sample_rate: int = 48000) -> None:
        self._lock, self._building = threading.RLock(), threading.Lock()
        self._rate = sample_rate
        self._subscriptions: list[Subscription] = []
        self._history, self._snapshots = History(), Snapshots()
        self._sequence, self._locked = 0, set[str]()
        self._controls = {control.id: control for control in controls}
        self._targets = {control.id: control.default for control in controls}
        self._came = dict.fromkeys(self._controls, 0)
        self._queue = MoveQueue(self._fresh_ramps(), capacity)
        self.drain = self._queue.drain

    def __repr__(self) -> str:
        return f"<SettingsStore: {len(self.controls)} knobs, change {self.sequence}>"

    @property
    def controls(self) -> tuple[Control, ...]:
        """The knobs there are now."""
        with self._lock:
            return tuple(self._controls.values())

    @property
    def sequence(self) -> int:
        """Number of the last change."""
        return self._sequence

    # Control interfaces: any thread.

    def request(self, name: str, value: float | str, origin: str, gesture: str | None = None) -> Accepted:
        """Ask for a knob's new value, in its unit or as text.

        Args:
            name: The control's id.
            value: Such as -3.0, "-3 dB", "6.3 kHz", "auto", "on".
            origin: The client; for "automation" the value is reached within 2 ms, else in the knob's own time.
            gesture: Name of a drag; all moves of one origin under one name are one step of undo.

        Raises:
            SettingsError: There is no such knob, or the value is not allowed; a ValueError of one sentence.
        """
        return self.request_many({name: value}, origin, gesture)[0]

    def request_many(
        self, values: Mapping[str, float | str], origin: str, gesture: str | None = None
    ) -> tuple[Accepted, ...]:
        """Ask for several knobs at once: all of them move at the same sample, or, where one is refused, none."""
        with self._lock:
            wanted = {name: checked(self._controls, name, value) for name, value in values.items()}
            return self._do(wanted, origin, "set", gesture).accepted

    def end_gesture(self, origin: str, gesture: str) -> None:
        """Close a drag: the next move under its name is a new step of undo."""
        with self._lock:
            self._history.end_gesture((origin, gesture))

    @contextmanager
    def one_step(self, program: Callable[[], Any]) -> Iterator[None]:
        """Join all that changes meanwhile, of whatever origin, into one step; a second one waits for its end.

        Args:
            program: Returns what plays, as `undo` gives it to be played again.
        """
        with self._building:
            with self._lock:
                before, self._history.is_held = self._state(program()), True
            try:
                yield
            finally:
                with self._lock:
                    self._history.is_held = False
                    self._history.add(Step(before, self._state(program())))

    def builds(self, way: Way) -> bool:
        """Return whether undo or redo would have to wait for another program."""
        with self._lock:
            step = self._history.next(way)
            return self._building.locked() or (step is not None and step.builds)

    def undo(self, origin: str, play: Callable[[Any], None] | None = None) -> Change:
        """Take the last step back.

        Args:
            origin: The client.
            play: Plays another program and declares its knobs; without it a step that needs one is refused.

        Raises:
            ValueError: There is none, or the program can't be played any more; nothing has changed.
        """
        return self._go("undo", origin, play)

    def redo(self, origin: str, play: Callable[[Any], None] | None = None) -> Change:
        """Do the last undone step again; as `undo`."""
        return self._go("redo", origin, play)

    def begin(self, settings: Mapping[str, float | str], origin: str) -> None:
        """Apply the settings that a session begins with; they are no step."""
        with self._lock:
            self.load(settings, origin)
            self._history.clear()

    def load(self, settings: Mapping[str, float | str], origin: str) -> Change:
        """Apply a preset's settings as one step.

        Knobs that it does not name go to their defaults; those that say what one listens to, and locked ones, stay.
        """
        with self._lock:
            whole: dict[str, float] = {c.id: c.default for c in self._controls.values() if c.id not in LISTENING}
            whole |= {name: checked(self._controls, name, value) for name, value in settings.items()}
            whole = {name: value for name, value in whole.items() if name not in self._locked}
            return self._do(whole, origin, "load")

    def lock(self, name: str, is_locked: bool, origin: str) -> Change:
        """Hold a knob against presets, or release it; raise SettingsError if there is no such knob."""
        with self._lock:
            control_of(self._controls, name)
            self._locked = self._locked - {name} | ({name} if is_locked else set())
            return self._publish({}, origin, "lock")

    def select_slot(self, slot: str, origin: str) -> Change:
        """Play another snapshot, "A" to "D", as one step; one that never played starts as a copy of this one."""
        with self._lock:
            before = self._snapshots.current
            kept = self._snapshots.leave_for(slot, self._targets)
            return self._do(possible(self._controls, kept), origin, "slot", slot_before=before)

    def copy_slot(self, source: str, target: str, origin: str) -> None:
        """Copy one snapshot's settings to another; where that is the one that plays, its knobs move as one step."""
        with self._lock:
            settings = self._snapshots.contents(source, self._targets)
            if target == self._snapshots.current:
                self._do(possible(self._controls, settings), origin, "slot")
            else:
                self._snapshots.keep(target, settings)

    def declare(self, controls: Sequence[Control], origin: str = "host") -> Change:
        """Change the set of knobs, as another chain needs it.

        A knob whose declaration stays the same keeps its value; any other starts at its default.
        """
        with self._lock:
            old, self._controls = self._controls, {control.id: control for control in controls}
            gone = {name for name, control in old.items() if self._controls.get(name) != control}
            self._history.forget(gone)
            self._locked -= gone
            self._snapshots.forget(gone)
            staying = {name: target for name, target in self._targets.items() if name not in gone}
            self._targets = {name: staying.get(name, control.default) for name, control in self._controls.items()}
            self._came = {name: self._came.get(name, 0) for name in self._controls}
            self._put(self._fresh_ramps())
            return self._publish(dict(self._targets), origin, "controls")

    def targets(self) -> dict[str, float]:
        """Return every knob's target by id."""
        with self._lock:
            return dict(self._targets)

    def setting(self, name: str) -> Accepted:
        """Return one knob's target; raise SettingsError if there is no such knob."""
        with self._lock:
            control_of(self._controls, name)
            return self._accepted(name, self._came[name])

    def snapshot(self) -> Snapshot:
        """Return the whole state, consistent in itself."""
        with self._lock:
            settings = {name: self._accepted(name, self._came[name]) for name in self._controls}
            return Snapshot(
                self._sequence, self._snapshots.current, self._snapshots.filled, self._history.can_undo,
                self._history.can_redo, tuple(sorted(self._locked)), settings, self._snapshots.copy(),
            )  # fmt: skip

    def subscribe(self, capacity: int = 1024) -> Subscription:
        """Return a queue that receives every change from now on."""
        with self._lock:
            self._subscriptions.append(Subscription(capacity))
            return self._subscriptions[-1]

    def unsubscribe(self, subscription: Subscription) -> None:
        """Stop giving changes to a reader."""
        with self._lock:
            self._subscriptions = [known for known in self._subscriptions if known is not subscription]

    # The audio thread; `prepare` while it rests.

    def prepare(self, sample_rate: int) -> None:
        """Set the sample rate and the values to the targets; call it only while `drain` is not called."""
        with self._lock:
            self._rate = sample_rate
            self._queue.restart(self._fresh_ramps())

    # Under the lock.

    def _fresh_ramps(self) -> dict[str, Ramp]:
        return {name: Ramp(control, self._targets[name], self._rate) for name, control in self._controls.items()}

    def _state(self, program: object) -> State:
        return State(comparable(self._targets), self._snapshots.current, program, self._snapshots.copy())

    def _do(
        self, values: dict[str, float], origin: str, cause: Cause, gesture: str | None = None, slot_before: str = ""
    ) -> Change:
        current = self._snapshots.current
        # What one listens to is no step of the sound's history.
        after = State(comparable(values), current)
        before = State({name: self._targets[name] for name in after.settings}, slot_before or current)
        self._history.add(Step(before, after, None if gesture is None else (origin, gesture)))
        return self._move(values, origin, cause)

    def _go(self, way: Way, origin: str, play: Callable[[Any], None] | None) -> Change:
        with self._lock:
            step = self._history.next(way)
            if step is None:
                raise SettingsError(f"nothing_to_{way}", f"there is nothing to {way}")
            if not step.builds:
                return self._return_to(self._history.go(way), origin, way)
        if play is None:
            raise SettingsError("refused", "this step changes the chain too: ask the host that plays it")
        return self._go_and_build(way, origin, play)

    def _go_and_build(self, way: Way, origin: str, play: Callable[[Any], None]) -> Change:
        with self._building:
            with self._lock:
                step = self._history.next(way)
                if step is None or not step.builds:
                    raise SettingsError("busy", "something else has changed meanwhile; try again")
                self._history.is_held = True
            try:
                play(step.goal(way).program)
                with self._lock:
                    return self._return_to(self._history.go(way), origin, way)
            finally:
                self._history.is_held = False

    def _return_to(self, goal: State, origin: str, cause: Cause) -> Change:
        if goal.slot != self._snapshots.current:
            self._snapshots.leave_for(goal.slot, self._targets)
        self._snapshots.bring_back(goal.kept or {})
        return self._move(possible(self._controls, goal.settings), origin, cause)

    def _move(self, values: dict[str, float], origin: str, cause: Cause) -> Change:
        self._targets.update(values)
        if values:
            self._put(Aims(tuple(values.items()), most_ms_of(origin)))
        return self._publish(values, origin, cause)

    def _put(self, item: Aims | dict[str, Ramp]) -> None:
        self._queue.put(item, lambda: (self._fresh_ramps(), Aims(tuple(self._targets.items()))))

    def _publish(self, values: Mapping[str, float], origin: str, cause: Cause) -> Change:
        self._sequence += 1
        self._came.update(dict.fromkeys(values, self._sequence))
        accepted = tuple(self._accepted(name, self._sequence) for name in values)
        change = Change(self._sequence, origin, cause, accepted, self._snapshots.current)
        for subscription in self._subscriptions:
            subscription.put(change)
        return change

    def _accepted(self, name: str, sequence: int) -> Accepted:
        control, value = self._controls[name], self._targets[name]
        return Accepted(name, value, control.to_text(value), control.to_position(value), sequence)
