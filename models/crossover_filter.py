"""The crossover's filter: keeps the generated band out of what lies below, wherever the crossover moves."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from dsp import bands, crossover
from dsp.fourier import Array, Spectrum
from dsp.ltv import hop_ramp
from dsp.steady_filter import filter_steady, steady_layout, steady_spectrum
from models.tape import Tape

# High-pass spectra that are kept: every step of the crossover at a few lengths.
_MOST_SPECTRA = 500


class CrossoverFilter:
    """High-passes from the table, cross-faded over a hop where the crossover moves.

    Attributes:
        steps: The crossover at the start of the hop that is under way and at its end; None is off.
    """

    def __init__(self, sample_rate: int) -> None:
        self._high_passes = crossover.high_pass_table(sample_rate)
        self._reach = self._high_passes.shape[1] - 1
        self._ramp = hop_ramp(bands.hop_samples(sample_rate))
        self._spectra: dict[tuple[int, int, int], Spectrum] = {}

    def reset(self, channels: int) -> None:
        """Forget the past."""
        self._generated = Tape(channels, self._reach)
        self.steps: list[int | None] = [None, None]

    def cut(self, shaped: Array, phase: int, frames: int, step: int | None) -> Array:
        """Return a block without what lies below the crossover.

        Args:
            shaped: The generated band, shape (channels, count).
            phase: Samples of the first hop that came before the block.
            frames: Hops that begin inside the block.
            step: Where their crossover goes.
        """
        steps = (self.steps if phase else self.steps[1:]) + [step] * frames
        self.steps = (self.steps + [step] * frames)[-2:]
        count = shaped.shape[1]
        self._generated.extend(count)[:] = shaped
        used = {held for held in steps if held is not None}
        if not used:
            return np.zeros_like(shaped)
        generated, start = self._generated.samples, self._generated.end - count
        passed = [np.empty_like(shaped) for _ in used]
        for held, part in zip(used, passed, strict=True):
            filter_steady(generated, start, self._spectrum(held, count), self._reach + 1, part)
        if len(used) == 1:
            return passed[0]
        for part, held in zip(passed, used, strict=True):
            part *= self._presence(steps, held)[phase : phase + count]
        summed: Array = np.add.reduce(passed)
        return summed

    def _spectrum(self, step: int, count: int) -> Spectrum:
        """Return the transforms of a high-pass for blocks of so many samples; live there is but one of each."""
        key = (step, *steady_layout(self._reach + 1, count))
        if key not in self._spectra:
            if len(self._spectra) > _MOST_SPECTRA:
                self._spectra.clear()
            self._spectra[key] = steady_spectrum(self._high_passes[step], *key[1:])
        return self._spectra[key]

    def _presence(self, steps: Sequence[int | None], held: int) -> Array:
        """Return how much of each sample of the hops passes through one of the high-passes, shape (samples,)."""
        # Where generation stops or starts the LTV filters fade; the high-pass itself stays.
        at = np.array([step is None or step == held for step in steps], np.float32)
        return (at[:-1, None] + (at[1:] - at[:-1])[:, None] * self._ramp).ravel()
