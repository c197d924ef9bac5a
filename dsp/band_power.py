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
        # One band after another, so that each is a stretch of neighbouring bins.
        shares: Array = np.ascontiguousarray((weights * np.float32(factor * bands.power_scale(sample_rate, window))).T)
        held = shares > 0
        first, end = held.argmax(1), np.where(held.any(1), held.shape[1] - held[:, ::-1].argmax(1), 0)
        # Nothing but what counts: it is read while the memory around it is cold.
        row = np.concatenate([share[start:stop] for share, start, stop in zip(shares, first, end, strict=True)])
        self.tables = PowerTables(window, first, end, row, n_fft, factor * floor)

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


@kernel
def measure_power(signal: Array, start: int, hop: int, tables: PowerTables, power: Array) -> None:
    """Write the power of frames in bands; see `BandPower.__call__`."""
    channels, frames, count = power.shape
    window, first, end, weights, n_fft, floor = tables
    rows, squares = np.zeros((channels * frames, n_fft), np.float32), np.empty(n_fft // 2 + 1, np.float32)
    for row in range(channels * frames):
        channel, at = row // frames, start + row % frames * hop
        for i in range(len(window)):
            rows[row, i] = signal[channel, at + i] * window[i]
    spectra = rfft(rows)
    for row in range(channels * frames):
        for k in range(len(squares)):
            squares[k] = spectra[row, k].real ** 2 + spectra[row, k].imag ** 2
        place = 0
        for band in range(count):
            total, held = np.float32(0.0), end[band] - first[band]
            for k in range(held):
                total += squares[first[band] + k] * weights[place + k]
            place += held
            power[row // frames, row % frames, band] = total + np.float32(floor)
