"""Undo and redo of settings: one step a request, one step a drag."""

from __future__ import annotations

from collections.abc import Mapping, Set
from dataclasses import dataclass

Gesture = tuple[str, str]


@dataclass
class Step:
    """What one step of the history changed.

    Attributes:
        before, after: Target of each knob it moved, before and after; without what one listens to.
        slot_before, slot_after: The snapshot that played.
        gesture: Origin and name of the drag it belongs to while that goes on, else None.
    """

    before: dict[str, float]
    after: dict[str, float]
    slot_before: str
    slot_after: str
    gesture: Gesture | None = None

    @property
    def empty(self) -> bool:
        """Whether it changed nothing."""
        return self.before == self.after and self.slot_before == self.slot_after


class History:
    """The steps that can be undone and redone; the oldest are forgotten.

    Args:
        depth: Most steps that are kept.
    """

    def __init__(self, depth: int = 200) -> None:
        self._depth = depth
        self._done: list[Step] = []
        self._undone: list[Step] = []

    @property
    def can_undo(self) -> bool:
        """Whether there is a step to undo."""
        return bool(self._done)

    @property
    def can_redo(self) -> bool:
        """Whether there is an undone step."""
        return bool(self._undone)

    def add(self, step: Step) -> None:
        """Append a step; a further move of a drag is merged into the drag's step."""
        if step.empty:
            return
        self._undone.clear()
        drag = self._drag_of(step)
        if drag is None:
            self._done.append(step)
            del self._done[: -self._depth]
            return
        drag.before = step.before | drag.before
        drag.after |= step.after

    def end_gesture(self, gesture: Gesture) -> None:
        """Close a drag: the next move under its name is a new step."""
        for step in self._done:
            if step.gesture == gesture:
                step.gesture = None

    def forget(self, names: Set[str]) -> None:
        """Drop knobs that are gone: one that comes under the same name later is another one."""
        for steps in (self._done, self._undone):
            for step in steps:
                for settings in (step.before, step.after):
                    for name in names & settings.keys():
                        del settings[name]
            steps[:] = [step for step in steps if not step.empty]

    def undo(self) -> Step | None:
        """Return the last step, or None; the caller brings back what was before it."""
        if not self._done:
            return None
        self._undone.append(self._done.pop())
        return self._undone[-1]

    def redo(self) -> Step | None:
        """Return the last undone step, or None; the caller brings back what was after it."""
        if not self._undone:
            return None
        step = self._undone.pop()
        step.gesture = None
        self._done.append(step)
        return step

    def _drag_of(self, step: Step) -> Step | None:
        """Return the drag this move belongs to, unless its knobs were moved since."""
        if step.gesture is None:
            return None
        for earlier in reversed(self._done):
            if earlier.gesture == step.gesture:
                return earlier
            if _touches(earlier, step.before) or earlier.slot_before != earlier.slot_after:
                return None
        return None


def _touches(step: Step, names: Mapping[str, float]) -> bool:
    return not step.before.keys().isdisjoint(names)
