"""Load meters: the shares of their deadlines that calls on the audio thread take, readable by any thread."""

from __future__ import annotations

import math
import time
from array import array
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

KEPT = 8192
# The cost of a block goes round with the model's hop, by 2, 4 or 8 blocks: every seventh meets all of them in turn.
_WATCHED = 7
_RANKS = {"p50": 0.5, "p99": 0.99, "p99.9": 0.999}


class LoadMeter:
    """The newest calls as shares of their deadlines; one writer, any readers, no lock.

    Args:
        kept: How many of the newest calls the percentiles are of.

    Attributes:
        calls: Calls so far.
        missed: Calls that took longer than their deadline.
    """

    def __init__(self, kept: int = KEPT) -> None:
        # Of the standard library, which stores a number at half of numpy's price.
        self._shares = array("f", bytes(4 * kept))
        self._kept = kept
        self.clear()

    def clear(self) -> None:
        """Forget every call."""
        self.calls = self.missed = 0
        self._longest = 0.0

    def add(self, took_s: float, deadline_s: float) -> bool:
        """Note a call and return whether it missed its deadline."""
        share, calls = took_s / deadline_s, self.calls
        self._shares[calls % self._kept] = share
        self.calls = calls + 1
        if share > self._longest:
            self._longest = share
        if share <= 1.0:
            return False
        self.missed += 1
        return True

    def figures(self) -> dict[str, float]:
        """Return p50, p99 and p99.9 of the newest calls and the longest of all, each as a share of the deadline."""
        return {**_ranked(np.frombuffer(self._shares, np.float32)[: self.calls]), "max": self._longest}


class CallTimer:
    """Times calls on the thread that makes them.

    Attributes:
        load: What each took.
        waiting: What of it every seventh spent without the processor.
    """

    def __init__(self) -> None:
        self.load, self.waiting = LoadMeter(), LoadMeter()

    def clear(self) -> None:
        """Forget every call."""
        self.load.clear()
        self.waiting.clear()

    def keep(self, calls: int) -> None:
        """Forget every call, and keep so many from now on."""
        self.load = LoadMeter(calls)

    def begin(self) -> None:
        """Note that a call begins."""
        self._began = time.perf_counter()
        # The system gives a thread's time by a call that costs more than all the rest.
        self._worked = None if self.load.calls % _WATCHED else time.thread_time()

    def end(self, deadline_s: float) -> bool:
        """Note that it ends, and return whether it missed its deadline."""
        took_s = time.perf_counter() - self._began
        if self._worked is not None:
            self.waiting.add(max(0.0, took_s - (time.thread_time() - self._worked)), deadline_s)
        return self.load.add(took_s, deadline_s)


class LapMeter:
    """What each of a row of steps took of the deadline in the newest calls; one writer, any readers, no lock.

    Args:
        steps: How many there are.
        kept: How many of the newest calls count.
    """

    def __init__(self, steps: int, kept: int = KEPT) -> None:
        # For each call the deadline, when it began and when each step ended, in seconds.
        self._width, self._kept = steps + 2, kept
        self._marks = array("d", bytes(8 * self._width * kept))
        self.clear()

    def clear(self) -> None:
        """Forget every call."""
        self._calls = 0

    def add(self, deadline_s: float, marks: Iterable[float]) -> None:
        """Note a call: when it began, and when each of its steps ended."""
        at = self._calls % self._kept * self._width
        self._marks[at : at + self._width] = array("d", (deadline_s, *marks))
        self._calls += 1

    def figures(self) -> list[dict[str, float]]:
        """Return p50, p99, p99.9 and the longest of the newest calls for each step, as shares of the deadline."""
        # Counted before the copy: a row that is added meanwhile is still empty in it. Bytes are one step for the
        # interpreter, so that no row is half written.
        calls = self._calls
        marks = np.frombuffer(bytes(self._marks), np.float64).reshape(self._kept, -1)[:calls]
        shares = np.diff(marks[:, 1:]) / marks[:, :1]
        return [{**_ranked(step), "max": float(step.max(initial=0.0))} for step in shares.T]


def _ranked(shares: NDArray[np.floating]) -> dict[str, float]:
    """Return percentiles by the nearest rank, 0 of nothing."""
    if not shares.size:
        return dict.fromkeys(_RANKS, 0.0)
    # Of the sorted whole: numpy sorts by vectors, and picks single ranks five times slower.
    newest = np.sort(shares)
    return {name: float(newest[math.ceil(rank * newest.size) - 1]) for name, rank in _RANKS.items()}
