"""The shaper: passes coloured source and noise through the LTV filters, hop by hop."""

from __future__ import annotations

import numpy as np

from dsp import bands, exciter, ltv
from dsp.fourier import Array, Spectrum
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
        self._ramp = ltv.hop_ramp(self._hop)
        self.taps = self._design.taps

    def reset(self, channels: int) -> None:
        """Forget the past."""
        bins = self._design.n_fft // 2 + 1
        self._rows = exciter.noise_rows(channels)
        # Filters at the start of the hop that is under way and at its end, and the latter alone.
        self._pairs = np.zeros((channels, 2, 1, 2, bins), np.complex64)
        self._last = np.zeros((channels, 2, 1, bins), np.complex64)
        self._is_open = [False, False]
        self._noise_for: tuple[int, float] | None = None

    def turn(self, gains: tuple[Array, Array | None] | None, frames: int, phase: int) -> None:
        """Take the filters at the ends of the next frames.

        Args:
            gains: From `models.frame_path.FramePath.gains`.
            frames: How many there are, at least one.
            phase: Samples of the hop under way that have been shaped; 0 where that is over.
        """
        shape = (*self._last.shape[:2], frames, self._last.shape[3])
        filters = np.zeros(shape, np.complex64) if gains is None else self._design(*gains)
        pairs = ltv.filter_pairs(np.concatenate([self._last, filters], 2))
        self._pairs = np.concatenate([self._pairs, pairs], 2) if phase else pairs
        self._last = filters[:, :, -1:]
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
        phase = position % self._hop
        if any(self._is_open):
            heard = source.newest(self.taps - 1 + phase + count, delay)
            products = ltv.filtered(self._spectra(heard), self._pairs[:, 0])
            products += self._noise(position, width)
            shaped = ltv.cross_faded(products, self._ramp, self.taps, self._design.n_fft)[:, phase : phase + count]
        else:
            shaped = np.zeros((len(self._pairs), count), np.float32)
        if self._pairs.shape[2] > 1:
            self._pairs, self._is_open, self._noise_for = self._pairs[:, :, -1:].copy(), self._is_open[-2:], None
        return shaped

    def _noise(self, position: int, width: float) -> Spectrum:
        """Return what the filters leave of the noise in the hops under way; live that is worked out once a hop."""
        hop = position // self._hop
        if self._noise_for != (hop, width):
            hops, reach = self._pairs.shape[2], self.taps - 1
            start, length = hop * self._hop - reach, hops * self._hop + reach
            noise = exciter.noise(self._rows, start, length, width)
            self._noise_left = ltv.filtered(self._spectra(noise), self._pairs[:, 1])
            self._noise_for = (hop, width)
        return self._noise_left

    def _spectra(self, signal: Array) -> Spectrum:
        return ltv.hop_spectra(signal, self._hop, self.taps, self._design.n_fft)
