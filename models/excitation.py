"""The excitation of an extender: harmonics or a translation of the input, with the past they need."""

from __future__ import annotations

import numpy as np

from dsp import bands, exciter
from dsp.fourier import Array
from models.tape import Tape

KINDS = ("harmonics", "translation")


class Excitation:
    """Makes the coloured source from the input, hop by hop on the extender's grid.

    Args:
        kind: One of `KINDS`.
        sample_rate: Hz.
    """

    def __init__(self, kind: str, sample_rate: int) -> None:
        if kind not in KINDS:
            raise ValueError(f"the exciter must be one of {', '.join(KINDS)}, not '{kind}'")
        self.kind = kind
        self._rate = sample_rate
        self._hop = bands.hop_samples(sample_rate)
        self.reach = exciter.translation_reach(sample_rate) if kind == "translation" else 1

    def reset(self, channels: int) -> None:
        """Forget the past."""
        # At the start of the hop that is under way and at its end; no drive yet is 0.
        self._levels = np.full((channels, 2), exciter.LEAST_LEVEL, np.float32)
        self._drives = np.zeros(2, np.float32)

    def harmonics(self, signal: Tape, lift: Array | None, phase: int, drive_db: float, out: Tape, count: int) -> None:
        """Write the harmonics of the newest samples.

        Args:
            signal: The input.
            lift: Of the frames that end inside the block, shape (channels, frames), if any do.
            phase: Samples of the first hop that came before the block.
            drive_db: As the knob says.
            out: Where they go; already extended.
            count: Samples of the block.
        """
        if lift is not None:
            drive = 10 ** (drive_db / 20)
            self._levels, self._drives = exciter.boundaries(self._levels, self._drives, phase, lift, drive)
        exciter.harmonics(
            signal.samples, signal.end - count, self._levels, self._drives, self._hop, phase, out.samples,
            out.end - count, count,
        )  # fmt: skip
        if len(self._drives) > 2:
            self._levels, self._drives = self._levels[:, -2:].copy(), self._drives[-2:].copy()

    def translation(self, signal: Tape, count: int, position: int, crossover_hz: float | None) -> Array:
        """Return the translation of the input's newest samples, shape (channels, count).

        Args:
            signal: The input.
            count: Samples.
            position: Index of the first of them since the reset.
            crossover_hz: None where nothing is generated.
        """
        reached = signal.newest(count + self.reach)
        return exciter.translate(reached, crossover_hz or self._rate / 2, self._rate, position)
