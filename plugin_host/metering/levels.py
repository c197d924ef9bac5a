"""Level meters: peak, root mean square, true peak and spectrum of the newest samples."""

from __future__ import annotations

import math
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dsp.compile import kernel
from dsp.loudness import peak_filters, true_peak
from models.stage import Block
from plugin_host.metering.loudness import LoudnessMeter

FLOOR_DB = -120.0
BANDS = 64
_FLOOR = 10.0 ** (FLOOR_DB / 10.0)
_SPECTRUM = 4096
_LOWEST_HZ = 20.0
_PEAK_S = 0.1
_RMS_S = 0.3
# Between two looks at 20 to 30 Hz nothing is missed.
_TRUE_PEAK_S = 0.05


class NewestSamples:
    """A ring of the newest samples of a signal; one writer, any readers, no lock.

    A reader that is overtaken gets a few samples of two moments side by side, which no display shows.

    Args:
        channels: Rows of every block.
        size: Samples that are kept, silence before there were any.

    Attributes:
        write: Appends a block (channels, samples), whatever its length; on the audio thread.
    """

    def __init__(self, channels: int, size: int) -> None:
        self._ring = np.zeros((channels, size), np.float32)
        self._written = np.zeros(1, np.int64)
        self.write = partial(_write, self._ring, self._written)
        # The kernel is compiled or loaded here, and not on the audio thread.
        self.write(np.zeros((channels, 0), np.float32))

    @property
    def written(self) -> int:
        """How many samples were written so far."""
        return int(self._written[0])

    def read(self, count: int, end: int | None = None) -> Block:
        """Return a copy of samples, oldest first, shape (channels, count).

        Args:
            count: How many, at most the ring's size.
            end: Position in the signal behind the last of them; by default the newest.
        """
        end = (self.written if end is None else end) % self._ring.shape[1]
        begin = end - count
        if begin >= 0:
            return self._ring[:, begin:end].copy()
        return np.concatenate((self._ring[:, begin:], self._ring[:, :end]), axis=1)

    def power(self) -> NDArray[np.float32]:
        """Return each channel's mean square over all that is kept, shape (channels,)."""
        mean: NDArray[np.float32] = np.einsum("cs,cs->c", self._ring, self._ring) / self._ring.shape[1]
        return mean


class Meter:
    """The levels of one signal: the audio thread writes its samples, other threads measure them.

    Measuring holds the interpreter that the audio thread needs, so that no more samples are read than count, in few
    calls.

    Attributes:
        newest: The newest 0.3 s.
        update: Appends a block (channels, samples) of finite samples; on the audio thread.
    """

    def __init__(self, sample_rate: int, channels: int) -> None:
        self._recent, self._between = round(_PEAK_S * sample_rate), round(_TRUE_PEAK_S * sample_rate)
        kept = max(_SPECTRUM, round(_RMS_S * sample_rate))
        self.newest, self._kept = NewestSamples(channels, kept), kept - self._recent
        self.update = self.newest.write
        self._window = np.hanning(_SPECTRUM).astype(np.float32)
        self._window *= 2.0 / self._window.sum() / math.sqrt(channels)
        self._edges = _band_edges(sample_rate)
        self._between_samples = peak_filters()
        # The kernel is compiled or loaded here, and not while a display waits.
        self.true_peak_db()
        self._loudness = LoudnessMeter(sample_rate, channels)

    def levels(self) -> dict[str, Any]:
        """Return peak and root mean square of each channel in dBFS, the true peak in dBTP, and the loudness in LUFS."""
        levels = {"peak_db": self.peak_db(), "rms_db": self.rms_db()}
        return {**levels, "true_peak_db": self.true_peak_db(), "lufs": self.lufs()}

    def peak_db(self) -> list[float]:
        """Return each channel's peak in dBFS over the newest tenth of a second."""
        samples = self.newest.read(self._recent)
        return _db(np.maximum(samples.max(1), -samples.min(1)) ** 2)

    def rms_db(self) -> list[float]:
        """Return each channel's root mean square in dBFS over the newest 0.3 s."""
        return _db(self.newest.power())

    def lufs(self) -> dict[str, float | None]:
        """Return the loudness over 0.4 s and 3 s; see `LoudnessMeter.follow`. Ask at least every 0.2 s."""
        written = self.newest.written
        return self._loudness.follow(lambda count: self.newest.read(count, written), written, self._kept)

    def true_peak_db(self) -> float:
        """Return the highest value of the newest 0.05 s in dBTP, at and between samples, over all channels."""
        peak = true_peak(self.newest.read(self._between), self._between_samples, 0.0)
        return round(10.0 * math.log10(max(_FLOOR, peak**2)), 2)

    def spectrum_db(self) -> list[float]:
        """Return the level of each of 64 bands, 20 Hz to half the rate on a log scale, mean over channels, in dBFS."""
        spectrum = np.fft.rfft(self.newest.read(_SPECTRUM) * self._window)
        # Real and imaginary parts side by side, so that a band is one stretch of squares.
        squares = spectrum.astype(np.complex64, copy=False).view(np.float32) ** 2
        return _db(np.add.reduceat(squares.sum(0), self._edges)[::2], 1)


def _db(power: NDArray[np.floating], digits: int = 2) -> list[float]:
    levels: list[float] = np.round(10.0 * np.log10(np.maximum(power, _FLOOR), dtype=np.float64), digits).tolist()
    return levels


def _band_edges(sample_rate: int) -> NDArray[np.intp]:
    """Return where each band begins and ends among the bins' real and imaginary parts, in turns, shape (2 * BANDS,).

    A band narrower than a bin takes the nearest.
    """
    edges = np.geomspace(_LOWEST_HZ, sample_rate / 2, BANDS + 1)
    bins = np.fft.rfftfreq(_SPECTRUM, 1.0 / sample_rate)
    # The last edge may come out beside half the rate, whose bin is not the last band's.
    first = np.minimum(np.searchsorted(bins, edges), len(bins) - 1)
    begin, end = first[:-1], first[1:]
    nearest = np.abs(bins[:, None] - np.sqrt(edges[:-1] * edges[1:])).argmin(0)
    begin, end = np.where(begin < end, begin, nearest), np.where(begin < end, end, nearest + 1)
    return 2 * np.stack([begin, end], axis=1).ravel()


@kernel
def _write(ring: Block, written: NDArray[np.int64], block: Block) -> None:
    """Write a block into a ring, around its end, and count its samples."""
    size, count = ring.shape[1], int(block.shape[1])
    first = max(0, count - size)
    for channel in range(ring.shape[0]):
        at = (written[0] + first) % size
        for i in range(first, count):
            ring[channel, at] = block[channel, i]
            at += 1
            if at == size:
                at = 0
    written[0] += count
