"""The shaper: passes coloured source and noise through the LTV filters, hop by hop."""

from __future__ import annotations

import numpy as np

from dsp import bands, exciter, ltv
from dsp.fourier import Array, Spectrum
from models.frame_path import Gains
from models.tape import Tape


class Shaper:
    """Holds the filters of the hop that is under way; noise needs no state.

    Args:
        sample_rate: Hz.

    Attributes:
        taps: Length of a filter in samples.
    """

    def __init__(self, sample_rate: int) -> None:
        self._hop = bands.hop_samples(sample_rate)
        self._design = ltv.FilterDesign(sample_rate)
        self.taps = self._design.taps

    def reset(self, channels: int) -> None:
        """Forget the past."""
        bins = self._design.n_fft // 2 + 1
        self._rows = exciter.noise_rows(channels)
        # Filters of both sources at the start of the hop that is under way and at its end.
        self._source_filters = np.zeros((channels, 2, bins), np.complex64)
        self._noise_filters = np.zeros((channels, 2, bins), np.complex64)
        self._is_open = [False, False]
        self._noise_for: tuple[int, float] | None = None

    def turn(self, gains: Gains | None, frames: int, phase: int) -> None:
        """Take the filters at the ends of the next frames.

        Args:
            gains: From `models.frame_path.FramePath.gains`.
            frames: How many there are, at least one.
            phase: Samples of the hop under way that have been shaped; 0 where that is over.
        """
        kept = len(self._is_open) if phase else 1
        if gains is None:
            closed = np.zeros((len(self._rows) - 1, frames, self._design.n_fft // 2 + 1), np.complex64)
            self._source_filters = np.concatenate([self._source_filters[:, -kept:], closed], 1)
            self._noise_filters = np.concatenate([self._noise_filters[:, -kept:], closed], 1)
        else:
            self._source_filters = self._design.behind(self._source_filters, kept, gains.source, gains.gate)
            self._noise_filters = self._design.behind(self._noise_filters, kept, gains.noise, gains.gate)
        self._is_open = [*(self._is_open if phase else self._is_open[-1:]), *[gains is not None] * frames]
        self._noise_for = None

    def shape(self, source: Tape, delay: int, position: int, count: int, width: float) -> Array:
        """Return the shaped samples, shape (channels, count).

        Args:
            source: The coloured source up to the newest sample.
            delay: By how much the signal is late.
            position: Index of the first sample since the reset; the noise depends on it.
            count: Samples.
            width: Of the noise, 0..1.
        """
        shaped = np.zeros((len(self._source_filters), count), np.float32)
        if any(self._is_open):
            noise, phase = self._noise(position, width), position % self._hop
            end = source.end - delay
            ltv.shape(source.samples, end, self._source_filters, noise, self._hop, self.taps, phase, shaped)
        if len(self._is_open) > 2:
            self._source_filters = self._source_filters[:, -2:].copy()
            self._noise_filters = self._noise_filters[:, -2:].copy()
            self._is_open, self._noise_for = self._is_open[-2:], None
        return shaped

    def _noise(self, position: int, width: float) -> Spectrum:
        """Return what the filters leave of the noise in the hops under way; live that is worked out once a hop."""
        hop = position // self._hop
        if self._noise_for != (hop, width):
            hops, reach = len(self._is_open) - 1, self.taps - 1
            noise = exciter.noise(self._rows, hop * self._hop - reach, hops * self._hop + reach, width)
            self._noise_left = np.zeros((2, len(noise) * hops, self._design.n_fft // 2 + 1), np.complex64)
            ltv.leave(noise, self._noise_filters, self._hop, self.taps, self._noise_left)
            self._noise_for = (hop, width)
        return self._noise_left
