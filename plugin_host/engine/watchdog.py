"""The watchdog: where deadlines are missed again and again it sheds load step by step, and takes it back later."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

# So many missed deadlines within so many seconds are overload, not an accident.
_MISSES, _WITHIN_S = 4, 2.0
# A step must show its effect before the next one follows.
_SETTLE_S = 1.0
_FIRST_CALM_S, _LAST_CALM_S = 10.0, 160.0


@dataclass(frozen=True)
class Relief:
    """One way to save time.

    Attributes:
        name: For people, such as "spectra off".
        on: Takes the step.
        off: Takes it back.
    """

    name: str
    on: Callable[[], None]
    off: Callable[[], None]


class Watchdog:
    """Goes down the steps while deadlines are missed and up again after calm; ask it from the main thread.

    Each relapse soon after a recovery doubles the calm that the next recovery waits for.

    Args:
        steps: In the order in which they are taken.
        missed: Returns how many deadlines were missed so far.
    """

    def __init__(self, steps: list[Relief], missed: Callable[[], int]) -> None:
        self._steps, self._missed = steps, missed
        self._taken = 0
        self._seen = missed()
        self._misses: deque[float] = deque(maxlen=_MISSES)
        self._changed_at = self._calm_since = float("-inf")
        self._calm_s, self._recovered_at = _FIRST_CALM_S, float("-inf")

    @property
    def taken(self) -> list[str]:
        """The names of the steps that are in force."""
        return [step.name for step in self._steps[: self._taken]]

    def check(self, now: float) -> str | None:
        """Look at the missed deadlines; returns a sentence where a step was taken.

        Args:
            now: Seconds on any clock that only rises.
        """
        missed = self._missed()
        fresh, self._seen = missed - self._seen, missed
        if fresh > 0:
            self._misses.extend([now] * min(fresh, _MISSES))
            self._calm_since = now
        is_overload = len(self._misses) == _MISSES and now - self._misses[0] <= _WITHIN_S
        if is_overload and now - self._changed_at >= _SETTLE_S and self._taken < len(self._steps):
            return self._step_down(now)
        if self._taken and now - max(self._calm_since, self._changed_at) >= self._calm_s:
            return self._step_up(now)
        return None

    def _step_down(self, now: float) -> str:
        if now - self._recovered_at < self._calm_s:
            self._calm_s = min(2.0 * self._calm_s, _LAST_CALM_S)
        step = self._steps[self._taken]
        self._taken += 1
        self._changed_at = now
        self._misses.clear()
        step.on()
        return f"too many missed deadlines: {step.name}"

    def _step_up(self, now: float) -> str:
        self._taken -= 1
        self._changed_at = self._recovered_at = now
        step = self._steps[self._taken]
        step.off()
        return f"calm again: no longer {step.name}"
