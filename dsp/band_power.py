"""The power of frames in bands: what `dsp.bands.band_levels_db` tells in dB, on arrays and for the block path."""

from __future__ import annotations

import math

import numpy as np

from dsp import bands
from dsp.fourier import Array, rfft

FLOOR_POWER = 10 ** (bands.FLOOR_DB / 10)
# Natural logarithm of a power ratio of 1 dB.
LOG_PER_DB = math.log(10.0) / 10.0


class BandPower:
    """Measures frames of one length at one sample rate.

    Args:
        sample_rate: Hz.
        samples: Of a frame.
        floor: Power that is added to every band.
        lifts_top: Whether bands above Nyquist repeat the highest one below it instead of being empty.
        factor: On every power and the floor.
    """

    def __init__(
        self, sample_rate: float, samples: int, floor: float = FLOOR_POWER, *, lifts_top: bool = False,
        factor: float = 1.0,
    ) -> None:  # fmt: skip
        window = bands.hann(samples)
        self._n_fft = bands.fft_size(samples)
        weights = bands.band_weights(sample_rate, self._n_fft)
        if lifts_top:
            above = bands.band_centres_hz() >= sample_rate / 2
            weights[:, above] = weights[:, ~above][:, -1:]
        self._window: Array = window.numpy()
        self._weights: Array = (weights * (factor * bands.power_scale(sample_rate, window))).numpy()
        self._floor = np.float32(factor * floor)

    def __call__(self, frames: Array) -> Array:
        """Return power against full-scale white noise at 48 kHz, not below the floor.

        Args:
            frames: Samples, shape (channels, frames, samples).

        Returns:
            Shape (channels, frames, bands).
        """
        parts = rfft(frames * self._window, self._n_fft).view(np.float32)
        np.square(parts, out=parts)
        bins: Array = parts[..., ::2] + parts[..., 1::2]
        power: Array = bins.reshape(-1, len(self._weights)) @ self._weights
        power += self._floor
        return power.reshape(len(frames), -1, bands.BAND_COUNT)


def mean_square(frames: Array) -> Array:
    """Return the power of frames, shape (channels, frames); frames have shape (channels, frames, samples)."""
    power: Array = np.vecdot(frames, frames)
    power *= np.float32(1 / frames.shape[-1])
    return power


def to_db(power: Array) -> Array:
    """Return levels in dB of powers above 0."""
    levels = np.log(power)
    levels *= np.float32(1 / LOG_PER_DB)
    return levels


def to_power(levels_db: Array) -> Array:
    """Return powers of levels in dB."""
    logarithms: Array = levels_db * np.float32(LOG_PER_DB)
    return np.exp(logarithms, out=logarithms)
