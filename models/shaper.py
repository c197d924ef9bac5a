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

    def turn(self, gains: tuple[Array, Array] | None, frames: int, phase: int) -> None:
        """Take the filters at the ends of the next frames.

        Args:
            gains: From `models.frame_path.FramePath.gains`.
            frames: How many there are, at least one.
            phase: Samples of the hop under way that have been shaped; 0 where that is over.
        """
        channels, _, bins = self._source_filters.shape
        filters = np.zeros((channels, 2, frames, bins), np.complex64)
        if gains is not None:
            factors = np.repeat(gains[1][:, None], 2, 1).ravel()
            rows = gains[0].reshape(-1, gains[0].shape[-1])
            filters = self._design(rows, factors).reshape(filters.shape)
        kept = slice(None) if phase else slice(-1, None)
        self._source_filters = np.concatenate([self._source_filters[:, kept], filters[:, 0]], 1)
        self._noise_filters = np.concatenate([self._noise_filters[:, kept], filters[:, 1]], 1)
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
        channels, boundaries, _ = self._source_filters.shape
        phase = position % self._hop
        if any(self._is_open):
            products = self._noise(position, width).copy()
            end = source.end - delay
            spectra = self._spectra(source.samples, end - count - phase, end, boundaries - 1)
            ltv.filtered(spectra, self._source_filters, products)
            shaped = ltv.cross_faded(products, channels, self._hop, self.taps, phase, count)
        else:
            shaped = np.zeros((channels, count), np.float32)
        if boundaries > 2:
            self._source_filters = self._source_filters[:, -2:].copy()
            self._noise_filters = self._noise_filters[:, -2:].copy()
            self._is_open, self._noise_for = self._is_open[-2:], None
        return shaped

    def _noise(self, position: int, width: float) -> Spectrum:
        """Return what the filters leave of the noise in the hops under way; live that is worked out once a hop."""
        hop = position // self._hop
        if self._noise_for != (hop, width):
            channels, boundaries, bins = self._noise_filters.shape
            hops, reach = boundaries - 1, self.taps - 1
            noise = exciter.noise(self._rows, hop * self._hop - reach, hops * self._hop + reach, width)
            self._noise_left = np.zeros((2, channels * hops, bins), np.complex64)
            spectra = self._spectra(noise, reach, noise.shape[1], hops)
            ltv.filtered(spectra, self._noise_filters, self._noise_left)
            self._noise_for = (hop, width)
        return self._noise_left

    def _spectra(self, signal: Array, start: int, end: int, hops: int) -> Spectrum:
        return ltv.hop_spectra(signal, start, end, self._hop, hops, self.taps, self._design.n_fft)
