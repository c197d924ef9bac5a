"""The power of frames in bands, measured block by block."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from dsp import bands
from dsp.compile import kernel
from dsp.fft import Array, Spectrum, rfft

FLOOR_POWER = 10 ** (bands.FLOOR_DB / 10)
# Natural logarithm of a power ratio of 1 dB.
LOG_PER_DB = math.log(10.0) / 10.0
# Rows that are summed at once.
_SIDE_BY_SIDE = 16


class PowerTables(NamedTuple):
    """The tables of `measure_power`.

    Attributes:
        window: Shape (window,).
        first, end: The first bin of each band, and the bin behind its last.
        weights: Of all these bins, band after band.
        n_fft: Size of the transform.
        floor: Power that is added to every band.
    """

    window: Array
    first: NDArray[np.int64]
    end: NDArray[np.int64]
    weights: Array
    n_fft: int
    floor: float


class BandPower:
    """Measures frames of one length at one sample rate.

    Args:
        sample_rate: Hz.
        samples: Of a frame.
        floor: Power that is added to every band.
        lifts_top: Whether bands above Nyquist repeat the highest one below it instead of being empty.
        factor: On every power and the floor.
        fall: Share of a frame over which its window falls off; see `dsp.bands.late_hann`.

    Attributes:
        tables: For `measure_power`.
    """

    def __init__(
        self, sample_rate: float, samples: int, floor: float = FLOOR_POWER, *, lifts_top: bool = False,
        factor: float = 1.0, fall: float = bands.HANN_FALL,
    ) -> None:  # fmt: skip
        window = bands.late_hann(samples, fall)
        n_fft = bands.fft_size(samples)
        weights = bands.band_weights(sample_rate, n_fft)
        if lifts_top:
            above = bands.band_centres_hz() >= sample_rate / 2
            weights[:, above] = weights[:, ~above][:, -1:]
        weights = weights * np.float32(factor * bands.power_scale(sample_rate, window))
        self.tables = PowerTables(window, *band_rows(weights), n_fft, factor * floor)

    def __call__(self, signal: Array, start: int, hop: int, frames: int) -> Array:
        """Return power against full-scale white noise at 48 kHz, not below the floor.

        Args:
            signal: Shape (channels, time).
            start: Where the first frame begins.
            hop: Samples from frame to frame.
            frames: How many.

        Returns:
            Shape (channels, frames, bands).
        """
        power = np.empty((len(signal), frames, bands.BAND_COUNT), np.float32)
        measure_power(signal, start, hop, self.tables, power)
        return power


def band_rows(weights: Array) -> tuple[NDArray[np.int64], NDArray[np.int64], Array]:
    """Return the first bin of each band, the bin behind its last, and the weights of all these bins in a row.

    Args:
        weights: Shape (bins, bands).
    """
    # One band after another, so that each is a stretch of neighbouring bins.
    shares: Array = np.ascontiguousarray(weights.T)
    held = shares > 0
    first, end = held.argmax(1), np.where(held.any(1), held.shape[1] - held[:, ::-1].argmax(1), 0)
    # Nothing but what counts: it is read while the memory around it is cold.
    row = np.concatenate([share[start:stop] for share, start, stop in zip(shares, first, end, strict=True)])
    return first, end, row


@kernel
def measure_power(signal: Array, start: int, hop: int, tables: PowerTables, power: Array) -> None:
    """Write the power of frames in bands; see `BandPower.__call__`."""
    channels, frames, count = power.shape
    window, first, end, weights, n_fft, floor = tables
    power_of_bins = squares(rfft(windowed(signal, start, hop, frames, window, n_fft)))
    sum_bands(power_of_bins, first, end, weights, power.reshape(channels * frames, count))
    power += np.float32(floor)


@kernel
def windowed(signal: Array, start: int, hop: int, frames: int, window: Array, size: int) -> Array:
    """Return windowed frames of each channel with zeros behind them, shape (channels * frames, size)."""
    rows = np.zeros((len(signal) * frames, size), np.float32)
    for row in range(len(rows)):
        channel, at = row // frames, start + row % frames * hop
        for i in range(len(window)):
            rows[row, i] = signal[channel, at + i] * window[i]
    return rows


@kernel
def squares(spectra: Spectrum) -> Array:
    """Return the squared magnitudes of spectra, shape (rows, bins)."""
    power = np.empty(spectra.shape, np.float32)
    for row in range(len(power)):
        for k in range(len(power[row])):
            power[row, k] = spectra[row, k].real ** 2 + spectra[row, k].imag ** 2
    return power


@kernel
def sum_bands(values: Array, first: NDArray[np.int64], end: NDArray[np.int64], weights: Array, sums: Array) -> None:
    """Write the weighted sums of bins in bands, of many rows side by side: a band alone is too short for a vector.

    Args:
        values: Shape (rows, bins).
        first: The first bin of each band.
        end: The bin behind its last.
        weights: Of all these bins, band after band.
        sums: Where they go, shape (rows, bands).
    """
    rows, bins = values.shape
    side_by_side = rows - rows % _SIDE_BY_SIDE
    turned, total = np.empty((bins, _SIDE_BY_SIDE), np.float32), np.empty(_SIDE_BY_SIDE, np.float32)
    for start in range(0, side_by_side, _SIDE_BY_SIDE):
        for row in range(_SIDE_BY_SIDE):
            for k in range(bins):
                turned[k, row] = values[start + row, k]
        place = 0
        for band in range(len(first)):
            total[:] = 0
            for k in range(first[band], end[band]):
                for row in range(_SIDE_BY_SIDE):
                    total[row] += turned[k, row] * weights[place]
                place += 1
            sums[start : start + _SIDE_BY_SIDE, band] = total
    for row in range(side_by_side, rows):
        place = 0
        for band in range(len(first)):
            alone, held = np.float32(0.0), max(end[band] - first[band], 0)
            for k in range(held):
                alone += values[row, first[band] + k] * weights[place + k]
            place += held
            sums[row, band] = alone
