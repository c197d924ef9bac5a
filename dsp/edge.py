"""The edge of a spectrum: where a curve of levels drops in a way that nature does not.

A curve holds levels in dB per Hz in bands of 1/40 octave from 700 Hz up. Three questions are asked of it in turn.
Is there a drop for good, deep below the trend? Is there a steep wall (resampling, codecs, elliptic filters), and
where does the curve leave the trend that leads up to it? Else (Butterworth and other gradual filters), where is the
knee of the broken line that fits best: its asymptotes meet where the response is 3 dB down.
"""

from __future__ import annotations

import math
from functools import lru_cache

import torch
from torch import Tensor

LOWEST_HZ = 700.0
BANDS_PER_OCTAVE = 40

# A drop is believed by its depth below the trend, over 1/10, 1/4 and 1/2 octave: the wider, the deeper.
_WIDTHS = ((20, 32.0), (10, 20.0), (4, 15.0))
_TREND_BANDS = 41
_FIRST_BAND = 56  # 1.85 kHz: leaves room for the trend below
_WALL_BANDS, _WALL_DB = 4, 18.0  # 180 dB/octave, which no gradual filter reaches before it is deep down
_WALL_TREND_BANDS = 12
_WALL_REACH_DB = 45.0  # a wall further below the loud part bounds nothing that is heard
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


def frequency_hz(position: float) -> float:
    """Return the frequency at a position on the band axis; band i lies between i and i + 1."""
    return float(LOWEST_HZ * 2.0 ** (position / BANDS_PER_OCTAVE))


def band_position(frequency_hz: float) -> float:
    """Return where a frequency lies on the band axis."""
    return BANDS_PER_OCTAVE * math.log2(frequency_hz / LOWEST_HZ)


def find_edge(curve: Tensor, only_walls: bool = False) -> float | None:
    """Return the edge of a curve of levels in Hz, or None where nothing says that the content was cut.

    Args:
        curve: dB per Hz in bands of 1/40 octave from 700 Hz, shape (bands,).
        only_walls: Whether to leave out gradual drops, which need more evidence than a moment of sound.
    """
    smooth = _median_of_five(curve)
    start = _first_drop(curve, smooth)
    if start is None:
        return None
    band, width = start
    loud_db = float(curve[band - 14 : band].median())
    wall = _highest_wall(curve.tolist(), smooth.tolist(), band, loud_db)
    if wall is not None:
        return frequency_hz(wall)
    if only_walls or _comes_to_the_top(smooth, loud_db):
        return None
    return frequency_hz(_knee(curve, smooth, band, width, loud_db))


def _comes_to_the_top(smooth: Tensor, loud_db: float) -> bool:
    """Return whether content is left at the top, as below a voice's steep but natural fall to a codec's edge."""
    top = min(int(band_position(_TOP_HZ)), len(smooth) - 8)
    level_db = float(smooth[top])
    return level_db > float(smooth[top:].min()) + _TOP_RISE_DB and level_db > loud_db - _TOP_DEPTH_DB


def _median_of_five(curve: Tensor) -> Tensor:
    padded = torch.cat([curve[:1].expand(2), curve, curve[-1:].expand(2)])
    return padded.unfold(0, 5, 1).median(-1).values


def _first_drop(curve: Tensor, smooth: Tensor) -> tuple[int, int] | None:
    """Return the lowest band at which the curve drops off for good, and the width over which it is seen to.

    What comes after is judged by its highest point, so a spectrum that comes back is not cut; what comes before by
    the valleys between its harmonics, so a lone line is no content.
    """
    drops = []
    bands = torch.arange(_FIRST_BAND, max(_FIRST_BAND, len(curve) - _WIDTHS[-1][0] - 2))
    if not len(bands):
        return None
    content = curve.unfold(0, 13, 1)[bands - 14].sort(-1).values[:, 3]
    line = torch.arange(_TREND_BANDS) - (_TREND_BANDS - 1) / 2
    slope = (curve.unfold(0, _TREND_BANDS, 1)[bands - _TREND_BANDS - 1] @ (line / line.square().sum())).clamp(max=0.0)
    rest = smooth.flip(0).cummax(0).values.flip(0)
    for width, depth_db in _WIDTHS:
        here = bands[: max(0, len(curve) - 1 - width - _FIRST_BAND)]
        drop = content[: len(here)] + slope[: len(here)] * (width + 8) - rest[here + width]
        band = _peak_of_first_run((drop - depth_db).tolist())
        if band is not None:
            drops.append((_FIRST_BAND + band, width))
    return min(drops) if drops else None


def _peak_of_first_run(excess: list[float]) -> int | None:
    start = next((i for i, value in enumerate(excess) if value > 0), None)
    if start is None:
        return None
    end = next((i for i in range(start, len(excess)) if excess[i] <= 0), len(excess))
    return max(range(start, end), key=excess.__getitem__)


def _highest_wall(curve: list[float], smooth: list[float], band: int, loud_db: float) -> float | None:
    """Return the position of the highest steep wall that natural-looking content runs up to, or None.

    Content may fall a long way by itself before the wall: that there is a wall proves that it was alive up to it.
    """
    found = None
    i = max(band - 3, _WALL_TREND_BANDS)
    while i < len(curve) - _WALL_BANDS:
        steep = smooth[i] - smooth[i + _WALL_BANDS] >= _WALL_DB
        if steep and curve[i] - curve[i + _WALL_BANDS] >= _WALL_DB - 4.0 and smooth[i] > loud_db - _WALL_REACH_DB:
            wall = _crossing(curve, i)
            if wall is not None:
                found = wall
                i += 8
        i += 1
    return found


def _crossing(curve: list[float], band: int) -> float | None:
    """Return where the curve leaves the trend that leads up to a wall, or None where that trend is no nature's."""
    line = [i - (_WALL_TREND_BANDS - 1) / 2 for i in range(_WALL_TREND_BANDS)]
    before = curve[band - _WALL_TREND_BANDS : band]
    slope = sum(a * b for a, b in zip(line, before, strict=True)) / sum(a * a for a in line)
    if slope <= -_STEEPEST_NATURE:
        return None
    slope = min(0.0, max(slope, -1.0))
    middle = band - (_WALL_TREND_BANDS + 1) / 2
    start = sorted(level - slope * offset for level, offset in zip(before, line, strict=True))
    height = (start[_WALL_TREND_BANDS // 2 - 1] + start[_WALL_TREND_BANDS // 2]) / 2

    def depth(i: int) -> float:
        return height + slope * (i - middle) - curve[i]

    i = min(band + _WALL_BANDS, len(curve) - 2)
    while i > band - 6 and depth(i) > _EDGE_DEPTH_DB:
        i -= 1
    rise = depth(i + 1) - depth(i)
    share = (_EDGE_DEPTH_DB - depth(i)) / rise if rise > 0 else 0.0
    return _mean_with_brick(curve, i, i + 0.5 + min(1.0, max(0.0, share)))


@lru_cache(maxsize=1)
def _broken_lines() -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Return the least-squares fits of a line with a knee, for each knee within the bands before the foot.

    Returns:
        Knees in bands from the first, shape (knees,); their part before the knee, shape (knees, bands); the weights
        that read the slope before it, shape (knees, bands); the weights that read height and slope after it once
        the slope before it is taken away, shape (knees, 2, bands).
    """
    band = torch.arange(_KNEE_BANDS, dtype=torch.float64) + 0.5
    knees = torch.arange(12.0, _KNEE_BANDS - 1.0, 0.5, dtype=torch.float64)
    before = (band - knees[:, None]).clamp(max=0.0)
    after = (band - knees[:, None]).clamp(min=0.0)
    slope = torch.linalg.pinv(torch.stack([torch.ones_like(before), before, after], -1))[:, 1]
    rest = torch.linalg.pinv(torch.stack([torch.ones_like(before), after], -1))
    return knees, before, slope, rest


def _knee(curve: Tensor, smooth: Tensor, band: int, width: int, loud_db: float) -> float:
    """Return the position of the knee of a gradual drop that starts near a band."""
    foot_db = max(float(smooth[band + width :].max()) + 5.0, loud_db - _KNEE_DEPTH_DB)
    low = (smooth[band:] <= foot_db).nonzero()
    foot = band + int(low[0]) if len(low) else len(curve) - 1
    first = max(0, foot - _KNEE_BANDS + 1)
    levels = curve[first : first + _KNEE_BANDS].double()
    knees, before, slope, rest = _broken_lines()
    fall = (slope @ levels).clamp(-_KNEE_TREND, _KNEE_TREND)
    flat = levels - fall[:, None] * before
    fit = torch.einsum("kcb,kb->kc", rest, flat)
    after = (torch.arange(_KNEE_BANDS) + 0.5 - knees[:, None]).clamp(min=0.0)
    error = (flat - fit[:, :1] - fit[:, 1:] * after).square().sum(-1)
    best = int(error.argmin())
    knee = max(first + float(knees[best]), band - _KNEE_BACK)
    if float(fit[best, 1]) > -_KNEE_STEEP:
        return knee
    return _steep_crossing(curve.tolist(), int(knee), foot)


def _steep_crossing(curve: list[float], band: int, foot: int) -> float:
    """Return where the curve leaves the level just below a steep knee."""
    before = sorted(curve[max(0, band - 9) : band - 1])
    height = before[len(before) // 2]
    i = min(foot + 1, len(curve) - 2)
    while i > band - 10 and curve[i] < height - _EDGE_DEPTH_DB:
        i -= 1
    fall = curve[i] - curve[i + 1]
    share = (curve[i] - height + _EDGE_DEPTH_DB) / fall if fall > 0 else 0.0
    return _mean_with_brick(curve, i, i + 0.5 + min(1.0, max(0.0, share)))


def _mean_with_brick(curve: list[float], band: int, crossing: float) -> float:
    """Return the mean of a crossing and of where in the band after it a brick wall would stand, if the fall is one.

    A level is the mean of the bins' decibels, so the level of the band with the wall in it tells its place. This is
    a little above the crossing of a resampler's slope and exact for a brick; the crossing lies below a brick.
    """
    if band + 4 >= len(curve):
        return crossing
    fall = curve[band] - curve[band + 2]
    if fall < _BRICK_DB or fall < _BRICK_SHARE * (curve[band] - curve[band + 4]):
        return crossing
    brick = band + 1 + min(1.0, max(0.0, (curve[band + 1] - curve[band + 2]) / fall))
    return (crossing + brick) / 2
