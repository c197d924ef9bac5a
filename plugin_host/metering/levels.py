"""Level meters: peak, root mean square, true peak and spectrum of the newest samples."""

from __future__ import annotations

import math
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dsp.compile import background_kernel, kernel
from dsp.fft import rfft
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


class Meter:
    """The levels of one signal: the audio thread writes its samples, other threads measure them.

    What is measured is computed in kernels that leave the interpreter to the audio thread.

    Attributes:
        newest: The newest 0.3 s.
        update: Appends a block (channels, samples) of finite samples; on the audio thread.
    """

    def __init__(self, sample_rate: int, channels: int) -> None:
        self._recent, self._between = round(_PEAK_S * sample_rate), round(_TRUE_PEAK_S * sample_rate)
        self._kept = max(_SPECTRUM, round(_RMS_S * sample_rate))
        self.newest = NewestSamples(channels, self._kept)
        self.update = self.newest.write
        window = np.hanning(_SPECTRUM)
        self._window = (window * (2.0 / window.sum() / math.sqrt(channels))).astype(np.float32)
        self._edges = _band_edges(sample_rate)
        self._between_samples = peak_filters()
        self._loudness = LoudnessMeter(sample_rate, channels)
        # The kernels are compiled or loaded here, and not while a display waits.
        self.levels()
        self.spectrum_db()

    def levels(self) -> dict[str, Any]:
        """Return the levels of the newest samples; ask at least every 0.2 s.

        Returns:
            "peak_db", each channel's over a tenth of a second, and "rms_db", over 0.3 s, in dBFS; "true_peak_db", the
            highest value at and between the samples of 0.05 s over all channels, in dBTP; "lufs", see `LoudnessMeter`.
        """
        written = self.newest.written
        samples = self.newest.read(self._kept, written)
        levels: list[float] = _levels(samples, self._recent, self._between, self._between_samples).round(2).tolist()
        channels = len(samples)
        lufs = self._loudness.follow(lambda count: samples[:, self._kept - count :], written, self._kept - self._recent)
        return {
            "peak_db": levels[:channels], "rms_db": levels[channels:-1], "true_peak_db": levels[-1], "lufs": lufs
        }  # fmt: skip

    def spectrum_db(self) -> list[float]:
        """Return the level of each of 64 bands, 20 Hz to half the rate on a log scale, mean over channels, in dBFS."""
        levels: list[float] = _spectrum(self.newest.read(_SPECTRUM), self._window, self._edges).round(1).tolist()
        return levels


@background_kernel
def _levels(samples: Block, recent: int, between: int, filters: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return peak and root mean square of each channel and the true peak of all, in dB, shape (2 * channels + 1,)."""
    channels, count = samples.shape
    levels = np.empty(2 * channels + 1)
    for channel in range(channels):
        peak, power = np.float32(0.0), np.float32(0.0)
        for i in range(count):
            power += samples[channel, i] ** 2
        for i in range(count - recent, count):
            peak = max(peak, abs(samples[channel, i]))
        levels[channel], levels[channels + channel] = peak**2, power / count
    levels[2 * channels] = true_peak(samples[:, count - between :], filters, 0.0) ** 2
    return _db(levels)


@background_kernel
def _spectrum(samples: Block, window: NDArray[np.float32], edges: NDArray[np.intp]) -> NDArray[np.float64]:
    """Return the level of each band in dB; `edges` holds the first bin of each and the one behind, shape (2, bands)."""
    spectra = rfft(samples * window)
    levels = np.zeros(edges.shape[1])
    for band in range(edges.shape[1]):
        for channel in range(len(spectra)):
            for i in range(edges[0, band], edges[1, band]):
                levels[band] += spectra[channel, i].real ** 2 + spectra[channel, i].imag ** 2
    return _db(levels)


@background_kernel
def _db(power: NDArray[np.float64]) -> NDArray[np.float64]:
    for i in range(len(power)):
        power[i] = 10.0 * np.log10(max(power[i], _FLOOR))
    return power


def _band_edges(sample_rate: int) -> NDArray[np.intp]:
    """Return the first bin of each band and the one behind its last, shape (2, BANDS).

    A band narrower than a bin takes the nearest.
    """
    edges = np.geomspace(_LOWEST_HZ, sample_rate / 2, BANDS + 1)
    bins = np.fft.rfftfreq(_SPECTRUM, 1.0 / sample_rate)
    # The last edge may come out beside half the rate, whose bin is not the last band's.
    first = np.minimum(np.searchsorted(bins, edges), len(bins) - 1)
    begin, end = first[:-1], first[1:]
    nearest = np.abs(bins[:, None] - np.sqrt(edges[:-1] * edges[1:])).argmin(0)
    return np.where(begin < end, [begin, end], [nearest, nearest + 1])


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
