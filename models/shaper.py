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
        self._channels = channels
        # Filters of the source in each channel, then of the noise, at the start of the hop under way and at its end.
        self._filters = np.zeros((2 * channels, 2, bins), np.complex64)
        self._is_open = [False, False]
        # Of the hops under way.
        self._widths: list[float] = []
        self._noise_left: Spectrum | None = None

    def turn(self, gains: Gains | None, frames: int, phase: int, width: float) -> None:
        """Take the filters at the ends of the next frames.

        Args:
            gains: From `models.frame_path.FramePath.gains`.
            frames: How many there are, at least one.
            phase: Samples of the hop under way that have been shaped; 0 where that is over.
            width: Of the noise in the hops that begin, 0..1.
        """
        kept = len(self._is_open) if phase else 1
        if gains is None:
            closed = np.zeros((2 * self._channels, frames, self._design.n_fft // 2 + 1), np.complex64)
            self._filters = np.concatenate([self._filters[:, -kept:], closed], 1)
        else:
            self._filters = self._design.behind(self._filters, kept, *gains)
        self._is_open = [*(self._is_open if phase else self._is_open[-1:]), *[gains is not None] * frames]
        self._widths = [*(self._widths if phase else ()), *[width] * frames]
        self._noise_left = None

    def shape(self, source: Tape, delay: int, position: int, count: int) -> Array:
        """Return the shaped samples, shape (channels, count).

        Args:
            source: The coloured source up to the newest sample.
            delay: By how much the signal is late.
            position: Index of the first sample since the reset; the noise depends on it.
            count: Samples.
        """
        shaped = np.zeros((self._channels, count), np.float32)
        if True in self._is_open:
            if self._noise_left is None:
                self._noise_left = self._noise(position // self._hop)
            end, phase, filters = source.end - delay, position % self._hop, self._filters[: self._channels]
            ltv.shape(source.samples, end, filters, self._noise_left, self._hop, self.taps, phase, shaped)
        if len(self._is_open) > 2:
            self._filters = self._filters[:, -2:].copy()
            self._is_open, self._widths, self._noise_left = self._is_open[-2:], self._widths[-1:], None
        return shaped

    def _noise(self, hop: int) -> Spectrum:
        """Return what the filters leave of the noise in the hops under way; live that is worked out once a hop."""
        hops, bins = len(self._widths), self._filters.shape[2]
        left = np.zeros((2, self._channels, hops, bins), np.complex64)
        # Only a block that goes on with a hop that began before can see another width there.
        runs = [(0, hops)] if self._widths[0] == self._widths[-1] else [(0, 1), (1, hops)]
        for first, end in runs:
            start, length = (hop + first) * self._hop, (end - first) * self._hop
            reach = self.taps - 1
            noise = exciter.noise(self._rows, start - reach, reach + length, self._widths[first])
            part = np.zeros((2, self._channels * (end - first), bins), np.complex64)
            filters = self._filters[self._channels :, first : end + 1]
            ltv.leave(noise, np.ascontiguousarray(filters), self._hop, self.taps, part)
            left[:, :, first:end] = part.reshape(2, self._channels, end - first, bins)
        return left.reshape(2, -1, bins)
