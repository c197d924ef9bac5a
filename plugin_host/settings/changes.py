"""Change events: what a request has changed, for the client that sent it and for all others."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Cause = Literal["set", "undo", "redo", "load", "slot", "controls", "lock"]


class SettingsError(ValueError):
    """A request that was refused; the text is one sentence for a person.

    Attributes:
        kind: A stable name for programs, such as "unknown_knob" or "bad_value".
    """

    def __init__(self, kind: str, sentence: str) -> None:
        super().__init__(sentence)
        self.kind = kind


@dataclass(frozen=True, slots=True)
class Accepted:
    """A knob's new target.

    Attributes:
        name: The control's id.
        value: In the control's unit.
        text: The value as a person reads it.
        position: Where the knob points, 0..1.
        sequence: Number of the change that brought it; numbers rise by one from change to change.
    """

    name: str
    value: float
    text: str
    position: float
    sequence: int


@dataclass(frozen=True, slots=True)
class Change:
    """Knobs that changed at once, of one cause.

    Attributes:
        sequence: Rises by one from change to change, so that a gap shows what was missed.
        origin: The client: "midi", "osc", the name of a client.
        cause: The kind of request; "controls" means that there are other knobs now.
        accepted: The knobs that were moved, or, after other knobs came, all of them.
        slot: The snapshot that plays since.
    """

    sequence: int
    origin: str
    cause: Cause
    accepted: tuple[Accepted, ...]
    slot: str


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The whole state at one moment, for a client that connects late.

    Attributes:
        kept: The settings of every snapshot that was played before, as it was left.
    """

    sequence: int
    slot: str
    slots: tuple[str, ...]
    can_undo: bool
    can_redo: bool
    locked: tuple[str, ...]
    settings: Mapping[str, Accepted]
    kept: Mapping[str, Mapping[str, float]]


class Subscription:
    """Changes for one reader, oldest first; a reader that is too slow loses the oldest and sees it in `missed`."""

    def __init__(self, capacity: int) -> None:
        self._waiting: deque[Change] = deque(maxlen=capacity)
        self._ready = threading.Event()
        self.missed = 0

    def __bool__(self) -> bool:
        """Whether there are any."""
        return bool(self._waiting)

    def put(self, change: Change) -> None:
        """Add a change; only the store calls it, one thread at a time."""
        self.missed += len(self._waiting) == self._waiting.maxlen
        self._waiting.append(change)
        self._ready.set()

    def take(self, timeout_s: float = 0.0) -> list[Change]:
        """Return what has come since the last call; wait for it no longer than the timeout."""
        if timeout_s > 0.0:
            self._ready.wait(timeout_s)
        elif not self._waiting:
            return []
        self._ready.clear()
        return [self._waiting.popleft() for _ in range(len(self._waiting))]
