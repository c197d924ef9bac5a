"""Undo and redo of settings and programs: one step a request, one step a drag."""

from __future__ import annotations

from collections.abc import Mapping, Set
from dataclasses import dataclass, replace
from typing import Literal

Gesture = tuple[str, str]
Way = Literal["undo", "redo"]


@dataclass(frozen=True)
class State:
    """What a step leads from or to.

    Attributes:
        settings: Target of each knob that the step moves; without what one listens to.
        slot: The snapshot that plays.
        program: What plays the sound, in whatever form its host plays it again; the same object or value, the same
            program.
        kept: What the snapshots hold, where the step changes the program.
    """

    settings: Mapping[str, float]
    slot: str
    program: object = None
    kept: Mapping[str, Mapping[str, float]] | None = None


@dataclass
class Step:
    """What one step of the history changed.

    Attributes:
        before, after: The states.
        gesture: Origin and name of the drag it belongs to while that goes on, else None.
    """

    before: State
    after: State
    gesture: Gesture | None = None

    @property
    def is_empty(self) -> bool:
        """Whether it changed nothing."""
        return self.before.settings == self.after.settings and self.before.slot == self.after.slot and not self.builds

    @property
    def builds(self) -> bool:
        """Whether another program plays after it than before."""
        return self.before.program != self.after.program

    def goal(self, way: Way) -> State:
        """Return the state that undo or redo leads to."""
        return self.before if way == "undo" else self.after

    def drop(self, names: Set[str]) -> None:
        """Leave out knobs."""
        self.before, self.after = (
            replace(state, settings={name: value for name, value in state.settings.items() if name not in names})
            for state in (self.before, self.after)
        )


class History:
    """The steps that can be undone and redone; the oldest are forgotten.

    Args:
        depth: Most steps that are kept.

    Attributes:
        is_held: Whether moves are no steps at present, as they belong to a larger one, and no knob is gone for good.
    """

    def __init__(self, depth: int = 200) -> None:
        self._depth = depth
        self.is_held = False
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
        """Append a step, unless moves are held; a further move of a drag is merged into the drag's step."""
        if step.is_empty or self.is_held:
            return
        self._undone.clear()
        drag = self._drag_of(step)
        if drag is None:
            self._done.append(step)
            del self._done[: -self._depth]
            return
        drag.before = replace(drag.before, settings={**step.before.settings, **drag.before.settings})
        drag.after = replace(drag.after, settings={**drag.after.settings, **step.after.settings})

    def end_gesture(self, gesture: Gesture) -> None:
        """Close a drag: the next move under its name is a new step."""
        for step in self._done:
            if step.gesture == gesture:
                step.gesture = None

    def forget(self, names: Set[str]) -> None:
        """Drop knobs that are gone for good: one that comes under the same name later is another one."""
        if self.is_held:
            return
        for steps in (self._done, self._undone):
            for step in steps:
                step.drop(names)
            steps[:] = [step for step in steps if not step.is_empty]

    def clear(self) -> None:
        """Drop every step."""
        self._done.clear()
        self._undone.clear()

    def next(self, way: Way) -> Step | None:
        """Return the step that would be undone or redone, or None."""
        steps = self._done if way == "undo" else self._undone
        return steps[-1] if steps else None

    def go(self, way: Way) -> State:
        """Count the next step as undone or redone and return its goal, which the caller brings about."""
        source, target = (self._done, self._undone) if way == "undo" else (self._undone, self._done)
        step = source.pop()
        step.gesture = None
        target.append(step)
        return step.goal(way)

    def _drag_of(self, step: Step) -> Step | None:
        """Return the drag this move belongs to, unless its knobs were moved since."""
        if step.gesture is None:
            return None
        for earlier in reversed(self._done):
            if earlier.gesture == step.gesture:
                return earlier
            touches = not earlier.before.settings.keys().isdisjoint(step.before.settings)
            if touches or earlier.before.slot != earlier.after.slot or earlier.builds:
                return None
        return None
