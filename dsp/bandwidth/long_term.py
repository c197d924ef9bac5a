"""The long-term spectrum: where a recording ends, more finely than the bands that say that it was cut.

Its mean power shows a wall down to the last bit that was written, however soft the content that runs up to it: a codec
or a converter leaves nothing above, and nature always leaves something. Levels are those of cells 50 Hz wide, one each
25 Hz. Of 335 full-band recordings none falls by more than 15 dB within half a kilohertz above 2.5 kHz, for good.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from dsp.band_power import powers
from dsp.bandwidth.low_pass import fit_low_pass
from dsp.fft import Array

Levels = NDArray[np.float64]

_FFT = 8192
_WINDOW = np.hanning(_FFT).astype(np.float32)
_CELL_HZ = 25.0
_LEAST_POWER = 1e-13
# A fall for good: the median of half a kilohertz, against the highest of 300 Hz above a gap.
_BELOW, _ABOVE, _GAP = 20, 12, 5
_BEFORE = 24
_FALLEN_DB = 16.0
_DEEPER_DB = 13.0
_SURELY_DB = 25.0
# Of 335 full-band recordings none falls by more than 46 dB within an octave below 19 kHz.
_OCTAVE_DB, _OCTAVES_END, _BEGUN_DB = 54.0, 760, 10.0
_LOWEST = 100
# A wall falls by so much between two means of 150 Hz that lie 50 Hz apart; its slope begins where it falls by less.
_STEEP, _STEEP_DB, _SLOPE_DB, _LINE = 7, 18.0, 4.0, 13
# The edge is where the level has fallen so far below what leads up to it.
_EDGE_DB, _CODED_EDGE_DB = 6.0, 10.0
_NEAR = 1.06
# A steeper fit than this is of a codec's or a converter's slope, which is no filter's.
# One up to the second is a filter's even where a fall for good seems to come later.
_HIGHEST_ORDER, _GENTLE_ORDER = 12, 8
# A coarse edge is where a level leaves its trend; where the edge is lies by so much above.
_DEEPER = 1.045
# The trend that leads up to a gradual edge is no steeper than this, in dB a cell.
_STEEPEST_TREND = 0.15
# From a coarse edge to a wall above it the mean falls by less than this where it goes on; of a codec's, by so much more
# an octave, as nature falls.
_GOES_ON_DB, _CODED_DB = 15.0, 40.0
# An encoder's step within so many cells below its wall is no end: the level has fallen further by then.
_STEP_CELLS, _STEP_DB = 60, 10.0


@dataclass(frozen=True)
class Edge:
    """Where content ends, in Hz, and whether by a wall, which only a machine makes."""

    hertz: float
    is_wall: bool


class LongTermSpectrum:
    """The mean power of a recording in fine bins.

    Args:
        rate: In Hz.
    """

    def __init__(self, rate: int) -> None:
        self._rate = rate
        self._power = np.zeros(_FFT // 2 + 1)
        self._frames = 0

    def add(self, block: Array) -> None:
        """Measure the whole frames of a block, shape (channels, samples)."""
        frames = block.shape[1] // _FFT
        if frames:
            rows = frames * len(block)
            power = powers(np.ascontiguousarray(block), 0, _FFT, frames, 0, rows, _WINDOW, _FFT)
            self._power += power.sum(axis=0)
            self._frames += rows

    def edge(self, coarse_hz: float | None, is_coded: bool = False) -> Edge | None:
        """Return where the content ends, or None where nothing was cut.

        Args:
            coarse_hz: What `dsp.bandwidth.edge` says, which knows gradual edges too.
            is_coded: Whether it went through a codec, whose edge is no filter's.
        """
        levels = self._levels_db()
        if len(levels) < _BELOW:
            return None
        coarse = None if coarse_hz is None else coarse_hz / _CELL_HZ
        below, highest = _medians(levels, _BELOW), _highest_above(levels)
        fall = _first_fall(below, highest)
        edge = _edge(levels, fall, coarse, is_coded)
        if edge and is_coded:
            edge = Edge(_above_a_step(levels, round(edge.hertz / _CELL_HZ)) * _CELL_HZ, edge.is_wall)
        if coarse is None and not (edge and edge.is_wall) and (begun := _fall_within_an_octave(below, highest)):
            fit = fit_low_pass(levels, begun)
            if edge is None or fit.order <= _GENTLE_ORDER:
                edge = Edge(fit.edge * _CELL_HZ, False)
        return None if edge is None or _has_valleys(below, highest, edge.hertz / _CELL_HZ) else edge

    def _levels_db(self) -> Levels:
        """Return the mean level of each cell; the border before cell i lies at i times 25 Hz."""
        running = np.concatenate([[0.0], np.cumsum(self._power / max(1, self._frames))])
        cells = np.arange(int(self._rate / 2 / _CELL_HZ) - 1)
        first, width = cells * _CELL_HZ * _FFT / self._rate, 2 * _CELL_HZ * _FFT / self._rate
        bins = np.arange(len(running))
        power = (np.interp(first + width, bins, running) - np.interp(first, bins, running)) / width
        return np.asarray(10 * np.log10(power + _LEAST_POWER))


def _edge(levels: Levels, fall: int | None, coarse: float | None, is_coded: bool) -> Edge | None:
    # The flank of a filtered line is no wall.
    steps = levels if is_coded else _without_lines(levels)
    if (
        coarse is not None
        and fall is not None
        and (late := _late_wall(levels, steps, fall, coarse, is_coded)) is not None
    ):
        return Edge(late * _CELL_HZ, True)
    places = []
    if coarse is not None:
        places.append((int(coarse / 1.04), int(coarse * _NEAR)))
    if fall is not None and (coarse is None or fall < _NEAR * coarse):
        places.append((fall - 6, fall + _BEFORE))
    walls = [wall for first, last in places if (wall := _wall(levels, steps, first, last)) is not None]
    if walls:
        return Edge(min(walls) * _CELL_HZ, True)
    if coarse is not None:
        return Edge(_gradual(levels, coarse, is_coded) * _CELL_HZ, False)
    return None if fall is None else Edge(_knee(levels, 0.97 * fall) * _CELL_HZ, False)


def _late_wall(levels: Levels, steps: Levels, fall: int, coarse: float, is_coded: bool) -> int | None:
    """Return the cell of a wall up to which the mean goes on from a coarse edge, or None.

    An encoder gives the bands below its low-pass in few frames, but in those that have most of their power.
    """
    if fall <= _NEAR * coarse or (wall := _wall(levels, steps, fall - 6, fall + _BEFORE)) is None:
        return None
    before, after = (np.median(levels[cell - _BEFORE : cell - 4]) for cell in (int(coarse), wall))
    limit = _GOES_ON_DB + (_CODED_DB * np.log2(wall / coarse) if is_coded else 0.0)
    return wall if before - after < limit else None


def _above_a_step(levels: Levels, edge: int) -> int:
    """Return the last cell above a codec's edge that is not much softer than what leads up to it, or the edge."""
    cells = np.arange(edge, min(edge + _STEP_CELLS, len(levels)))
    least = np.median(levels[edge - _BEFORE : edge - 2]) - _STEP_DB - _CODED_DB * np.log2(cells / edge)
    alive = np.flatnonzero(np.convolve(levels, np.full(5, 0.2), "same")[cells] > least)
    return edge + int(alive[-1]) + 1 if len(alive) else edge


def _first_fall(below: Levels, highest: Levels) -> int | None:
    """Return the lowest cell at which the level falls for good, or None."""
    if len(highest) < _LOWEST + _GAP + 1:
        return None
    cells = np.arange(_LOWEST, len(highest) - _GAP)
    falls = below[cells - _BEFORE] - highest[cells + _GAP]
    fallen = cells[falls >= _FALLEN_DB]
    # Of a sound with gaps between its lines what follows is one more gap, unless it falls much further.
    deep = cells[falls >= _SURELY_DB]
    for cell, least in [(int(cell), _DEEPER_DB) for cell in fallen[:1]] + [(int(cell), _SURELY_DB) for cell in deep]:
        if _valley(below, cell) - highest[cell + _GAP] >= least:
            return cell
    return None


def _fall_within_an_octave(below: Levels, highest: Levels) -> float | None:
    """Return the cell where the level begins to fall by more within an octave than any recording does, or None."""
    cells = np.arange(_LOWEST, min(_OCTAVES_END, len(highest) - 1) // 2)
    if not len(cells):
        return None
    falls = below[cells - _BEFORE] - highest[2 * cells]
    if falls.max() < _OCTAVE_DB:
        return None
    first = int(cells[falls.argmax()])
    alive = np.flatnonzero(below[first : 2 * first] > below[first] - _BEGUN_DB)
    return float(first + alive[-1])


def _has_valleys(below: Levels, highest: Levels, edge: float) -> bool:
    """Return whether the level lies as low in the octave before an edge as half an octave above it: nothing was cut."""
    return bool(_valley(below, edge) - highest[min(int(edge * 2**0.5), len(highest) - 1)] < _DEEPER_DB)


def _medians(levels: Levels, cells: int) -> Levels:
    """Return the medians of so many cells in a row, of an even number."""
    middles = cells // 2 - 1, cells // 2
    ordered = np.partition(sliding_window_view(levels, cells), middles, axis=1)
    return np.asarray(0.5 * (ordered[:, middles[0]] + ordered[:, middles[1]]))


def _without_lines(levels: Levels) -> Levels:
    padded = np.pad(levels, _LINE // 2, mode="reflect")
    return np.asarray(np.partition(sliding_window_view(padded, _LINE), _LINE // 2, axis=1)[:, _LINE // 2])


def _highest_above(levels: Levels) -> Levels:
    return np.asarray(np.maximum.accumulate(_medians(levels, _ABOVE)[::-1])[::-1])


def _valley(below: Levels, edge: float) -> float:
    last = max(1, int(edge) - _BEFORE)
    return float(below[min(int(edge / 2), last - 1) : last].min())


def _wall(levels: Levels, steps: Levels, first: int, last: int) -> int | None:
    """Return the cell at which the steepest wall between two cells begins, or None."""
    means = np.convolve(steps, np.ones(_STEEP - 1) / (_STEEP - 1), "valid")
    cells = np.arange(max(first, _LOWEST), min(last, len(levels) - _STEEP))
    if not len(cells):
        return None
    falls = means[cells - _STEEP] - means[cells + 1]
    steepest = int(cells[falls.argmax()])
    if falls.max() < _STEEP_DB:
        return None
    top = steepest
    while top > 30 and levels[top - 6 : top - 2].mean() - levels[top - 2 : top + 2].mean() > _SLOPE_DB:
        top -= 1
    height = np.median(levels[top - 16 : top])
    alive = np.flatnonzero(levels[top - 6 : steepest + 6] > height - _EDGE_DB)
    return top - 5 + int(alive[-1]) if len(alive) else top


def _gradual(levels: Levels, guess: float, is_coded: bool) -> float:
    """Return the cell of a gradual edge: the middle one of three answers, as each is misled by other recordings."""
    if is_coded:
        return _knee(levels, guess, _CODED_EDGE_DB)
    knee = _knee(levels, guess)
    fit = fit_low_pass(levels, guess)
    return knee if fit.order > _HIGHEST_ORDER else sorted([knee, fit.edge, _DEEPER * guess])[1]


def _knee(levels: Levels, coarse: float, lost_db: float = _EDGE_DB) -> float:
    """Return where the level leaves the trend that leads up to a gradual edge, or the coarse edge."""
    middles = np.arange(len(levels)) + 1.0
    lower, upper = (
        np.flatnonzero((middles > low * coarse) & (middles < high * coarse))
        for low, high in ((0.72, 0.835), (0.835, 0.95))
    )
    rise = (np.median(levels[upper]) - np.median(levels[lower])) / (upper.mean() - lower.mean())
    trend = max(-_STEEPEST_TREND, min(0.0, float(rise)))
    both = np.concatenate([lower, upper])
    smooth = np.convolve(levels, np.ones(7) / 7, "same")
    depth = np.median(levels[both]) + trend * (middles - 1 - both.mean()) - smooth
    first, last = int(0.92 * coarse), min(len(levels), int(1.3 * coarse))
    alive = np.flatnonzero(depth[first:last] < lost_db)
    return float(first + alive[-1] + 1) if len(alive) and alive[-1] < last - first - 1 else coarse
