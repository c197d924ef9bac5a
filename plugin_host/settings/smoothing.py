"""Parameter smoothing: the ramps of the knobs' values to their targets, the same however time is cut into blocks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from models.control import Control

# A hand or a fader sends few values, between which a ramp is wanted; an automation sends every value, and a longer
# ramp would only lag behind it.
AUTOMATION = "automation"
AUTOMATION_MS = 2.0


class Aims(NamedTuple):
    """Targets that are set at one sample.

    Attributes:
        goals: Pairs of a knob's id and its value.
        most_ms: The longest ramp, None for each knob's own time.
    """

    goals: tuple[tuple[str, float], ...]
    most_ms: float | None = None


def most_ms_of(origin: str) -> float | None:
    """Return the longest ramp of a knob that an origin sets, or None for the knob's own time."""
    return AUTOMATION_MS if origin == AUTOMATION or origin.startswith(f"{AUTOMATION} ") else None


class Ramp:
    """One control's ramp to a goal.

    The ramp is a straight line in the control's position: the value moves linearly, a log control's by equal ratios.
    It is a function of the whole samples since the goal was set, so any cutting of these gives the same bits.
    Switches, and an automatic control on the way to or from "auto", jump: the stage cross-fades them.

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
        """Begin a ramp to another goal.

        Args:
            goal: In the control's unit.
            value: Where it is now.
            most_ms: The longest ramp, where that is less than the control's own time.
        """
        self.goal, self.start, self.elapsed = goal, value, 0
        if self._jumps or (self.control.automatic and not (value and goal)):
            self.length = 0
            return
        self.length = self._own if most_ms is None else min(self._own, self._samples(most_ms))
        self.way = goal / value if self.is_log else goal - value


class Smoother:
    """The ramps of all knobs; belongs to the audio thread alone.

    Attributes:
        values: The values after the samples so far; the same object until the knobs change.
        moving: The ramps that are under way.
    """

    def __init__(self, ramps: Mapping[str, Ramp]) -> None:
        self._ramps: dict[str, Ramp] = {}
        self.moving: dict[str, Ramp] = {}
        self.values: dict[str, float] = {}
        self.replace(ramps)

    def replace(self, ramps: Mapping[str, Ramp]) -> None:
        """Replace the set of knobs; one whose declaration stays the same goes on where it is."""
        kept: dict[str, Ramp] = {}
        for name, ramp in ramps.items():
            old = self._ramps.get(name)
            kept[name] = old if old is not None and old.control == ramp.control else ramp
        self.moving = {name: ramp for name, ramp in self.moving.items() if kept.get(name) is ramp}
        values, old_ramps = self.values, self._ramps
        self.values = {name: values[name] if old_ramps.get(name) is ramp else ramp.goal for name, ramp in kept.items()}
        self._ramps = kept

    def aim(self, aims: Aims) -> None:
        """Set goals, all at the same sample; a knob that is gone by now is left out."""
        ramps, values = self._ramps, self.values
        for name, goal in aims.goals:
            ramp = ramps.get(name)
            # The same goal again changes nothing.
            if ramp is None or goal == ramp.goal:
                continue
            ramp.aim(goal, values[name], aims.most_ms)
            if ramp.length:
                self.moving[name] = ramp
            else:
                values[name] = goal
                self.moving.pop(name, None)

    def advance(self, frames: int) -> Mapping[str, float]:
        """Move on by so many samples and return the values after the last of them."""
        values, moving = self.values, self.moving
        if moving:
            arrived = False
            for name, ramp in moving.items():
                ramp.elapsed = elapsed = ramp.elapsed + frames
                if elapsed >= ramp.length:
                    values[name], arrived = ramp.goal, True
                elif ramp.is_log:
                    values[name] = ramp.start * ramp.way ** (elapsed / ramp.length)
                else:
                    values[name] = ramp.start + ramp.way * (elapsed / ramp.length)
            if arrived:
                self.moving = {name: ramp for name, ramp in moving.items() if ramp.elapsed < ramp.length}
        return values
