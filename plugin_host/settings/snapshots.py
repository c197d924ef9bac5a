"""Snapshots A, B, C and D: sets of settings to compare."""

from __future__ import annotations

from collections.abc import Mapping, Set

from plugin_host.settings.changes import SettingsError

SLOTS = ("A", "B", "C", "D")
# They choose what one listens to, and would spoil a comparison that switched them too.
LISTENING = frozenset({"bypass", "delta", "compare.match", "input.trim"})


class Snapshots:
    """The settings that each snapshot keeps; the one that plays follows the knobs.

    Attributes:
        current: The snapshot that plays.
    """

    def __init__(self) -> None:
        self.current = SLOTS[0]
        self._kept: dict[str, dict[str, float]] = {}

    @property
    def filled(self) -> tuple[str, ...]:
        """The snapshots that hold something."""
        return tuple(slot for slot in SLOTS if slot == self.current or slot in self._kept)

    def leave_for(self, slot: str, live: Mapping[str, float]) -> dict[str, float]:
        """Keep the current settings, go to another snapshot and return its settings; an empty one starts as a copy."""
        _check(slot)
        self._kept[self.current] = comparable(live)
        self.current = slot
        return dict(self._kept.setdefault(slot, comparable(live)))

    def contents(self, slot: str, live: Mapping[str, float]) -> dict[str, float]:
        """Return a snapshot's settings; raise SettingsError if it is empty or there is none of this name."""
        _check(slot)
        if slot == self.current:
            return comparable(live)
        if slot not in self._kept:
            raise SettingsError("empty_slot", f"slot {slot} is empty; choose one of {', '.join(self.filled)}")
        return dict(self._kept[slot])

    def forget(self, names: Set[str]) -> None:
        """Drop knobs that are gone: one that comes under the same name later is another one."""
        for slot, kept in self._kept.items():
            self._kept[slot] = {name: value for name, value in kept.items() if name not in names}

    def copy(self) -> dict[str, dict[str, float]]:
        """Return what every snapshot keeps."""
        return {slot: dict(kept) for slot, kept in self._kept.items()}

    def bring_back(self, kept: Mapping[str, Mapping[str, float]]) -> None:
        """Give snapshots the knobs again that they have not, as they were in an earlier copy."""
        for slot, settings in kept.items():
            self._kept[slot] = {**settings, **self._kept.get(slot, {})}

    def keep(self, slot: str, settings: Mapping[str, float]) -> None:
        """Keep settings in a snapshot that does not play."""
        _check(slot)
        self._kept[slot] = comparable(settings)


def _check(slot: str) -> None:
    if slot not in SLOTS:
        raise SettingsError("unknown_slot", f"there is no slot '{slot[:20]}'; the slots are {', '.join(SLOTS)}")


def comparable(settings: Mapping[str, float]) -> dict[str, float]:
    """Return settings without what one listens to."""
    return {name: value for name, value in settings.items() if name not in LISTENING}
