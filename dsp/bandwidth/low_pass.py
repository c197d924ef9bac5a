"""The response of a gradual low-pass, fitted to a spectrum: where it is 3 dB down, and how steeply it falls.

The response is that of a Chebyshev filter, whose order may be anything: it is near those of elliptic and Butterworth
filters for the first 40 dB, where a recording is still above its noise. What was there before is taken for a straight
line, so that the whole slope says where it begins and not the few levels around its knee.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Levels = NDArray[np.float64]

_ORDERS = (4, 5, 6, 7, 8, 10, 12, 15, 20, 30)
_RIPPLE_DB, _EDGE_DB = 0.5, 6.0
_LOWEST, _HIGHEST = 0.55, 1.15
_FROM, _TO = 0.75, 1.7
_DEPTH_DB, _FLOOR_DB, _SHALLOW_DB = 40.0, 6.0, 15.0
# The line falls by no more and rises by no more than this, in dB a cell.
_STEEPEST, _RISING = 0.1, 0.05
# Levels that are further off than this are lines and gaps, and count less.
_ODD_DB = 8.0
_SMOOTHED, _FLOOR_CELLS = 13, 40
_STEP, _COARSE = 2, 8
_EPSILON = np.sqrt(10 ** (_RIPPLE_DB / 10) - 1)
_WIDENED = {order: float(np.cosh(np.arccosh(1 / _EPSILON) / order)) for order in _ORDERS}
# From the corner to where the edge is.
_TO_EDGE = {
    order: float(np.cosh(np.arccosh(np.sqrt(10 ** (_EDGE_DB / 10) - 1) / _EPSILON) / order)) / _WIDENED[order]
    for order in _ORDERS
}


class LowPass(NamedTuple):
    """A low-pass: the cell at which it is 3 dB down, its order, and the mean error of its fit."""

    cell: float
    order: int
    error: float

    @property
    def edge(self) -> float:
        """The cell at which it is 6 dB down."""
        return self.cell * _TO_EDGE[self.order]


def fit_low_pass(levels: Levels, guess: float) -> LowPass:
    """Fit a low-pass to levels in dB, one a cell, near a cell that is guessed."""
    cells = _slope(levels, guess)
    middles, heights = cells.astype(np.float64) + 1, levels[cells]
    best = min(_fits(middles, heights, np.arange(_LOWEST * guess, _HIGHEST * guess, _COARSE)), key=_error)
    near = np.arange(best.cell - _COARSE, best.cell + _COARSE + 1)
    return min(_fits(middles, heights, near, (best.order,)), key=_error)


def _error(fit: LowPass) -> float:
    return fit.error


def _slope(levels: Levels, guess: float) -> NDArray[np.int64]:
    """Return the cells from below a low-pass to where it has fallen so far that noise may be all there is."""
    first, last = int(_FROM * guess), min(len(levels), int(_TO * guess))
    top = float(np.median(levels[int(0.72 * guess) : int(0.95 * guess)]))
    end = min(int(1.6 * guess), len(levels) - _FLOOR_CELLS)
    floor = float(np.median(levels[end : end + _FLOOR_CELLS])) + _FLOOR_DB
    limit = max(top - _DEPTH_DB, floor if floor < top - _SHALLOW_DB else -np.inf)
    smooth = np.convolve(levels, np.full(_SMOOTHED, 1 / _SMOOTHED), "same")
    alive = np.flatnonzero(smooth[first:last] > limit)
    return np.arange(first, first + int(alive[-1]) + 1 if len(alive) else last, _STEP)


def _fits(middles: Levels, heights: Levels, corners: Levels, orders: tuple[int, ...] = _ORDERS) -> list[LowPass]:
    """Return the best fit of each order."""
    ratios = middles / corners[:, None]
    around = middles - middles.mean()
    fits = []
    for order in orders:
        angle = order * np.arccosh(np.maximum(1.0, ratios * _WIDENED[order]))
        lost = 10 * np.log10(1 + np.square(_EPSILON * np.cosh(np.minimum(angle, 40.0))))
        before = heights + lost
        slope = np.clip(before @ around / (around @ around), -_STEEPEST, _RISING)
        rest = before - slope[:, None] * around
        odd = np.abs(rest - np.median(rest, axis=1)[:, None])
        errors = np.where(odd < _ODD_DB, odd * odd, 2 * _ODD_DB * odd - _ODD_DB**2).mean(axis=1)
        best = int(errors.argmin())
        fits.append(LowPass(float(corners[best]), order, float(errors[best])))
    return fits
