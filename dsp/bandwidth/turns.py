"""Turns: the stretches of a channel that were cut off lower than the rest, as a guest on the telephone beside a host.

Two measures are made in one pass. Windows of a second of loud frames are judged as `dsp.bandwidth.meter` judges a
whole recording, for steep walls only: they say at which edges parts of a channel end. Blocks of 5 ms keep the level of
sixth octaves: above an edge that is known, they say to the block when there is nothing. A stretch is a turn where
nothing lies above the edge for a while, and the sound below it is loud. A channel that is cut the same from beginning
to end has turns only beside one that goes higher, as a guest on a track of his own, and one without walls has none, so
that a steady recording is never treated by the moment.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from dsp.band_power import LOG_PER_DB, ROWS_AT_ONCE, powers, sum_bands
from dsp.bandwidth.histogram import WallWindows, hop_samples, window_samples
from dsp.buffers.finite import is_finite
from dsp.compile import kernel
from dsp.fast_math import log
from dsp.fft import Array

Levels = NDArray[np.uint8]
Flags = NDArray[np.bool_]

# An edge above this is what a coder leaves out now and then; treating it by the moment would pump audibly.
HIGHEST_EDGE_HZ = 12500.0
BLOCK_SECONDS = 256 / 48000
_LOWEST_HZ, _HIGHEST_HZ, _PER_OCTAVE = 500.0, 20000.0, 6
_FLOOR_DB = -160.0  # what a byte of 0 means; one step is a decibel
PIECE_FRAMES = 10
PAUSE_DB = 40.0
_SILENCE_DB = -80.0
_FALL_DB = 0.01  # a frame, of the level that counts as loud
SAME = 0.06
_FEWEST_WINDOWS = 2
ABOVE = 1.12  # a resampler's transition ends here
LEAK_BINS = 8  # so far a Blackman window lets loud sound below the edge reach
CONTRAST_DB = 35.0
ALIVE_DB = 10.0
_LONGEST_GAP_S, _SHORTEST_ALIVE_S, _SHORTEST_TURN_S, _SHORTEST_LOUD_S = 0.25, 0.1, 0.3, 0.1
_LEAST_ALIVE_S = 1.0
_LEAST_CUT_SHARE = 0.7  # of the windows of a channel that is cut from beginning to end
_QUIET_DB = 60.0
_MARGIN_S = 0.02
_FRAMES_AT_ONCE = 256


class Turn(NamedTuple):
    """A stretch of one channel, from one sample up to another, and the edge in Hz that it ends at."""

    start: int
    end: int
    edge_hz: float


class BlockBands(NamedTuple):
    """The bands of blocks: the first bin of each, the bin behind its last, and the weights of all these bins."""

    first: NDArray[np.int64]
    end: NDArray[np.int64]
    weights: Array


class _Wall(NamedTuple):
    """An edge seen in a window, and the blocks of that window."""

    edge_hz: float
    first: int
    last: int


class TurnFinder:
    """Finds the turns of each channel of a recording, handed over in blocks of any length.

    Args:
        sample_rate: In Hz.
        channels: How many.
    """

    def __init__(self, sample_rate: int, channels: int) -> None:
        self._rate = sample_rate
        self._channels = [_Channel(sample_rate) for _ in range(channels)]

    def add(self, samples: Array) -> None:
        """Append the next samples, shape (channels, time)."""
        samples = np.ascontiguousarray(samples, np.float32)
        if not is_finite(samples):
            samples = np.nan_to_num(samples, nan=0.0, posinf=0.0, neginf=0.0)
        for channel, row in zip(self._channels, samples, strict=True):
            channel.add(row)

    def turns(self) -> list[list[Turn]]:
        """Return the turns of each channel, in order."""
        return [
            channel.turns([other for other in self._channels if other is not channel]) for channel in self._channels
        ]


class _Channel:
    def __init__(self, rate: int) -> None:
        self._rate = rate
        self._windows = WallWindows(rate, HIGHEST_EDGE_HZ)
        self._window, self._hop = window_samples(rate), hop_samples(rate)
        self._size = int(2 ** round(math.log2(BLOCK_SECONDS * rate)))
        self._analysis = np.blackman(self._size + 1)[:-1].astype(np.float32)
        self._bin_hz = rate / self._size
        octaves = math.log2(min(_HIGHEST_HZ, 0.45 * rate) / _LOWEST_HZ)
        edges = _LOWEST_HZ * 2.0 ** (np.arange(int(octaves * _PER_OCTAVE) + 1) / _PER_OCTAVE)
        bins = np.unique(np.round(edges / self._bin_hz).astype(int))
        self._edges_hz, widths = bins * self._bin_hz, np.diff(bins)
        density = 2.0 / (float(np.square(self._analysis).sum()) * rate)
        self._bins = BlockBands(bins[:-1], bins[1:], np.repeat(density / widths, widths).astype(np.float32))
        self._levels: list[Levels] = []
        self._tail = np.zeros(0, np.float32)
        self._fine_tail = np.zeros(self._size // 2, np.float32)
        self._frames, self._loud_db, self._piece_first = 0, _SILENCE_DB, 0
        self._last_first: int | None = None
        self._walls: list[_Wall] = []
        self._judged = 0
        self._samples = 0

    def add(self, samples: Array) -> None:
        self._samples += len(samples)
        self._add_blocks(samples)
        self._tail = np.concatenate([self._tail, samples])
        count = max(0, (len(self._tail) - self._window) // self._hop + 1)
        for first in range(0, count, _FRAMES_AT_ONCE):
            number = min(_FRAMES_AT_ONCE, count - first)
            self._add_frames(*self._windows.pieces.levels(self._tail[None], first * self._hop, number))
        self._tail = self._tail[count * self._hop :].copy()

    def _add_frames(self, levels: Array, total_db: Array) -> None:
        """Count the loud frames, and judge each window that they fill."""
        is_loud, self._loud_db = _loud_frames(total_db, self._loud_db)
        left = np.flatnonzero(is_loud)
        while len(left):
            newest, left = np.split(left, [PIECE_FRAMES - self._windows.frames])
            if not self._windows.frames:
                self._piece_first = self._frames + int(newest[0])
            self._windows.add(levels[newest])
            if self._windows.frames == PIECE_FRAMES:
                self._judge(self._frames + int(newest[-1]) + 1)
        self._frames += len(total_db)

    def _judge(self, end: int) -> None:
        """Judge the window of the last two pieces, the newest of which ends at a frame."""
        edge_hz, _ = self._windows.judge()
        self._judged += self._last_first is not None
        if edge_hz is not None and self._last_first is not None:
            to_blocks = self._hop / self._size
            self._walls.append(_Wall(edge_hz, int(self._last_first * to_blocks), int(end * to_blocks)))
        self._last_first = self._piece_first

    def _add_blocks(self, samples: Array) -> None:
        """Append the levels of each block: the higher of two frames that overlap by half."""
        self._fine_tail = np.concatenate([self._fine_tail, samples])
        count = (len(self._fine_tail) - self._size) // self._size
        if count <= 0:
            return
        for first in range(0, count, _FRAMES_AT_ONCE):
            number = min(_FRAMES_AT_ONCE, count - first)
            piece = self._fine_tail[first * self._size :]
            self._levels.append(_block_levels(piece, number, self._analysis, self._bins))
        self._fine_tail = self._fine_tail[count * self._size :].copy()

    def turns(self, others: list[_Channel]) -> list[Turn]:
        levels = self._all_levels()
        used = np.zeros(len(levels), bool)
        result: list[Turn] = []
        for edge_hz, walls in _clusters(self._walls):
            dead = self._dead(levels, edge_hz, walls, others)
            if dead is None:
                continue
            for first, last in _runs(dead & ~used):
                used[first:last] = True
                end = min(last * self._size, self._samples) if last < len(levels) else self._samples
                result.append(Turn(first * self._size, end, edge_hz))
        return sorted(result)

    def _all_levels(self) -> Levels:
        """Return the levels of all blocks, shape (blocks, bands)."""
        levels = np.concatenate([np.zeros((0, len(self._edges_hz) - 1), np.uint8), *self._levels])
        # Those of an hour are not kept twice.
        self._levels = [levels]
        return levels

    def _sides(self, levels: Levels, edge_hz: float) -> tuple[NDArray[np.uint8], NDArray[np.uint8]] | None:
        """Return the highest levels above and below an edge, or None where no band lies on one of its sides."""
        first_above = int(np.searchsorted(self._edges_hz[:-1], edge_hz * ABOVE + LEAK_BINS * self._bin_hz))
        end_below = int(np.searchsorted(self._edges_hz[1:], edge_hz / ABOVE, side="right"))
        if first_above == levels.shape[1] or not end_below:
            return None
        return levels[:, first_above:].max(1), levels[:, :end_below].max(1)

    def _goes_above(self, edge_hz: float, least: float) -> bool:
        """Return whether a second of the channel is above an edge louder than this level, and than its own pauses."""
        sides = self._sides(self._all_levels(), edge_hz)
        if sides is None or not len(sides[0]):
            return False
        above, below = sides
        floor = max(float(np.percentile(below, 90)) - PAUSE_DB, least)
        return bool((above > floor).sum() >= _LEAST_ALIVE_S * self._rate / self._size)

    def _dead(self, levels: Levels, edge_hz: float, walls: list[_Wall], others: list[_Channel]) -> Flags | None:
        """Return the blocks of turns that end at an edge, or None where the channel has none."""
        sides = self._sides(levels, edge_hz)
        if sides is None:
            return None
        above, below = sides
        inside = np.concatenate([np.arange(wall.first, min(wall.last, len(levels))) for wall in walls])
        body, floor = np.percentile(below[inside], 90), np.percentile(above[inside], 90)
        if body - floor < CONTRAST_DB:
            return None
        alive = above > floor + ALIVE_DB
        blocks_a_second = self._rate / self._size
        alive = _without_gaps(alive, _LONGEST_GAP_S * blocks_a_second)
        alive = ~_without_gaps(~alive, _SHORTEST_ALIVE_S * blocks_a_second)
        is_steady = alive.sum() < _LEAST_ALIVE_S * blocks_a_second
        # A recording that is dull by nature shows a wall now and then.
        is_cut = len(walls) >= _LEAST_CUT_SHARE * self._judged
        if is_steady and not (is_cut and any(other._goes_above(edge_hz, floor + ALIVE_DB) for other in others)):
            return None
        # A frame reaches into its neighbours: what begins there must not be touched.
        alive = alive | np.append(alive[1:], False) | np.insert(alive[:-1], 0, False)
        loud, sounding = below > body - PAUSE_DB, np.flatnonzero(below > body - _QUIET_DB)
        dead, margin = np.zeros(len(alive), bool), round(_MARGIN_S * blocks_a_second)
        for first, last in _runs(~alive):
            # The silence around a turn may belong to the one who spoke before or speaks next.
            inside = sounding[np.searchsorted(sounding, first) : np.searchsorted(sounding, last)]
            is_long = len(inside) > 0 and inside[-1] - inside[0] >= _SHORTEST_TURN_S * blocks_a_second
            if is_long and loud[first:last].sum() >= _SHORTEST_LOUD_S * blocks_a_second:
                dead[max(first, inside[0] - margin) : min(last, inside[-1] + 1 + margin)] = True
        return dead if dead.any() else None


def _clusters(walls: list[_Wall]) -> list[tuple[float, list[_Wall]]]:
    """Return the edges that several windows share, the lowest first, each with its windows."""
    clusters: list[tuple[float, list[_Wall]]] = []
    left = sorted(walls)
    while left:
        same = [wall for wall in left if math.log(wall.edge_hz / left[0].edge_hz) < 2 * SAME]
        left = left[len(same) :]
        if len(same) >= _FEWEST_WINDOWS:
            clusters.append((same[len(same) // 2].edge_hz, same))
    return clusters


def _runs(flags: Flags) -> list[tuple[int, int]]:
    """Return where each run of true begins and ends."""
    steps = np.flatnonzero(np.diff(np.concatenate([[False], flags, [False]]).astype(np.int8)))
    return [(int(first), int(last)) for first, last in steps.reshape(-1, 2)]


def _without_gaps(flags: Flags, longest: float) -> Flags:
    """Return the flags with short runs of false between two true ones filled."""
    filled = flags.copy()
    for first, last in _runs(~flags):
        if first > 0 and last < len(flags) and last - first <= longest:
            filled[first:last] = True
    return filled


@kernel
def _loud_frames(total_db: Array, loud_db: float) -> tuple[Flags, float]:
    """Return which frames are loud against those before, and the level that the next one is compared with."""
    is_loud = np.empty(len(total_db), np.bool_)
    for frame in range(len(total_db)):
        level_db = float(total_db[frame])
        loud_db = max(level_db, loud_db - _FALL_DB)
        is_loud[frame] = level_db > _SILENCE_DB and level_db >= loud_db - PAUSE_DB
    return is_loud, loud_db


@kernel
def _block_levels(samples: Array, count: int, window: Array, bands: BlockBands) -> Levels:
    """Return the levels of blocks as long as the window, shape (count, bands), in steps of a decibel."""
    sums, levels = np.empty((2 * count, len(bands.first)), np.float32), np.empty((count, len(bands.first)), np.uint8)
    signal, hop, frames = samples.reshape(1, -1), len(window) // 2, 2 * count
    for first in range(0, frames, ROWS_AT_ONCE):
        rows = sums[first : first + ROWS_AT_ONCE]
        power = powers(signal, 0, hop, frames, first, len(rows), window, len(window))
        sum_bands(power, bands.first, bands.end, bands.weights, rows)
    for block in range(count):
        for band in range(levels.shape[1]):
            highest = max(sums[2 * block, band], sums[2 * block + 1, band]) + np.float32(1e-20)
            level_db = log(highest) / np.float32(LOG_PER_DB) - np.float32(_FLOOR_DB)
            levels[block, band] = np.uint8(max(np.float32(0.0), min(level_db, np.float32(255.0))))
    return levels
