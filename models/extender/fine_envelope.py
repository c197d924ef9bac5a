"""The fine envelope: a generated band rises and falls with what the input does within milliseconds, without latency.

A filter that is turned from hop to hop by frames of 21 ms blunts every attack. How far the band should stand above or
below what the filter made of it follows from the input's own levels in frames of less than a millisecond. A small
network has learnt that: it sees the levels of the input in six bands below the crossover, relative to the last 64 ms,
and of the generated band, and its gain goes on straight lines from frame to frame. As the band's own level counts by
its changes only, a knob that turns the band up or down is not undone. In the long run the band's power is changed by
6 dB at most, whatever the network takes for attacks.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from dsp.fft import Array
from dsp.lanes import LANES
from models.predictor.layers import Layer, layer

# The input is split at these shares of the crossover, after its octaves were lifted.
_SPLITS = (0.08, 0.16, 0.32, 0.55, 0.8)
INPUT_BANDS = len(_SPLITS) + 1
_FRAME_SECONDS = 1 / 1500
# Frames over which the levels are averaged that others stand against.
REFERENCE = 96
# Frames back, or ahead where that is negative, at which the network sees the levels of the input, and of the band.
_LAGS_NOW: tuple[int, ...] = (0, 1, 2, 8, 16, 32, 56)
_LAGS_AHEAD: tuple[int, ...] = (-36, -16, -6, -1, 0, 1, 6, 16, 36)
_BAND_LAGS: tuple[int, ...] = (0, 1, 2, 6, 10, 16, 24, 36, 56)
MOST_DB = 40.0
# Of a level, in bels as all levels here, and of how far it may stand from its reference.
FLOOR = -11.0
# A generated band below this is silence, which counts for no mean: a level that is turned down is the same beside it.
SILENT = -10.5
MOST_BELS = 4.0
NEPERS_A_DB = math.log(10.0) / 20.0


class FineNetwork(NamedTuple):
    """The layers of the network, one after the other."""

    enter: Layer
    mix: Layer
    leave: Layer


class FrameGrid(NamedTuple):
    """Samples of a frame, samples by which the input is seen ahead, and the frames back that the network sees."""

    samples: int
    ahead: int
    lags: NDArray[np.int64]
    band_lags: NDArray[np.int64]


class Memory(NamedTuple):
    """What following remembers; each call of `follow` moves it on.

    Attributes:
        filters: Of each two channels: what went through them once and twice, and the powers of the frame that is under
            way so far, each in the lanes of `poles`, shape (pairs, 3, LANES).
        last: The last sample of the input, shape (channels,).
        levels: Of the last frames, in bels, in turn, shape (channels, INPUT_BANDS + 1, frames).
        powers: Of the generated band in the long run, before and after what the network wanted, and the share of the
            time that was not silent, shape (channels, 3).
        wanted: What the network said at the ends of the last two frames, in nepers, shape (channels, 2).
        nepers: The gain at the end of the frame under way, shape (channels,).
        gains: Of each of its samples, shape (channels, samples).
    """

    filters: Array
    last: Array
    levels: Array
    powers: Array
    wanted: Array
    nepers: Array
    gains: Array


def lags(sees_ahead: bool) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Return the frames back at which the network sees the input's levels and the generated band's."""
    return (_LAGS_AHEAD if sees_ahead else _LAGS_NOW), _BAND_LAGS


def feature_count(sees_ahead: bool) -> int:
    """Return how many numbers the network sees."""
    of_input, of_band = lags(sees_ahead)
    return len(of_input) * INPUT_BANDS + len(of_band)


def frame_grid(sample_rate: float, delay: int) -> FrameGrid:
    """Return the grid of frames for a signal that is delayed by so many samples."""
    samples = round(_FRAME_SECONDS * sample_rate)
    of_input, of_band = lags(delay > 0)
    ahead = max(0, -min(of_input))
    return FrameGrid(samples, ahead * samples, np.array(of_input, np.int64) + ahead, np.array(of_band, np.int64))


def network_of(weights: Mapping[str, Array], sees_ahead: bool) -> FineNetwork | None:
    """Return the network of an artifact's weights, by their own names; None where it has none.

    Raises:
        ValueError: They have other shapes.
    """
    if not weights:
        return None
    hidden = len(weights.get("enter.bias", ()))
    shapes = {
        "enter.weight": (hidden, feature_count(sees_ahead)), "enter.bias": (hidden,), "mix.weight": (hidden, hidden),
        "mix.bias": (hidden,), "leave.weight": (1, hidden), "leave.bias": (1,),
    }  # fmt: skip
    for name, shape in shapes.items():
        if name not in weights or weights[name].shape != shape:
            raise ValueError(f"the weights hold no fine.{name} of shape {shape}")
    return FineNetwork(*(layer(weights[f"{name}.weight"], weights[f"{name}.bias"]) for name in FineNetwork._fields))


def without_gain(sees_ahead: bool) -> FineNetwork:
    """Return a network that leaves every band as it is."""
    count = feature_count(sees_ahead)
    none = np.zeros(1, np.float32)
    return FineNetwork(*(layer(np.zeros((1, inputs), np.float32), none) for inputs in (count, 1, 1)))


def start(channels: int, grid: FrameGrid, frames: int = REFERENCE) -> Memory:
    """Return the memory of a signal that has not begun, with room for the levels of so many frames."""
    return Memory(
        np.zeros(((channels + 1) // 2, 3, LANES), np.float32),
        np.zeros(channels, np.float32),
        np.full((channels, INPUT_BANDS + 1, frames), FLOOR, np.float32),
        np.zeros((channels, 3), np.float32),
        np.zeros((channels, 2), np.float32),
        np.zeros(channels, np.float32),
        np.ones((channels, grid.samples), np.float32),
    )


@lru_cache(maxsize=512)
def poles(crossover_hz: float, sample_rate: float) -> Array:
    """Return the poles of the filters, in lanes, half of them for each of two channels.

    The input goes through low-passes that split it, then as it is (a pole of 0), the generated band through a
    high-pass.
    """
    shares = np.array((*_SPLITS, 1.0))
    *split, high = np.exp(-2.0 * math.pi * shares * crossover_hz / sample_rate)
    return np.tile([*split, 0.0, high, 0.0], 2).astype(np.float32)
