"""The histogram of levels: how often each narrow band of a recording had each level.

Frames of 85 ms every 50 ms give log levels in bands of 1/40 octave: the mean of the bins' decibels, so that a single
line does not hide an empty band.
"""

from __future__ import annotations

import math
from functools import lru_cache

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


@lru_cache
def _tables(sample_rate: int) -> tuple[Array, float, NDArray[np.float64]]:
    """Return the window, what makes power a density, and where the edges of bands lie in the running sum over bins."""
    samples = window_samples(sample_rate)
    window = 0.5 - 0.5 * np.cos(2.0 * math.pi * np.arange(samples) / samples)
    bands = int(math.log2(sample_rate / 2 / LOWEST_HZ) * BANDS_PER_OCTAVE)
    edges = LOWEST_HZ * 2.0 ** (np.arange(bands + 1) / BANDS_PER_OCTAVE)
    density = 2.0 / (float(np.square(window).sum()) * sample_rate)
    return window.astype(np.float32), density, edges / (sample_rate / samples) + 0.5


class LevelHistogram:
    """Measures the levels of frames, and counts them.

    Args:
        sample_rate: In Hz.

    Attributes:
        counts: How often, shape (bands, levels).
        bin_hz: Width of a bin of the frames' transform.
    """

    def __init__(self, sample_rate: int) -> None:
        self._window, self._density, self._position = _tables(sample_rate)
        self._hop = hop_samples(sample_rate)
        self.sample_rate, self.bin_hz = sample_rate, sample_rate / len(self._window)
        self.counts: Array = np.zeros((len(self._position) - 1, _LEVEL_COUNT), np.float32)

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
        return _levels(signal, start, self._hop, frames, self._window, self._density, self.bin_hz, self._position)

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
    signal: Array, start: int, hop: int, frames: int, window: Array, density: float, bin_hz: float,
    position: NDArray[np.float64],
) -> tuple[Array, Array]:  # fmt: skip
    channels, bands = signal.shape[0], len(position) - 1
    bins = len(window) // 2 + 1
    first, end = int(position[0]), int(position[bands]) + 1
    power, running = np.empty(bins, np.float32), np.zeros(bins + 1)
    levels, totals = np.empty((frames, bands), np.float32), np.empty(frames, np.float32)
    for frame in range(frames):
        place = frame % _FRAMES_AT_ONCE
        if not place:
            at_once = min(_FRAMES_AT_ONCE, frames - frame)
            rows = powers(signal, start + frame * hop, hop, at_once, 0, channels * at_once, window, len(window))
        power[:] = 0
        for row in range(place, len(rows), at_once):
            for k in range(bins):
                power[k] += rows[row, k]
        total = np.float32(0.0)
        for k in range(bins):
            power[k] *= np.float32(density / channels)
            total += power[k] if k > 1 else np.float32(0.0)
        totals[frame] = _DB_PER_LOG * np.log(total * np.float32(bin_hz) + np.float32(1e-20))
        for k in range(first, end):
            power[k] = log(power[k] + np.float32(1e-18))
        summed = 0.0
        for k in range(first, end):
            summed += power[k]
            running[k + 1] = summed
        _split(running, position, levels, frame)
    return levels, totals


@kernel
def _split(running: NDArray[np.float64], position: NDArray[np.float64], levels: Array, frame: int) -> None:
    """Write the means between the edges of bands, of what a running sum over bins has added up."""
    below = running[int(position[0])]
    below += (running[int(position[0]) + 1] - below) * (position[0] - int(position[0]))
    for band in range(len(position) - 1):
        edge = position[band + 1]
        whole = int(edge)
        above = running[whole] + (running[whole + 1] - running[whole]) * (edge - whole)
        levels[frame, band] = _DB_PER_LOG * (above - below) / (edge - position[band])
        below = above


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
