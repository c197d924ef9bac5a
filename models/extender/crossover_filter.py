"""The crossover's filter: keeps the generated band out of what lies below, wherever the crossover moves."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from dsp import bands, crossover
from dsp.buffers.delay_line import DelayLine
from dsp.compile import kernel
from dsp.fft import Array, Spectrum
from dsp.fir import filter_steady, steady_layout, steady_spectrum
from dsp.gain_ramp import hop_ramp

# High-pass spectra that are kept: every step of the crossover at a few lengths.
_MOST_SPECTRA = 500
_NONE, _WHOLE = np.zeros((0, 1, 2), np.complex64), np.ones((0, 0), np.float32)


class HighPasses(NamedTuple):
    """The high-passes of a block.

    Attributes:
        spectra: Their transforms, shape (high-passes, parts, bins); none where nothing is generated.
        presence: How much of each sample passes through each of several, shape (high-passes, count).
        taps: Length of each in samples.
    """

    spectra: Spectrum
    presence: Array
    taps: int


class CrossoverFilter:
    """High-passes from the table, cross-faded over a hop where the crossover moves.

    Attributes:
        taps: Length of a high-pass in samples.
        generated: The band before it is filtered.
        steps: The crossover at the start of the hop that is under way and at its end; None is off.
    """

    STATE = ("generated", "steps")

    def __init__(self, sample_rate: int) -> None:
        self._high_passes = crossover.high_pass_table(sample_rate)
        self.taps = self._high_passes.shape[1]
        self._ramp = hop_ramp(bands.hop_samples(sample_rate))
        self._spectra: dict[tuple[int, int, int], Spectrum] = {}
        # Live there is but one.
        self._usual: tuple[int | None, int] = None, 0
        self._usual_passes = HighPasses(_NONE, _WHOLE, self.taps)

    def reset(self, channels: int) -> None:
        """Forget the past."""
        self.generated = DelayLine(channels, self.taps - 1)
        self.steps: list[int | None] = [None, None]

    def advance(self, phase: int, frames: int, step: int | None, count: int) -> HighPasses:
        """Move the crossover on over a block, and return the high-passes in it, for `cut`.

        Args:
            phase: Samples of the first hop that came before the block.
            frames: Hops that begin inside the block.
            step: Where their crossover goes.
            count: Samples of the block.
        """
        if step == self.steps[0] == self.steps[1]:
            return self._usual_passes if (step, count) == self._usual else self._steady(step, count)
        steps = (self.steps if phase else self.steps[1:]) + [step] * frames
        self.steps = (self.steps + [step] * frames)[-2:]
        used = {held for held in steps if held is not None}
        if len(used) < 2:
            return self._steady(used.pop() if used else None, count)
        presence = [self._presence(steps, held)[phase : phase + count] for held in used]
        spectra = np.concatenate([self._spectrum(held, count) for held in used])
        return HighPasses(spectra, np.stack(presence), self.taps)

    def _steady(self, step: int | None, count: int) -> HighPasses:
        self._usual = step, count
        spectrum = _NONE if step is None else self._spectrum(step, count)
        self._usual_passes = HighPasses(spectrum, _WHOLE, self.taps)
        return self._usual_passes

    def _spectrum(self, step: int, count: int) -> Spectrum:
        """Return the transforms of a high-pass for blocks of so many samples, shape (1, parts, bins)."""
        key = (step, *steady_layout(self.taps, count))
        if key not in self._spectra:
            if len(self._spectra) > _MOST_SPECTRA:
                self._spectra.clear()
            self._spectra[key] = steady_spectrum(self._high_passes[step], *key[1:])[None]
        return self._spectra[key]

    def _presence(self, steps: Sequence[int | None], held: int) -> Array:
        """Return how much of each sample of the hops passes through one of the high-passes, shape (samples,)."""
        # Where generation stops or starts the LTV filters fade; the high-pass itself stays.
        at = np.array([step is None or step == held for step in steps], np.float32)
        return (at[:-1, None] + (at[1:] - at[:-1])[:, None] * self._ramp).ravel()


@kernel
def cut(band: Array, generated: Array, start: int, passes: HighPasses) -> None:
    """Filter what lies below the crossover out of a block.

    Args:
        band: The generated band, shape (channels, count); overwritten.
        generated: The band before it was filtered, shape (channels, time); the block is written into it.
        start: Where it goes, at least `taps - 1`.
        passes: From `CrossoverFilter.advance`.
    """
    spectra, presence, taps = passes
    generated[:, start : start + band.shape[1]] = band
    if len(spectra) == 1:
        filter_steady(generated, start, spectra[0], taps, band)
        return
    band[:] = 0
    part = np.empty_like(band)
    for k in range(len(spectra)):
        filter_steady(generated, start, spectra[k], taps, part)
        for channel in range(len(band)):
            for i in range(band.shape[1]):
                band[channel, i] += presence[k, i] * part[channel, i]
