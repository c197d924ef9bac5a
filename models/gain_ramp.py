"""A gain that moves without clicks: a straight ramp, sample by sample, wherever the blocks are cut."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_RAMP_SECONDS = 0.01


class GainRamp:
    """Moves toward its target by at most one full gain in 10 ms; starts on the first target it is given."""

    def __init__(self, sample_rate: float) -> None:
        self._step = 1.0 / (_RAMP_SECONDS * sample_rate)
        self._value: float | None = None

    def next(self, target: float, count: int) -> NDArray[np.float32] | float:
        """Return the gain of each of the next samples, shape (count,), or one number where it rests."""
        start = target if self._value is None else self._value
        way = target - start
        if way == 0.0:
            self._value = target
            return target
        covered = np.minimum(np.arange(1, count + 1) * self._step, abs(way))
        gains = start + (covered if way > 0 else -covered)
        self._value = target if covered[-1] >= abs(way) else float(gains[-1])
        return np.where(covered >= abs(way), target, gains).astype(np.float32)
