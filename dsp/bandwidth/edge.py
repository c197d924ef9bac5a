"""The edge of a spectrum: where a curve of levels drops in a way that nature does not.

A curve holds levels in dB per Hz in bands of 1/40 octave from 700 Hz up. Three questions are asked of it in turn.
Is there a drop for good, deep below the trend? Is there a steep wall (resampling, codecs, elliptic filters), and
where does the curve leave the trend that leads up to it? Else (Butterworth and other gradual filters), where is the
knee of the broken line that fits best: its asymptotes meet where the response is 3 dB down.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from dsp.compile import kernel

Curve = NDArray[np.float64]

LOWEST_HZ = 700.0
BANDS_PER_OCTAVE = 40

# A drop is believed by its depth below the trend, over 1/10, 1/4 and 1/2 octave: the wider, the deeper.
_WIDTHS = ((20, 32.0), (10, 20.0), (4, 15.0))
_TREND_BANDS = 41
_FIRST_BAND = 56  # 1.85 kHz: leaves room for the trend below
_WALL_BANDS, _WALL_DB = 4, 18.0  # 180 dB/octave, which no gradual filter reaches before it is deep down
_WALL_TREND_BANDS = 12
_WALL_REACH_DB = 45.0  # a wall further below the loud part bounds nothing audible
_STEEPEST_NATURE = 1.3  # dB a band
_EDGE_DEPTH_DB = 3.5
_TOP_HZ = 17500.0
_TOP_RISE_DB = 8.0
_TOP_DEPTH_DB = 50.0
_BRICK_DB, _BRICK_SHARE = 20.0, 0.8
_KNEE_BACK = 6.0
_KNEE_BANDS = 31
_KNEE_DEPTH_DB = 30.0
_KNEE_TREND = 0.6  # dB a band, either way
_KNEE_STEEP = 2.5  # dB a band
_NOWHERE = -1.0


def frequency_hz(position: float) -> float:
    """Return the frequency at a position on the band axis; band i lies between i and i + 1."""
    return float(LOWEST_HZ * 2.0 ** (position / BANDS_PER_OCTAVE))


def band_position(frequency_hz: float) -> float:
    """Return where a frequency lies on the band axis."""
    return BANDS_PER_OCTAVE * math.log2(frequency_hz / LOWEST_HZ)


def find_edge(curve: Curve, only_walls: bool = False) -> float | None:
    """Return the edge of a curve of levels in Hz, or None where nothing says that the content was cut.

    Args:
        curve: dB per Hz in bands of 1/40 octave from 700 Hz, shape (bands,).
        only_walls: Whether to leave out gradual drops, which need more evidence than a moment of sound.
    """
    position = _edge_position(curve, only_walls, _KNEES, _SLOPE_WEIGHTS, _REST_WEIGHTS)
    return None if position == _NOWHERE else frequency_hz(position)


def _broken_lines() -> tuple[Curve, Curve, Curve]:
    """Return the least-squares fits of a line with a knee, for each knee within the bands before the foot.

    Returns:
        Knees in bands from the first, shape (knees,); the weights that read the slope before it, shape (knees,
        bands); the weights that read height and slope after it once the slope before it is taken away, shape
        (knees, 2, bands).
    """
    band = np.arange(_KNEE_BANDS) + 0.5
    knees = np.arange(12.0, _KNEE_BANDS - 1.0, 0.5)
    before = np.minimum(band - knees[:, None], 0.0)
    after = np.maximum(band - knees[:, None], 0.0)
    slope = np.linalg.pinv(np.stack([np.ones_like(before), before, after], -1))[:, 1]
    rest = np.linalg.pinv(np.stack([np.ones_like(before), after], -1))
    return knees, np.ascontiguousarray(slope), np.ascontiguousarray(rest)


_KNEES, _SLOPE_WEIGHTS, _REST_WEIGHTS = _broken_lines()
_TOP_BAND = int(band_position(_TOP_HZ))


@kernel
def _edge_position(curve: Curve, only_walls: bool, knees: Curve, slope_weights: Curve, rest_weights: Curve) -> float:
    smooth = _median_of_five(curve)
    band, width = _first_drop(curve, smooth)
    if width == 0:
        return _NOWHERE
    loud_db = _ranked(curve, band - 14, 14, 1, 6)[0]
    wall = _highest_wall(curve, smooth, band, loud_db)
    if wall != _NOWHERE:
        return wall
    if only_walls or _comes_to_the_top(smooth, loud_db):
        return _NOWHERE
    return _knee(curve, smooth, band, width, loud_db, knees, slope_weights, rest_weights)


@kernel
def _comes_to_the_top(smooth: Curve, loud_db: float) -> bool:
    """Return whether content is left at the top, as below a voice's steep but natural fall to a codec's edge."""
    top = min(_TOP_BAND, len(smooth) - 8)
    lowest = smooth[top]
    for band in range(top, len(smooth)):
        lowest = min(lowest, smooth[band])
    return bool(smooth[top] > lowest + _TOP_RISE_DB and smooth[top] > loud_db - _TOP_DEPTH_DB)


@kernel
def _median_of_five(curve: Curve) -> Curve:
    padded = np.empty(len(curve) + 4)
    for i in range(len(padded)):
        padded[i] = curve[max(0, min(i - 2, len(curve) - 1))]
    return _ranked(padded, 0, 5, len(curve), 2)


@kernel
def _ranked(curve: Curve, first: int, width: int, windows: int, rank: int) -> Curve:
    """Return of each window, one a band from the first on, the value that so many others lie below."""
    values, lowest = np.empty(windows), np.empty(rank + 1)
    for window in range(windows):
        lowest[:] = np.inf
        for i in range(first + window, first + window + width):
            value = curve[i]
            for place in range(rank + 1):
                if value < lowest[place]:
                    value, lowest[place] = lowest[place], value
        values[window] = lowest[rank]
    return values


@kernel
def _first_drop(curve: Curve, smooth: Curve) -> tuple[int, int]:
    """Return the lowest band at which the curve drops off for good, and the width over which it is seen to, or 0.

    What comes after is judged by its highest point, so a spectrum that comes back is not cut; what comes before by
    the valleys between its harmonics, so a lone line is no content.
    """
    edge, edge_width = len(curve), 0
    bands = len(curve) - 2 - _WIDTHS[-1][0] - _FIRST_BAND
    if bands <= 0:
        return edge, edge_width
    content = _ranked(curve, _FIRST_BAND - 14, 13, bands, 3)
    slope = _falls_before(curve, bands)
    rest = smooth.copy()
    for i in range(len(rest) - 2, -1, -1):
        rest[i] = max(rest[i], rest[i + 1])
    for width, depth_db in _WIDTHS:
        excess = np.empty(max(0, min(bands, len(curve) - 1 - width - _FIRST_BAND)))
        for i in range(len(excess)):
            excess[i] = content[i] + slope[i] * (width + 8) - rest[_FIRST_BAND + i + width] - depth_db
        peak = _peak_of_first_run(excess)
        if peak != -1 and _FIRST_BAND + peak <= edge:
            edge, edge_width = _FIRST_BAND + peak, width
    return edge, edge_width


@kernel
def _falls_before(curve: Curve, bands: int) -> Curve:
    """Return how the trend below each band falls, in dB a band, 0 where it rises."""
    middle = (_TREND_BANDS - 1) / 2
    weight = 12.0 / (_TREND_BANDS * (_TREND_BANDS**2 - 1.0))
    falls = np.empty(bands)
    for band in range(bands):
        first = _FIRST_BAND + band - _TREND_BANDS - 1
        slope = 0.0
        for i in range(_TREND_BANDS):
            slope += curve[first + i] * (i - middle)
        falls[band] = min(0.0, slope * weight)
    return falls


@kernel
def _peak_of_first_run(excess: Curve) -> int:
    """Return where the first stretch above 0 is highest, or -1 where there is none."""
    peak = -1
    for i in range(len(excess)):
        if excess[i] > 0 and (peak == -1 or excess[i] > excess[peak]):
            peak = i
        elif excess[i] <= 0 and peak != -1:
            break
    return peak


@kernel
def _highest_wall(curve: Curve, smooth: Curve, band: int, loud_db: float) -> float:
    """Return the position of the highest steep wall that natural-looking content runs up to, or _NOWHERE.

    Content may fall a long way by itself before the wall: that there is a wall proves that it was alive up to it.
    """
    edge = _NOWHERE
    i = max(band - 3, _WALL_TREND_BANDS)
    while i < len(curve) - _WALL_BANDS:
        steep = smooth[i] - smooth[i + _WALL_BANDS] >= _WALL_DB
        if steep and curve[i] - curve[i + _WALL_BANDS] >= _WALL_DB - 4.0 and smooth[i] > loud_db - _WALL_REACH_DB:
            wall = _crossing(curve, i)
            if wall != _NOWHERE:
                edge = wall
                i += 8
        i += 1
    return edge


@kernel
def _crossing(curve: Curve, band: int) -> float:
    """Return where the curve leaves the trend that leads up to a wall, or _NOWHERE where that trend is no nature's."""
    first, half = band - _WALL_TREND_BANDS, (_WALL_TREND_BANDS - 1) / 2
    slope = 0.0
    for i in range(_WALL_TREND_BANDS):
        slope += curve[first + i] * (i - half)
    slope *= 12.0 / (_WALL_TREND_BANDS * (_WALL_TREND_BANDS**2 - 1.0))
    if slope <= -_STEEPEST_NATURE:
        return _NOWHERE
    slope = min(0.0, max(slope, -1.0))
    middle = first + half
    start = np.empty(_WALL_TREND_BANDS)
    for i in range(_WALL_TREND_BANDS):
        start[i] = curve[first + i] - slope * (i - half)
    start = np.sort(start)
    height = (start[_WALL_TREND_BANDS // 2 - 1] + start[_WALL_TREND_BANDS // 2]) / 2
    depth = height + slope * (np.arange(len(curve)) - middle) - curve
    i = min(band + _WALL_BANDS, len(curve) - 2)
    while i > band - 6 and depth[i] > _EDGE_DEPTH_DB:
        i -= 1
    rise = depth[i + 1] - depth[i]
    share = (_EDGE_DEPTH_DB - depth[i]) / rise if rise > 0 else 0.0
    return _mean_with_brick(curve, i, i + 0.5 + min(1.0, max(0.0, share)))


@kernel
def _knee(
    curve: Curve, smooth: Curve, band: int, width: int, loud_db: float, knees: Curve, slope_weights: Curve,
    rest_weights: Curve,
) -> float:  # fmt: skip
    """Return the position of the knee of a gradual drop that starts near a band."""
    foot_db = max(smooth[band + width :].max() + 5.0, loud_db - _KNEE_DEPTH_DB)
    foot = band
    while foot < len(curve) - 1 and smooth[foot] > foot_db:
        foot += 1
    first = max(0, foot - _KNEE_BANDS + 1)
    best, least, best_slope = 0, np.inf, 0.0
    for knee in range(len(knees)):
        error, slope = _misfit(curve, first, knees[knee], slope_weights[knee], rest_weights[knee])
        if error < least:
            best, least, best_slope = knee, error, slope
    position = max(first + knees[best], band - _KNEE_BACK)
    if best_slope > -_KNEE_STEEP:
        return float(position)
    return _steep_crossing(curve, int(position), foot)


@kernel
def _misfit(curve: Curve, first: int, knee: float, slope_weights: Curve, rest_weights: Curve) -> tuple[float, float]:
    """Return the squared error of the best line with this knee, and its slope after it."""
    fall = 0.0
    for i in range(_KNEE_BANDS):
        fall += slope_weights[i] * curve[first + i]
    fall = max(-_KNEE_TREND, min(fall, _KNEE_TREND))
    flat = np.empty(_KNEE_BANDS)
    height = slope = error = 0.0
    for i in range(_KNEE_BANDS):
        flat[i] = curve[first + i] - fall * min(i + 0.5 - knee, 0.0)
        height += rest_weights[0, i] * flat[i]
        slope += rest_weights[1, i] * flat[i]
    for i in range(_KNEE_BANDS):
        error += (flat[i] - height - slope * max(i + 0.5 - knee, 0.0)) ** 2
    return error, slope


@kernel
def _steep_crossing(curve: Curve, band: int, foot: int) -> float:
    """Return where the curve leaves the level just below a steep knee."""
    first = max(0, band - 9)
    count = band - 1 - first
    height = _ranked(curve, first, count, 1, count // 2)[0]
    i = min(foot + 1, len(curve) - 2)
    while i > band - 10 and curve[i] < height - _EDGE_DEPTH_DB:
        i -= 1
    fall = curve[i] - curve[i + 1]
    share = (curve[i] - height + _EDGE_DEPTH_DB) / fall if fall > 0 else 0.0
    return _mean_with_brick(curve, i, i + 0.5 + min(1.0, max(0.0, share)))


@kernel
def _mean_with_brick(curve: Curve, band: int, crossing: float) -> float:
    """Return the mean of a crossing and of where in the band after it a brick wall would stand, if the fall is one.

    A level is the mean of the bins' decibels, so the level of the band with the wall in it gives its place. This is
    a little above the crossing of a resampler's slope and exact for a brick; the crossing lies below a brick.
    """
    if band + 4 >= len(curve):
        return crossing
    fall = curve[band] - curve[band + 2]
    if fall < _BRICK_DB or fall < _BRICK_SHARE * (curve[band] - curve[band + 4]):
        return crossing
    brick = band + 1 + min(1.0, max(0.0, (curve[band + 1] - curve[band + 2]) / fall))
    return float(crossing + brick) / 2
