"""A gain that moves without clicks: a straight ramp, sample by sample, wherever the blocks are cut."""

from __future__ import annotations

import torch
from torch import Tensor

_RAMP_SECONDS = 0.01


class GainRamp:
    """Moves toward its target by at most one full gain in 10 ms; starts on the first target it is given."""

    def __init__(self, sample_rate: float) -> None:
        self._step = 1.0 / (_RAMP_SECONDS * sample_rate)
        self._value: float | None = None

    def next(self, target: float, count: int) -> Tensor:
        """Return the gain of each of the next samples, shape (count,)."""
        start = target if self._value is None else self._value
        way = target - start
        if way == 0.0:
            self._value = target
            return torch.full((count,), target)
        covered = (torch.arange(1, count + 1, dtype=torch.float64) * self._step).clamp(max=abs(way))
        gains = start + (covered if way > 0 else -covered)
        self._value = target if float(covered[-1]) >= abs(way) else float(gains[-1])
        gains = torch.where(covered >= abs(way), target, gains)
        return gains.float()
