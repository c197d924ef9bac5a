"""Digital silence in an example: before it begins, or in gaps, as stems, gates and cut recordings have it.

The frames of such an example are those of the recording with the power of the silent part of their windows gone.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from dsp import bands

Array = NDArray[np.floating[Any]]
_POINTS = 1025
_FRAME_HOPS = bands.WINDOW_SECONDS / bands.HOP_SECONDS
# Hops that a silence before the sound and a gap in it last at most, and the shortest gap.
_LONGEST_BEFORE, _LONGEST_GAP, _SHORTEST_GAP = 80.0, 160.0, 6.0
_MOST_GAPS = 3


class Kept(NamedTuple):
    """The share of the power that silence leaves in frames of input, target and tonality, each of shape (frames,)."""

    input: Array
    target: Array
    tonality: Array


def draw(rng: np.random.Generator, frames: int, fall: float) -> Kept:
    """Return what silence leaves of the frames of an example: silent before a moment, or in up to three gaps.

    Args:
        rng: Decides where.
        frames: Of the example.
        fall: Share of a frame over which the input's window falls off; see `dsp.bands.late_hann`.
    """
    if rng.random() < 0.5:
        spans = [(-np.inf, float(rng.uniform(0.0, min(_LONGEST_BEFORE, frames / 2))))]
    else:
        starts = rng.uniform(0.0, frames, int(rng.integers(1, _MOST_GAPS + 1)))
        longest = min(_LONGEST_GAP, frames / 2)
        spans = [(s, s + _SHORTEST_GAP * (longest / _SHORTEST_GAP) ** rng.random()) for s in np.sort(starts)]
    return keep(spans, frames, fall)


def keep(spans: list[tuple[float, float]], frames: int, fall: float) -> Kept:
    """Return what silence in spans leaves of frames.

    Args:
        spans: Beginning and end in hops, counted like the frames, whose middles lie at whole numbers.
        frames: How many.
        fall: Share of a frame over which the input's window falls off; see `dsp.bands.late_hann`.
    """
    of_input, of_target = (_left(spans, frames, _energy(each), _FRAME_HOPS) for each in (fall, bands.HANN_FALL))
    return Kept(of_input, of_target, _left(spans, frames, _energy(bands.HANN_FALL), 2 * _FRAME_HOPS))


@lru_cache
def _energy(fall: float) -> Array:
    """Return the share of a window's energy that lies before each of `_POINTS` places in it."""
    energy: Array = np.concatenate([[0.0], np.cumsum(bands.late_hann(_POINTS - 1, fall) ** 2.0)])
    energy /= energy[-1]
    return energy


def _left(spans: list[tuple[float, float]], frames: int, energy: Array, length: float) -> Array:
    places, begins = np.linspace(0.0, 1.0, len(energy)), np.arange(frames) - length / 2
    left, done = np.ones(frames), -np.inf
    for start, end in spans:
        # Gaps may overlap.
        first, last = ((np.maximum(place, done) - begins) / length for place in (start, max(end, done)))
        left -= np.interp(last, places, energy) - np.interp(first, places, energy)
        done = max(end, done)
    # Rounding is no sound.
    silent: Array = np.where(left > 1e-6, left, 0.0)
    return silent
