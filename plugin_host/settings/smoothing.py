"""The way of the knobs' values to their targets, counted in samples so that no cutting into blocks changes it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from models.control import Control

# A hand or a fader sends few values, which glide into each other; an automation sends every one that it means, and a
# longer glide would only come after it.
AUTOMATION = "automation"
AUTOMATION_MS = 2.0


class Aims(NamedTuple):
    """Goals that are set at one sample.

    Attributes:
        goals: Pairs of a knob's id and its value.
        most_ms: The longest that the way may take, None for each knob's own time.
    """

    goals: tuple[tuple[str, float], ...]
    most_ms: float | None = None


def most_ms_of(origin: str) -> float | None:
    """Return how long a knob may take to where an origin sends it, or None for the knob's own time."""
    return AUTOMATION_MS if origin == AUTOMATION or origin.startswith(f"{AUTOMATION} ") else None


class Glide:
    """One control's way to a goal.

    The way is a straight line in the control's position: the value moves linearly, a log control's by equal ratios.
    It is a function of the whole samples since the goal was set, so any cutting of these gives the same bits.
    Switches, and an automatic control on its way to or from "auto", jump: the stage cross-fades them.

    Attributes:
        control: The declaration.
        goal: Where it goes, in the control's unit.
        start: Where it began.
        way: From there to the goal, as a difference, a log control's as a ratio.
        is_log: Whether it is a ratio.
        elapsed: Samples so far.
        length: Samples of the whole way, 0 for a jump.
    """

    __slots__ = ("_jumps", "_own", "_rate", "control", "elapsed", "goal", "is_log", "length", "start", "way")

    def __init__(self, control: Control, value: float, sample_rate: int) -> None:
        self.control = control
        self.goal = self.start = value
        self.way = 0.0
        self._rate = sample_rate
        self.is_log, self._jumps = control.curve == "log", control.curve == "switch"
        self._own = self._samples(control.glide_ms)
        self.length = self.elapsed = 0

    def _samples(self, milliseconds: float) -> int:
        return round(milliseconds * self._rate / 1000.0)

    def aim(self, goal: float, value: float, most_ms: float | None = None) -> None:
        """Start on the way to another goal.

        Args:
            goal: In the control's unit.
            value: Where it is now.
            most_ms: The longest that the way may take, where that is less than the control's own time.
        """
        self.goal, self.start, self.elapsed = goal, value, 0
        if self._jumps or (self.control.automatic and not (value and goal)):
            self.length = 0
            return
        self.length = self._own if most_ms is None else min(self._own, self._samples(most_ms))
        self.way = goal / value if self.is_log else goal - value


class Glides:
    """All knobs on their ways: what belongs to the audio thread alone.

    Attributes:
        values: The values after the samples so far; the same object until the knobs change.
    """

    def __init__(self, glides: Mapping[str, Glide]) -> None:
        self._glides: dict[str, Glide] = {}
        self._moving: dict[str, Glide] = {}
        self.values: dict[str, float] = {}
        self.replace(glides)

    def replace(self, glides: Mapping[str, Glide]) -> None:
        """Take another set of knobs; one whose declaration stays the same goes on where it is."""
        kept: dict[str, Glide] = {}
        for name, glide in glides.items():
            old = self._glides.get(name)
            kept[name] = old if old is not None and old.control == glide.control else glide
        self._moving = {name: glide for name, glide in self._moving.items() if kept.get(name) is glide}
        values, old_glides = self.values, self._glides
        self.values = {
            name: values[name] if old_glides.get(name) is glide else glide.goal for name, glide in kept.items()
        }
        self._glides = kept

    def aim(self, aims: Aims) -> None:
        """Set goals, all at the same sample; a knob that is gone by now is left out."""
        glides, values = self._glides, self.values
        for name, goal in aims.goals:
            glide = glides.get(name)
            # The same goal again changes nothing.
            if glide is None or goal == glide.goal:
                continue
            glide.aim(goal, values[name], aims.most_ms)
            if glide.length:
                self._moving[name] = glide
            else:
                values[name] = goal
                self._moving.pop(name, None)

    def advance(self, frames: int) -> Mapping[str, float]:
        """Let so many samples pass and return the values after the last of them."""
        values, moving = self.values, self._moving
        if moving:
            arrived = False
            for name, glide in moving.items():
                glide.elapsed = elapsed = glide.elapsed + frames
                if elapsed >= glide.length:
                    values[name], arrived = glide.goal, True
                elif glide.is_log:
                    values[name] = glide.start * glide.way ** (elapsed / glide.length)
                else:
                    values[name] = glide.start + glide.way * (elapsed / glide.length)
            if arrived:
                self._moving = {name: glide for name, glide in moving.items() if glide.elapsed < glide.length}
        return values
