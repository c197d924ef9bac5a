"""The fine edge: where a wall stands in the long-term spectrum, which is finer than the bands that find it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dsp.bandwidth.edge import BANDS_PER_OCTAVE
from models.stage import Block

_FFT = 8192
_WINDOW = np.hanning(_FFT).astype(np.float32)
# Bins that are averaged, about 50 Hz.
_SMOOTHED = 9
# The edge is where the level has fallen so far; what does not fall deep soon is no wall.
_FALLEN_DB, _DEEP_DB = 6.0, 12.0
_BAND = 2.0 ** (1.0 / BANDS_PER_OCTAVE) - 1.0


class LongTermSpectrum:
    """The mean power of a recording in fine bins.

    Args:
        rate: In Hz.
    """

    def __init__(self, rate: int) -> None:
        self._bin_hz = rate / _FFT
        self._power = np.zeros(_FFT // 2 + 1)

    def add(self, block: Block) -> None:
        """Measure the whole frames of a block, shape (channels, samples)."""
        frames = block.shape[1] // _FFT
        if frames:
            cut = block[:, : frames * _FFT].reshape(-1, _FFT) * _WINDOW
            self._power += np.square(np.abs(np.fft.rfft(cut))).sum(axis=0)

    def refined(self, edge_hz: float) -> float:
        """Return where the wall near an edge stands, or the edge itself where there is none."""
        width, level = _BAND * edge_hz / self._bin_hz, self._levels_db()
        middle = edge_hz / self._bin_hz
        first, last = round(middle - 1.5 * width), round(middle + 1.5 * width)
        below, above = level[round(middle - 4 * width) : first], level[last : round(middle + 3 * width)]
        if not len(below) or not len(above):
            return edge_hz
        height = float(np.median(below))
        alive = np.nonzero(level[first : last + 1] > height - _FALLEN_DB)[0]
        if not len(alive) or alive[-1] == last - first or float(np.median(above)) > height - _DEEP_DB:
            return edge_hz
        return float((first + alive[-1] + 0.5) * self._bin_hz)

    def _levels_db(self) -> NDArray[np.float64]:
        smooth = np.convolve(self._power, np.ones(_SMOOTHED) / _SMOOTHED, "same")
        return np.asarray(10 * np.log10(smooth + 1e-20))
