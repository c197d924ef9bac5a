"""A gain that moves without clicks: a straight ramp, sample by sample, wherever the blocks are cut."""

from __future__ import annotations

from dsp.kernel import kernel
from models.stage import Block

_RAMP_SECONDS = 0.01


class GainRamp:
    """Moves toward its target by at most one full gain in 10 ms; starts on the first target it is given."""

    def __init__(self, sample_rate: float) -> None:
        self._step = 1.0 / (_RAMP_SECONDS * sample_rate)
        self._gain: float | None = None

    def apply(self, target: float, block: Block) -> None:
        """Multiply a block (channels, samples) in place; what rests at 1 stays as it is to the last bit."""
        start = target if self._gain is None else self._gain
        way = target - start
        covered = min(abs(way), block.shape[1] * self._step)
        self._gain = target if covered == abs(way) else start + (covered if way > 0 else -covered)
        if start != 1.0 or target != 1.0:
            _ramp(block, start, target, self._step)


@kernel
def _ramp(block: Block, start: float, target: float, step: float) -> None:
    for channel in range(block.shape[0]):
        for i in range(block.shape[1]):
            covered = (i + 1) * step
            if covered >= abs(target - start):
                gain = target
            else:
                gain = start + covered if target > start else start - covered
            block[channel, i] *= gain
