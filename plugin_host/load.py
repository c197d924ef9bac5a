"""How much of their time calls on the audio thread take, kept where any thread can read it."""

from __future__ import annotations

import math
from array import array

import numpy as np

KEPT = 8192
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
        share = took_s / deadline_s
        self._shares[self.calls % self._kept] = share
        self.calls += 1
        if share > self._longest:
            self._longest = share
        if share <= 1.0:
            return False
        self.missed += 1
        return True

    def figures(self) -> dict[str, float]:
        """Return p50, p99 and p99.9 of the newest calls and the longest of all, each as a share of the deadline."""
        newest = np.sort(np.frombuffer(self._shares, np.float32)[: self.calls])
        if not newest.size:
            return dict.fromkeys([*_RANKS, "max"], 0.0)
        # By the nearest rank, of the sorted whole: numpy sorts by vectors, and picks single ranks five times slower.
        ranked = {name: float(newest[math.ceil(rank * newest.size) - 1]) for name, rank in _RANKS.items()}
        return {**ranked, "max": self._longest}
