"""The excitation of an extender: harmonics or a translation of the input beside noise, with the past they need."""

from __future__ import annotations

import torch
from torch import Tensor

from dsp import bands, exciter

KINDS = ("harmonics", "translation")


class Excitation:
    """Makes the coloured source from the input, hop by hop on the extender's grid; noise needs no state.

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
        self._table = exciter.noise_table()
        self.reach = exciter.translation_reach(sample_rate) if kind == "translation" else 1

    def reset(self, channels: int) -> None:
        """Forget the past."""
        # Level at the two boundaries around the hop that is under way.
        self._levels = torch.full((channels, 2), _LEAST_LEVEL)

    def source(
        self, signal: Tensor, frames: Tensor, position: int, crossover_hz: float | None, drive_db: float
    ) -> Tensor:
        """Return the source for a block.

        Args:
            signal: `reach` samples of past, then the block; shape (channels, reach + time).
            frames: The input's frames that end inside the block, shape (channels, frames, window).
            position: Index of the block's first sample since the reset.
            crossover_hz: For translation; None where nothing is generated.
            drive_db: For harmonics.

        Returns:
            Shape (channels, time).
        """
        if self.kind == "translation":
            return exciter.translate(signal, crossover_hz or self._rate / 2, self._rate, position)
        count, phase = signal.shape[-1] - self.reach, position % self._hop
        level = self._level_of_samples(frames, phase)[:, phase : phase + count]
        return exciter.harmonics(signal, level, 10 ** (drive_db / 20))

    def _level_of_samples(self, frames: Tensor, phase: int) -> Tensor:
        measured = torch.diff(frames).square().mean(-1).sqrt().clamp(min=_LEAST_LEVEL)
        kept = self._levels if phase else self._levels[:, 1:]
        levels = torch.cat([kept, measured], -1)
        self._levels = torch.cat([self._levels, measured], -1)[:, -2:]
        ramp = (torch.arange(self._hop) + 0.5) / self._hop
        return torch.lerp(levels[:, :-1, None], levels[:, 1:, None], ramp).flatten(1)

    def noise(self, start: int, length: int, channels: int, width: float) -> Tensor:
        """Return the noise of a stretch, shape (channels, length); see `dsp.exciter.noise`."""
        return exciter.noise(self._table, start, length, channels, width)


_LEAST_LEVEL = 1e-6
