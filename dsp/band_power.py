"""The power of frames in bands, measured block by block."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from dsp import bands
from dsp.compile import kernel
from dsp.fft import Array, rfft

FLOOR_POWER = 10 ** (bands.FLOOR_DB / 10)
# Natural logarithm of a power ratio of 1 dB.
LOG_PER_DB = math.log(10.0) / 10.0
# Frames that are transformed at once: more do not stay in the processor's cache, and their memory comes page by page.
ROWS_AT_ONCE = 16


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
    window, first_bin, end_bin, weights, n_fft, floor = tables
    sums = power.reshape(channels * frames, count)
    for first in range(0, len(sums), ROWS_AT_ONCE):
        rows = sums[first : first + ROWS_AT_ONCE]
        bins = powers(signal, start, hop, frames, first, len(rows), window, n_fft)
        sum_bands(bins, first_bin, end_bin, weights, rows)
    power += np.float32(floor)


@kernel
def powers(signal: Array, start: int, hop: int, frames: int, first: int, count: int, window: Array, size: int) -> Array:
    """Return the squared magnitudes of windowed frames with zeros behind them.

    Args:
        signal: Shape (channels, time).
        start: Where the first frame of each channel begins.
        hop: Samples from frame to frame.
        frames: Of each channel.
        first: The first row of all frames, channel by channel, that is wanted.
        count: How many rows; a few at once stay in the processor's cache.
        window: Shape (window,).
        size: Of the transform.

    Returns:
        Shape (count, size // 2 + 1).
    """
    rows = np.empty((count, size), np.float32)
    for row in range(count):
        at = start + (first + row) % frames * hop
        frame = signal[(first + row) // frames, at : at + len(window)]
        for i in range(len(window)):
            rows[row, i] = frame[i] * window[i]
        rows[row, len(window) :] = 0
    spectra = rfft(rows)
    power = np.empty((count, size // 2 + 1), np.float32)
    for row in range(count):
        for k in range(size // 2 + 1):
            power[row, k] = spectra[row, k].real ** 2 + spectra[row, k].imag ** 2
    return power


@kernel
def sum_bands(values: Array, first: NDArray[np.int64], end: NDArray[np.int64], weights: Array, sums: Array) -> None:
    """Write the weighted sums of bins in bands.

    Args:
        values: Shape (rows, bins).
        first: The first bin of each band.
        end: The bin behind its last.
        weights: Of all these bins, band after band.
        sums: Where they go, shape (rows, bands).
    """
    for row in range(len(values)):
        place = 0
        for band in range(len(first)):
            total, held = np.float32(0.0), max(end[band] - first[band], 0)
            # Slices, which a loop reads many numbers at once of.
            inside, shares = values[row, first[band] : first[band] + held], weights[place : place + held]
            for k in range(held):
                total += inside[k] * shares[k]
            place += held
            sums[row, band] = total
