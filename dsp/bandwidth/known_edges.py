"""Edges that were seen before: a live signal that is cut off there again is recognised within a tenth of a second.

Windows of a second of loud frames are judged for steep walls. A wall that two windows agree on, or one with nothing at
all above it, is remembered, with the level of that nothing. From then on blocks of 5 ms are asked whether anything lies
above it: where nothing does for a while although the sound below is loud, the edge holds; as soon as something does, it
does not, and what follows belongs to another source.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from dsp.bandwidth.edge import LOWEST_HZ, Curve, band_position
from dsp.bandwidth.histogram import WallWindows
from dsp.bandwidth.turns import (
    ABOVE,
    ALIVE_DB,
    BLOCK_SECONDS,
    CONTRAST_DB,
    HIGHEST_EDGE_HZ,
    LEAK_BINS,
    PAUSE_DB,
    PIECE_FRAMES,
    SAME,
)
from dsp.compile import kernel
from dsp.fft import Array, rfft

_MOST = 4
# An edge with so much less above than below needs to be seen once, any other twice among the last windows.
_SURE_DB, _SEEN = 50.0, 20
# So much less, too, than the 0.3 octaves just below it hold, gaps between harmonics included.
_NEAR_BANDS, _NEAR_DB = 12, 26.0
_DEAD_BLOCKS, _LOUD_BLOCKS = 15, 6
_ALIVE_BLOCKS, _ALIVE_OF = 3, 6
# Further below the loudest a block of single precision holds nothing.
_DEEPEST_DB = 80.0
# Mean decibels of noise lie this far below the decibels of its mean.
_MEAN_OF_NOISE_DB = 2.5


class KnownEdges:
    """Remembers the walls of a live signal and recognises them.

    Args:
        sample_rate: In Hz.

    Attributes:
        active_hz: The remembered edge that holds now, or None.
    """

    def __init__(self, sample_rate: int) -> None:
        self._rate = sample_rate
        self._windows = WallWindows(sample_rate, HIGHEST_EDGE_HZ)
        self._size = int(2 ** round(math.log2(BLOCK_SECONDS * sample_rate)))
        self._window = np.blackman(2 * self._size + 1)[:-1].astype(np.float32)
        self._density = 2.0 / (float(np.square(self._window).sum()) * sample_rate)
        self._bin_hz = sample_rate / (2 * self._size)
        self._buffer: Array = np.zeros((0, 2 * self._size), np.float32)
        self._edges_hz = np.zeros(_MOST)
        self._bins = np.zeros((_MOST, 3), np.int64)
        self._limits_db = np.zeros((_MOST, 2), np.float32)
        self._counters = np.zeros((_MOST, 3), np.int64)
        self.reset()
        self._rehearse()

    def _rehearse(self) -> None:
        """Run the kernel once, so that none is loaded while sound is played."""
        _follow(np.zeros((1, 2 * self._size), np.float32), self._window, self._density, *self._tables(1))

    def _tables(self, count: int) -> tuple[NDArray[np.int64], Array, NDArray[np.int64]]:
        return self._bins[:count], self._limits_db[:count], self._counters[:count]

    def reset(self) -> None:
        """Forget every edge."""
        self._windows.reset()
        self._counters.fill(0)
        self._buffer.fill(0.0)
        self._filled = self._count = 0
        self._seen_hz: list[float] = []
        self.active_hz: float | None = None

    def add(self, levels_db: Array) -> None:
        """Count the levels of a loud frame, shape (1, bands)."""
        self._windows.add(levels_db)

    def judge(self) -> None:
        """Judge the window that has become full, if one has."""
        if self._windows.frames >= PIECE_FRAMES:
            edge_hz, curve = self._windows.judge()
            if edge_hz:
                self._consider(edge_hz, curve)

    def copy_from(self, other: KnownEdges) -> None:
        """Go on from where another one of this rate stands."""
        for mine, its in (
            (self._edges_hz, other._edges_hz),
            (self._bins, other._bins),
            (self._limits_db, other._limits_db),
        ):
            mine[:] = its
        self._counters[:] = other._counters
        self._windows.copy_from(other._windows)
        self._count, self._seen_hz = other._count, list(other._seen_hz)
        self._buffer, self._filled, self.active_hz = other._buffer.copy(), other._filled, other.active_hz

    def _consider(self, edge_hz: float, curve: Curve) -> None:
        """Remember an edge that was seen before, or above which there is nothing at all."""
        lowest_hz = ABOVE * edge_hz + LEAK_BINS * self._bin_hz
        floor = float(curve[min(int(band_position(lowest_hz)), len(curve) - 1) :].max()) + _MEAN_OF_NOISE_DB
        below = curve[: max(1, int(band_position(edge_hz / ABOVE)))]
        body = float(below.max()) + _MEAN_OF_NOISE_DB
        if float(np.median(below[-_NEAR_BANDS:])) < floor + _NEAR_DB:
            # The last harmonic that rises out of noise is no wall.
            return
        was_seen = any(_same(edge_hz, other_hz) for other_hz in self._seen_hz)
        self._seen_hz = [edge_hz, *self._seen_hz[: _SEEN - 1]]
        if body - floor >= (CONTRAST_DB if was_seen else _SURE_DB):
            self._remember(edge_hz, body, floor)

    def _remember(self, edge_hz: float, body: float, floor: float) -> None:
        known = self._edges_hz[: self._count]
        same = np.flatnonzero(np.abs(np.log(known / edge_hz)) < SAME) if self._count else np.zeros(0, int)
        # The lowest comes first: where nothing lies above it, nothing lies above a higher one either.
        place = int(same[0]) if len(same) else int(np.searchsorted(known, edge_hz))
        if not len(same):
            if self._count == _MOST:
                return
            self._count += 1
            for table in (self._edges_hz, self._bins, self._limits_db, self._counters):
                table[place + 1 :] = table[place:-1].copy()
            self._counters[place] = 0
            top_hz = min(0.45 * self._rate, 20000.0)
            self._edges_hz[place] = edge_hz
            self._bins[place] = [int(hz / self._bin_hz) for hz in (LOWEST_HZ, edge_hz / ABOVE, top_hz)]
        self._limits_db[place] = body - PAUSE_DB, floor + ALIVE_DB

    def follow(self, samples: Array) -> None:
        """Append samples, shape (channels, time), and recognise what is known."""
        if len(self._buffer) != len(samples):
            self._buffer, self._filled = np.zeros((len(samples), 2 * self._size), np.float32), 0
        start, end = 0, samples.shape[1]
        while start < end:
            count = min(2 * self._size - self._filled, end - start)
            self._buffer[:, self._filled : self._filled + count] = samples[:, start : start + count]
            self._filled += count
            start += count
            if self._filled == 2 * self._size:
                if self._count:
                    active = _follow(self._buffer, self._window, self._density, *self._tables(self._count))
                    self.active_hz = float(self._edges_hz[active]) if active >= 0 else None
                self._buffer[:, : self._size] = self._buffer[:, self._size :]
                self._filled = self._size


def _same(one_hz: float, other_hz: float) -> bool:
    return abs(math.log(one_hz / other_hz)) < SAME


@kernel
def _follow(
    buffer: Array, window: Array, density: float, bins: NDArray[np.int64], limits_db: Array,
    counters: NDArray[np.int64],
) -> int:  # fmt: skip
    """Count the blocks without and with something above each edge; return the first edge that holds, or -1.

    A row of counters: blocks in a row without anything above, loud ones of them, and the last six blocks as bits.
    """
    rows = buffer * window
    spectra = rfft(rows)
    power = np.zeros(spectra.shape[1], np.float32)
    for row in range(len(rows)):
        for k in range(len(power)):
            power[k] += (spectra[row, k].real ** 2 + spectra[row, k].imag ** 2) * np.float32(density / len(rows))
    active = -1
    for edge in range(len(bins)):
        loudest, below, above = _levels_around(power, bins[edge])
        is_loud = below > limits_db[edge, 0]
        # A pause says nothing: the hiss of a microphone belongs to nobody.
        is_alive = above > max(limits_db[edge, 1], loudest - _DEEPEST_DB) and loudest > limits_db[edge, 0]
        was_active = counters[edge, 0] >= _DEAD_BLOCKS and counters[edge, 1] >= _LOUD_BLOCKS
        counters[edge, 2] = (counters[edge, 2] * 2 + (1 if is_alive else 0)) % (2**_ALIVE_OF)
        alive = 0
        for bit in range(_ALIVE_OF):
            alive += (counters[edge, 2] >> bit) & 1
        if (is_alive and not was_active) or alive >= _ALIVE_BLOCKS:
            counters[edge, 0] = counters[edge, 1] = 0
        elif not is_alive:
            counters[edge, 0] += 1
            counters[edge, 1] += 1 if is_loud else 0
        if active < 0 and counters[edge, 0] >= _DEAD_BLOCKS and counters[edge, 1] >= _LOUD_BLOCKS:
            active = edge
    return active


@kernel
def _levels_around(power: Array, bins: NDArray[np.int64]) -> tuple[float, float, float]:
    """Return the highest level of all, below an edge, and of a sixth octave above it, in dB."""
    low, high, top = bins[0], bins[1], bins[2]
    loudest = below = above = np.float32(0.0)
    for k in range(high):
        loudest = max(loudest, power[k])
        if k >= low:
            below = max(below, power[k])
    at = int(high * ABOVE**2) + LEAK_BINS
    width = max(2, at // 9)
    while at < top:
        end = min(at + width, top)
        band = np.float32(0.0)
        for k in range(at, end):
            band += power[k]
        above = max(above, band / np.float32(end - at))
        at = end
    return 10.0 * np.log10(loudest + 1e-20), 10.0 * np.log10(below + 1e-20), 10.0 * np.log10(above + 1e-20)
