"""The way of the knobs' values to their targets, counted in samples so that no cutting into blocks changes it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from dsp.control import Control

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
    """One control's value on its way to a goal.

    The way is a straight line in the control's position: the value moves linearly, a log control's by equal ratios.
    It is a function of the whole samples since the goal was set, so any cutting of these gives the same bits.
    Switches, and an automatic control on its way to or from "auto", jump: the stage cross-fades them.

    Attributes:
        control: The declaration.
        value: The value after the samples so far, in the control's unit.
        goal: Where it goes.
        moving: Whether the goal is not reached yet.
    """

    __slots__ = ("_elapsed", "_is_log", "_length", "_own", "_rate", "_start", "control", "goal", "moving", "value")

    def __init__(self, control: Control, value: float, sample_rate: int) -> None:
        self.control = control
        self.value = self.goal = self._start = value
        self._rate = sample_rate
        self._is_log = control.curve == "log"
        self._own = self._samples(control.glide_ms)
        self._length = self._elapsed = 0
        self.moving = False

    def _samples(self, milliseconds: float) -> int:
        return round(milliseconds * self._rate / 1000.0)

    def aim(self, goal: float, most_ms: float | None = None) -> None:
        """Start on the way to a goal from where the value is now; the same goal again changes nothing.

        Args:
            goal: In the control's unit.
            most_ms: The longest that the way may take, where that is less than the control's own time.
        """
        if goal == self.goal:
            return
        self.goal, self._start, self._elapsed = goal, self.value, 0
        self._length = self._own if most_ms is None else min(self._own, self._samples(most_ms))
        if self._jumps():
            self._length = 0
        self.moving = self._length > 0
        if not self.moving:
            self.value = goal

    def advance(self, frames: int) -> float:
        """Let so many samples pass and return the value after the last of them."""
        self._elapsed += frames
        if self._elapsed >= self._length:
            self.moving, self.value = False, self.goal
        elif self._is_log:
            self.value = self._start * (self.goal / self._start) ** (self._elapsed / self._length)
        else:
            self.value = self._start + (self.goal - self._start) * (self._elapsed / self._length)
        return self.value

    def _jumps(self) -> bool:
        if self.control.curve == "switch":
            return True
        return self.control.automatic and 0.0 in (self._start, self.goal)


class Glides:
    """All knobs on their ways: what belongs to the audio thread alone.

    Attributes:
        values: The values after the samples so far; the same object until the knobs change.
    """

    def __init__(self, glides: Mapping[str, Glide]) -> None:
        self._glides: dict[str, Glide] = {}
        self.replace(glides)

    def replace(self, glides: Mapping[str, Glide]) -> None:
        """Take another set of knobs; one whose declaration stays the same goes on where it is."""
        kept: dict[str, Glide] = {}
        for name, glide in glides.items():
            old = self._glides.get(name)
            kept[name] = old if old is not None and old.control == glide.control else glide
        self._glides = kept
        self.values = {name: glide.value for name, glide in kept.items()}
        self._moving = {name: glide for name, glide in kept.items() if glide.moving}

    def aim(self, aims: Aims) -> None:
        """Set goals, all at the same sample; a knob that is gone by now is left out."""
        for name, goal in aims.goals:
            glide = self._glides.get(name)
            if glide is None:
                continue
            glide.aim(goal, aims.most_ms)
            self.values[name] = glide.value
            if glide.moving:
                self._moving[name] = glide

    def advance(self, frames: int) -> Mapping[str, float]:
        """Let so many samples pass and return the values after the last of them."""
        arrived = False
        for name, glide in self._moving.items():
            self.values[name] = glide.advance(frames)
            arrived = arrived or not glide.moving
        if arrived:
            self._moving = {name: glide for name, glide in self._moving.items() if glide.moving}
        return self.values
