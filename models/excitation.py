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
        # Level and drive at the two boundaries around the hop that is under way; no drive yet is 0.
        self._held = torch.stack([torch.full((channels, 2), _LEAST_LEVEL), torch.zeros(channels, 2)])

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
        level, drive = self._of_samples(frames, phase, 10 ** (drive_db / 20))[..., phase : phase + count]
        return exciter.harmonics(signal, level, drive)

    def _of_samples(self, frames: Tensor, phase: int, drive: float) -> Tensor:
        """Return level and drive of each sample of the hops, both moving from boundary to boundary."""
        level = torch.diff(frames).square().mean(-1).sqrt().clamp(min=_LEAST_LEVEL)
        new = torch.stack([level, torch.full_like(level, drive)])
        held = torch.where(self._held > 0, self._held, drive)
        at = torch.cat([held if phase else held[..., 1:], new], -1)
        self._held = torch.cat([held, new], -1)[..., -2:]
        ramp = (torch.arange(self._hop) + 0.5) / self._hop
        return torch.lerp(at[..., :-1, None], at[..., 1:, None], ramp).flatten(2)

    def noise(self, start: int, length: int, channels: int, width: float) -> Tensor:
        """Return the noise of a stretch, shape (channels, length); see `dsp.exciter.noise`."""
        return exciter.noise(self._table, start, length, channels, width)


_LEAST_LEVEL = 1e-6
