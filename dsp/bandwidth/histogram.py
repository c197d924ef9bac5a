"""The histogram of levels: how often each narrow band of a recording had each level.

Frames of 85 ms every 50 ms give log levels in bands of 1/40 octave: the mean of the bins' decibels, so that a single
line does not hide an empty band.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from dsp.band_power import powers
from dsp.bandwidth.edge import BANDS_PER_OCTAVE, LOWEST_HZ, Curve, find_edge
from dsp.compile import kernel
from dsp.fast_math import log
from dsp.fft import Array

HOP_SECONDS = 0.05
WINDOW_SECONDS = 0.085
_LEVEL_STEP_DB = 2.0
_LEVEL_COUNT = 80
_FLOOR_DB = -152.0  # per Hz against full scale: a little below the noise of 16 bits, below which nothing counts
_LOUDEST = 0.95
# Transformed together, which costs a third; more would not stay in the processor's cache.
_FRAMES_AT_ONCE = 4
_DB_PER_LOG = 10.0 / math.log(10.0)


def window_samples(sample_rate: int) -> int:
    """Return the samples of one frame: the power of two nearest to WINDOW_SECONDS."""
    return int(2 ** round(math.log2(WINDOW_SECONDS * sample_rate)))


def hop_samples(sample_rate: int) -> int:
    """Return the samples between two frames."""
    return round(HOP_SECONDS * sample_rate)


class _Bands(NamedTuple):
    """The first bin of each band, the bin behind its last, and the weights of all these bins, band after band."""

    first: NDArray[np.int64]
    end: NDArray[np.int64]
    weights: NDArray[np.float64]


@lru_cache
def _tables(sample_rate: int) -> tuple[Array, float, _Bands]:
    """Return the window, what makes power a density, and the bands."""
    samples = window_samples(sample_rate)
    window = 0.5 - 0.5 * np.cos(2.0 * math.pi * np.arange(samples) / samples)
    bands = int(math.log2(sample_rate / 2 / LOWEST_HZ) * BANDS_PER_OCTAVE)
    # A bin reaches half its width to either side.
    edges = LOWEST_HZ * 2.0 ** (np.arange(bands + 1) / BANDS_PER_OCTAVE) / (sample_rate / samples) + 0.5
    first, end = np.floor(edges[:-1]).astype(int), np.ceil(edges[1:]).astype(int)
    weights = [
        (np.minimum(inside + 1, above) - np.maximum(inside, below)) * _DB_PER_LOG / (above - below)
        for inside, below, above in zip(map(np.arange, first, end), edges[:-1], edges[1:], strict=True)
    ]
    density = 2.0 / (float(np.square(window).sum()) * sample_rate)
    return window.astype(np.float32), density, _Bands(first, end, np.concatenate(weights))


class LevelHistogram:
    """Measures the levels of frames, and counts them.

    Args:
        sample_rate: In Hz.

    Attributes:
        counts: How often, shape (bands, levels).
        bin_hz: Width of a bin of the frames' transform.
    """

    def __init__(self, sample_rate: int) -> None:
        self._window, self._density, self._bands = _tables(sample_rate)
        self._hop = hop_samples(sample_rate)
        self.sample_rate, self.bin_hz = sample_rate, sample_rate / len(self._window)
        self.counts: Array = np.zeros((len(self._bands.first), _LEVEL_COUNT), np.float32)

    def levels(self, signal: Array, start: int, frames: int) -> tuple[Array, Array]:
        """Return the levels of frames, one a hop.

        Args:
            signal: Shape (channels, time).
            start: Where the first frame begins.
            frames: How many.

        Returns:
            dB per Hz against full scale in each band, shape (frames, bands), and dB against full scale without
            what lies below about 20 Hz, shape (frames,). Not finite where the samples are not.
        """
        return _levels(signal, start, self._hop, frames, self._window, self._density, self.bin_hz, self._bands)

    def add(self, levels_db: Array) -> None:
        """Count the levels of frames, shape (frames, bands), finite."""
        _count(levels_db, self.counts)

    def curve(self, share: float = _LOUDEST) -> Curve:
        """Return the level below which each band lies in this share of the frames, in dB per Hz, shape (bands,)."""
        return _curve(self.counts, share)


class WallWindows:
    """Judges windows of two pieces of loud frames for steep walls; each shares a piece with the next.

    Args:
        sample_rate: In Hz.
        highest_hz: What is at or above it is no wall.

    Attributes:
        pieces: Counts the frames of the piece that is under way.
        frames: How many those are.
    """

    def __init__(self, sample_rate: int, highest_hz: float) -> None:
        self.pieces, self.frames = LevelHistogram(sample_rate), 0
        self._highest_hz, self._last = highest_hz, np.zeros_like(self.pieces.counts)

    def reset(self) -> None:
        """Forget all frames."""
        self.pieces.counts.fill(0.0)
        self._last.fill(0.0)
        self.frames = 0

    def copy_from(self, other: WallWindows) -> None:
        """Go on from where another one of this rate stands."""
        self.pieces.counts[:], self._last[:], self.frames = other.pieces.counts, other._last, other.frames

    def add(self, levels_db: Array) -> None:
        """Count the levels of loud frames, shape (frames, bands)."""
        self.pieces.add(levels_db)
        self.frames += len(levels_db)

    def judge(self) -> tuple[float | None, Curve]:
        """End the piece; return the wall of it and the one before in Hz, or None, and their curve."""
        newest = self.pieces.counts
        self._last += newest
        self._last, self.pieces.counts, self.frames = newest, self._last, 0
        curve = self.pieces.curve()
        self.pieces.counts.fill(0.0)
        edge_hz = find_edge(curve, only_walls=True)
        return (edge_hz if edge_hz is not None and edge_hz < self._highest_hz else None), curve


@kernel
def _levels(
    signal: Array, start: int, hop: int, frames: int, window: Array, density: float, bin_hz: float, bands: _Bands
) -> tuple[Array, Array]:
    channels = len(signal)
    levels, totals = np.empty((frames, len(bands.first)), np.float32), np.empty(frames, np.float32)
    for begin in range(0, frames, _FRAMES_AT_ONCE):
        at_once = min(_FRAMES_AT_ONCE, frames - begin)
        rows = powers(signal, start + begin * hop, hop, at_once, 0, channels * at_once, window, len(window))
        for row in range(at_once, len(rows)):
            _add(rows[row], rows[row % at_once])
        for frame in range(at_once):
            total = _write_means(rows[frame], np.float32(density / channels), bands, levels[begin + frame])
            totals[begin + frame] = _DB_PER_LOG * np.log(total * np.float32(bin_hz) + np.float32(1e-20))
    return levels, totals


@kernel
def _add(more: Array, power: Array) -> None:
    for k in range(len(power)):
        power[k] += more[k]


@kernel
def _write_means(power: Array, scale: np.float32, bands: _Bands, levels: Array) -> np.float32:
    """Write the mean levels of bands, and return the power of all but the lowest bins; `power` is overwritten."""
    total, place = np.float32(0.0), 0
    # Slices, which a loop reads many numbers at once of.
    heard, inside = power[2:], power[bands.first[0] : bands.end[-1]]
    for k in range(len(heard)):
        total += heard[k]
    for k in range(len(inside)):
        inside[k] = log(inside[k] * scale + np.float32(1e-18))
    for band in range(len(levels)):
        held, level = bands.end[band] - bands.first[band], 0.0
        values, shares = power[bands.first[band] : bands.end[band]], bands.weights[place : place + held]
        for k in range(held):
            level += values[k] * shares[k]
        place += held
        levels[band] = level
    return total * scale


@kernel
def _count(levels_db: Array, counts: Array) -> None:
    for frame in range(levels_db.shape[0]):
        for band in range(levels_db.shape[1]):
            step = int((levels_db[frame, band] - _FLOOR_DB) / _LEVEL_STEP_DB)
            counts[band, max(0, min(step, _LEVEL_COUNT - 1))] += np.float32(1.0)


@kernel
def _curve(counts: Array, share: float) -> Curve:
    curve = np.empty(len(counts))
    for band in range(len(counts)):
        total = np.float32(0.0)
        for step in range(_LEVEL_COUNT):
            total += counts[band, step]
        target = share * total
        step, running = 0, counts[band, 0]
        while running < target and step < _LEVEL_COUNT - 1:
            step += 1
            running += counts[band, step]
        part = (target - running) / max(counts[band, step], np.float32(1e-9)) + 1.0
        curve[band] = (step + max(0.0, min(part, 1.0))) * _LEVEL_STEP_DB + _FLOOR_DB
    return curve
