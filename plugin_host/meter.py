"""Level meters: peak, root mean square, true peak and spectrum of the newest samples."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from models.stage import Block
from plugin_host.tap import SampleTap

FLOOR_DB = -120.0
BANDS = 64
_SPECTRUM = 4096
_LOWEST_HZ = 20.0
_PEAK_S = 0.1
_RMS_S = 0.3
_OVERSAMPLING = 4
# Between samples a signal reaches at most about 6 dB above its highest sample.
_SAFE_PEAK = 0.5


class Meter:
    """The levels of one signal: the audio thread leaves its samples, whoever wants to know measures them."""

    def __init__(self, sample_rate: int, channels: int) -> None:
        self._recent = round(_PEAK_S * sample_rate)
        self._tap = SampleTap(channels, max(_SPECTRUM, round(_RMS_S * sample_rate)))
        self._window = np.hanning(_SPECTRUM).astype(np.float32)
        self._bands = _band_matrix(sample_rate)

    def update(self, block: Block) -> None:
        """Take a block (channels, samples) of finite samples; on the audio thread."""
        self._tap.write(block)

    def peak_db(self) -> list[float]:
        """Return each channel's peak in dBFS over the newest tenth of a second."""
        newest = self._tap.read()[:, -self._recent :]
        return _db(np.abs(newest).max(1).astype(np.float64) ** 2)

    def rms_db(self) -> list[float]:
        """Return each channel's root mean square in dBFS over the newest 0.3 s."""
        return _db(np.square(self._tap.read(), dtype=np.float64).mean(1))

    def is_over(self) -> bool:
        """Whether the newest samples reach beyond full scale between the samples (true peak, four times the rate)."""
        newest = self._tap.read()[:, -_SPECTRUM:]
        if float(np.abs(newest).max()) < _SAFE_PEAK:
            return False
        # The ends would ring, as the transform takes the stretch for a period of an endless signal.
        spectrum = np.fft.rfft(newest * self._window)
        dense = np.fft.irfft(spectrum, n=_OVERSAMPLING * _SPECTRUM) * _OVERSAMPLING
        window = np.interp(np.arange(dense.shape[1]) / _OVERSAMPLING, np.arange(_SPECTRUM), self._window)
        middle = window > 0.5
        return bool((np.abs(dense[:, middle]) > window[middle]).any())

    def spectrum_db(self) -> list[float]:
        """Return the level of each of 64 bands, 20 Hz to half the rate on a log scale, mean over channels, in dBFS."""
        spectrum = np.fft.rfft(self._tap.read()[:, -_SPECTRUM:] * self._window)
        power = (np.abs(spectrum) ** 2).mean(0) * (2.0 / float(self._window.sum())) ** 2
        return _db(self._bands @ power)


def _db(power: NDArray[np.floating]) -> list[float]:
    return [round(float(level), 2) for level in 10.0 * np.log10(np.maximum(power, 10.0 ** (FLOOR_DB / 10.0)))]


def _band_matrix(sample_rate: int) -> NDArray[np.float64]:
    """Return which bin counts for which band, shape (BANDS, bins); a band narrower than a bin takes the nearest."""
    edges = np.geomspace(_LOWEST_HZ, sample_rate / 2, BANDS + 1)
    bins = np.fft.rfftfreq(_SPECTRUM, 1.0 / sample_rate)
    matrix = ((bins >= edges[:-1, None]) & (bins < edges[1:, None])).astype(np.float64)
    for band in np.flatnonzero(matrix.sum(1) == 0):
        centre = math.sqrt(edges[band] * edges[band + 1])
        matrix[band, np.abs(bins - centre).argmin()] = 1.0
    return matrix
