"""How much of their time calls on the audio thread take, kept where any thread can read it."""

from __future__ import annotations

import numpy as np

KEPT = 8192
_PERCENTILES = {"p50": 50.0, "p99": 99.0, "p99.9": 99.9}


class LoadMeter:
    """The newest calls as shares of their deadlines; one writer, any readers, no lock.

    Args:
        kept: How many of the newest calls the percentiles are of.

    Attributes:
        calls: Calls so far.
        missed: Calls that took longer than their deadline.
    """

    def __init__(self, kept: int = KEPT) -> None:
        self._shares = np.zeros(kept)
        self.clear()

    def clear(self) -> None:
        """Forget every call."""
        self.calls = self.missed = 0
        self._longest = 0.0

    def add(self, took_s: float, deadline_s: float) -> bool:
        """Note a call and return whether it missed its deadline."""
        share = took_s / deadline_s
        self._shares[self.calls % len(self._shares)] = share
        self.calls += 1
        self._longest = max(self._longest, share)
        is_late = share > 1.0
        self.missed += is_late
        return is_late

    def figures(self) -> dict[str, float]:
        """Return p50, p99 and p99.9 of the newest calls and the longest of all, each as a share of the deadline."""
        newest = self._shares[: self.calls].copy()
        if not newest.size:
            return dict.fromkeys([*_PERCENTILES, "max"], 0.0)
        shares = np.percentile(newest, list(_PERCENTILES.values()))
        return {**{name: float(share) for name, share in zip(_PERCENTILES, shares, strict=True)}, "max": self._longest}
