"""Level meters: peak and root mean square on the audio thread, true peak and spectrum off it."""

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
_PEAK_FALL_S = 0.5
_RMS_S = 0.3
_OVERSAMPLING = 4
# Between samples a signal reaches at most about 6 dB above its highest sample.
_SAFE_PEAK = 0.5


class Meter:
    """The levels of one signal; `update` belongs to the audio thread, the rest to any other."""

    def __init__(self, sample_rate: int, channels: int) -> None:
        self._rate = sample_rate
        self._peak = np.zeros(channels)
        self._power = np.zeros(channels)
        self._tap = SampleTap(channels, _SPECTRUM)
        self._window = np.hanning(_SPECTRUM).astype(np.float32)
        self._bands = _band_matrix(sample_rate)

    def update(self, block: Block, with_tap: bool = True) -> None:
        """Measure a block (channels, samples) of finite samples; without the tap the spectrum stands still."""
        count = block.shape[1]
        if not count:
            return
        self._peak *= math.exp(-count / (_PEAK_FALL_S * self._rate))
        np.maximum(self._peak, np.abs(block).max(1), out=self._peak)
        keep = math.exp(-count / (_RMS_S * self._rate))
        self._power *= keep
        self._power += (1.0 - keep) / count * np.einsum("ij,ij->i", block, block)
        if with_tap:
            self._tap.write(block)

    def peak_db(self) -> list[float]:
        """Return each channel's peak in dBFS, falling slowly."""
        return _db(self._peak**2)

    def rms_db(self) -> list[float]:
        """Return each channel's root mean square in dBFS over about 0.3 s."""
        return _db(self._power)

    def is_over(self) -> bool:
        """Whether the newest samples reach beyond full scale between the samples (true peak, four times the rate)."""
        newest = self._tap.read()
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
        spectrum = np.fft.rfft(self._tap.read() * self._window)
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
