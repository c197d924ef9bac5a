"""Four slots for comparing: A, B, C, D, each a set of settings."""

from __future__ import annotations

from collections.abc import Mapping, Set

from plugin_host.settings.changes import SettingsError

SLOTS = ("A", "B", "C", "D")
# They choose what one listens to and would spoil a comparison that switched them too.
LISTENING = frozenset({"bypass", "delta", "compare.match"})


class Slots:
    """The kept settings of each slot; the one that is heard follows the knobs.

    Attributes:
        heard: The slot that is heard.
    """

    def __init__(self) -> None:
        self.heard = SLOTS[0]
        self._kept: dict[str, dict[str, float]] = {}

    @property
    def filled(self) -> tuple[str, ...]:
        """The slots that hold something."""
        return tuple(slot for slot in SLOTS if slot == self.heard or slot in self._kept)

    def leave_for(self, slot: str, live: Mapping[str, float]) -> dict[str, float]:
        """Keep what is heard, move to another slot and return its settings; an empty one starts as a copy."""
        _check(slot)
        self._kept[self.heard] = comparable(live)
        self.heard = slot
        return dict(self._kept.setdefault(slot, comparable(live)))

    def contents(self, slot: str, live: Mapping[str, float]) -> dict[str, float]:
        """Return a slot's settings; raise SettingsError if it is empty or there is no such slot."""
        _check(slot)
        if slot == self.heard:
            return comparable(live)
        if slot not in self._kept:
            raise SettingsError("empty_slot", f"slot {slot} is empty; choose one of {', '.join(self.filled)}")
        return dict(self._kept[slot])

    def forget(self, names: Set[str]) -> None:
        """Drop knobs that are gone: one that comes under the same name later is another one."""
        for slot, kept in self._kept.items():
            self._kept[slot] = {name: value for name, value in kept.items() if name not in names}

    def keep(self, slot: str, settings: Mapping[str, float]) -> None:
        """Put settings into a slot that is not heard."""
        _check(slot)
        self._kept[slot] = comparable(settings)


def _check(slot: str) -> None:
    if slot not in SLOTS:
        raise SettingsError("unknown_slot", f"there is no slot '{slot[:20]}'; the slots are {', '.join(SLOTS)}")


def comparable(settings: Mapping[str, float]) -> dict[str, float]:
    """Return settings without what one listens to."""
    return {name: value for name, value in settings.items() if name not in LISTENING}
