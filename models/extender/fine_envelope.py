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

from dsp.compile import kernel
from dsp.fast_math import exp, log
from dsp.fft import Array
from models.predictor.layers import product, tanh

# The input is split at these shares of the crossover, after its octaves were lifted.
_SPLITS = (0.08, 0.16, 0.32, 0.55, 0.8)
INPUT_BANDS = len(_SPLITS) + 1
_FRAME_SECONDS = 1 / 1500
# Frames over which the levels are averaged that others stand against.
REFERENCE = 96
# What is kept from frame to frame of the powers in the long run, which is some 0.4 s, and how far they may be changed.
_KEPT = 1 - 1 / 600
_FREE_DB = 6.0
# Frames back, or ahead where that is negative, at which the network sees the levels of the input, and of the band.
_LAGS_NOW: tuple[int, ...] = (0, 1, 2, 8, 16, 32, 56)
_LAGS_AHEAD: tuple[int, ...] = (-36, -16, -6, -1, 0, 1, 6, 16, 36)
_BAND_LAGS: tuple[int, ...] = (0, 1, 2, 6, 10, 16, 24, 36, 56)
MOST_DB = 20.0
# Of a level, in bels as all levels here, and of how far it may stand from its reference.
FLOOR = -11.0
# A generated band below this is silence, which counts for no mean: a level that is turned down is the same beside it.
SILENT = -10.5
MOST_BELS = 4.0
_NEPERS_A_DB = math.log(10.0) / 20.0
_LN_10 = math.log(10.0)


class FineNetwork(NamedTuple):
    """Weights of the network, matrices of shape (inputs, outputs)."""

    enter: Array
    enter_bias: Array
    mix: Array
    mix_bias: Array
    leave: Array
    leave_bias: Array


class FrameGrid(NamedTuple):
    """Samples of a frame, samples by which the input is seen ahead, and the frames back that the network sees."""

    samples: int
    ahead: int
    lags: NDArray[np.int64]
    band_lags: NDArray[np.int64]


class Memory(NamedTuple):
    """What following remembers; each call of `follow` moves it on.

    Attributes:
        filters: Of each channel, shape (channels, filters).
        squares: Of the samples of the frame that is under way, of the input's bands and of the generated one, shape
            (channels, INPUT_BANDS + 1, samples).
        levels: Of the last frames, in bels, in turn, shape (channels, INPUT_BANDS + 1, frames).
        powers: Of the generated band in the long run, before and after what the network wanted, and the share of the
            time that was not silent, shape (channels, 3).
        wanted: What the network said at the ends of the last two frames, in nepers, shape (channels, 2).
        nepers: The gain at the end of the frame under way, shape (channels,).
        gains: Of each of its samples, shape (channels, samples).
    """

    filters: Array
    squares: Array
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
    return FineNetwork(*(np.ascontiguousarray(weights[name].T, np.float32) for name in shapes))


def without_gain(sees_ahead: bool) -> FineNetwork:
    """Return a network that leaves every band as it is."""
    count = feature_count(sees_ahead)
    return FineNetwork(*(np.zeros(shape, np.float32) for shape in ((count, 1), 1, (1, 1), 1, (1, 1), 1)))


def start(channels: int, grid: FrameGrid, frames: int = REFERENCE) -> Memory:
    """Return the memory of a signal that has not begun, with room for the levels of so many frames."""
    return Memory(
        np.zeros((channels, 2 * len(_SPLITS) + 5), np.float32),
        np.zeros((channels, INPUT_BANDS + 1, grid.samples), np.float32),
        np.full((channels, INPUT_BANDS + 1, frames), FLOOR, np.float32),
        np.zeros((channels, 3), np.float32),
        np.zeros((channels, 2), np.float32),
        np.zeros(channels, np.float32),
        np.ones((channels, grid.samples), np.float32),
    )


@lru_cache(maxsize=512)
def poles(crossover_hz: float, sample_rate: float) -> Array:
    """Return the poles of the low-passes that split the input, and of the high-pass of the generated band."""
    shares = np.array((*_SPLITS, 1.0))
    return np.exp(-2.0 * math.pi * shares * crossover_hz / sample_rate).astype(np.float32)


@kernel
def follow(
    signal: Array, at: int, position: int, grid: FrameGrid, poles: Array, network: FineNetwork, memory: Memory,
    band: Array,
) -> None:  # fmt: skip
    """Multiply a generated band by the fine envelope.

    Args:
        signal: The input, shape (channels, time).
        at: Where in it the samples lie that belong to the band's.
        position: Of the band's first sample in the timeline, on which the frames lie.
        grid: From `frame_grid`.
        poles: From `poles`.
        network: Decides the gain.
        memory: From `start`, then as the block before left it; overwritten.
        band: Above the crossover, shape (channels, count); overwritten.
    """
    count, done = band.shape[1], 0
    while done < count:
        phase = (position + done) % grid.samples
        stretch = min(grid.samples - phase, count - done)
        for channel in range(band.shape[0]):
            filters, squares = memory.filters[channel], memory.squares[channel]
            _split(signal[channel], at + done + grid.ahead, stretch, poles, filters, squares, phase)
            _pass_high(band[channel], done, stretch, poles[-1], filters, squares[-1], phase)
            band[channel, done : done + stretch] *= memory.gains[channel, phase : phase + stretch]
        done += stretch
        if phase + stretch == grid.samples:
            _end_frame((position + done) // grid.samples - 1, grid, network, memory)


@kernel
def _split(signal: Array, at: int, count: int, poles: Array, filters: Array, squares: Array, phase: int) -> None:
    """Write the squares of the input's bands: differences of two-pole low-passes of its first difference."""
    splits = len(poles) - 1
    before = filters[-1]
    for i in range(count):
        sample = signal[at + i]
        lifted, lower = sample - before, np.float32(0.0)
        before = sample
        for k in range(splits):
            once = lifted + poles[k] * (filters[k] - lifted)
            twice = once + poles[k] * (filters[splits + k] - once)
            filters[k], filters[splits + k] = once, twice
            squares[k, phase + i] = (twice - lower) ** 2
            lower = twice
        squares[splits, phase + i] = (lifted - lower) ** 2
    filters[-1] = before


@kernel
def _pass_high(band: Array, at: int, count: int, pole: float, filters: Array, squares: Array, phase: int) -> None:
    """Write the squares of the generated band without what may have come through below the crossover."""
    before, once, twice = filters[-5], filters[-4], filters[-3]
    for i in range(count):
        sample = band[at + i]
        passed = pole * (once + sample - before)
        twice = pole * (twice + passed - once)
        before, once = sample, passed
        squares[phase + i] = twice * twice
    filters[-5], filters[-4], filters[-3] = before, once, twice


@kernel
def _end_frame(frame: int, grid: FrameGrid, network: FineNetwork, memory: Memory) -> None:
    """Put a frame's levels into the past, and compute the gain at the end of the next frame."""
    filters, squares, levels, powers, wanted, nepers, gains = memory
    channels, kinds, kept = levels.shape
    slot = frame % kept
    for channel in range(channels):
        for k in range(kinds):
            power = np.float32(0.0)
            for i in range(grid.samples):
                power += squares[channel, k, i]
            # What is beyond full scale must not be remembered for longer than a sound.
            power = min(power / np.float32(grid.samples), np.float32(1.0)) + np.float32(10.0**FLOOR)
            levels[channel, k, slot] = log(power) / np.float32(_LN_10)
        for k in range(filters.shape[1]):
            # What dies away is not followed into denormals.
            if abs(filters[channel, k]) < np.float32(1e-20):
                filters[channel, k] = np.float32(0.0)
    features = np.empty((channels, network.enter.shape[0]), np.float32)
    _write_features(levels, frame, grid, features)
    hidden = np.empty((channels, len(network.mix)), np.float32)
    mixed = np.empty_like(hidden)
    gain = np.empty((channels, 1), np.float32)
    product(network.enter, network.enter_bias, features, hidden)
    hidden *= hidden > 0
    product(network.mix, network.mix_bias, hidden, mixed)
    mixed *= mixed > 0
    product(network.leave, network.leave_bias, mixed, gain)
    for channel in range(channels):
        power = exp(levels[channel, kinds - 1, slot] * np.float32(_LN_10))
        beyond = _beyond(power, power * exp(wanted[channel, 0] + wanted[channel, 1]), powers[channel])
        wanted[channel, 0] = wanted[channel, 1]
        wanted[channel, 1] = np.float32(MOST_DB * _NEPERS_A_DB) * tanh(gain[channel, 0])
        first, last = nepers[channel], wanted[channel, 1] - beyond
        rise = (last - first) / np.float32(grid.samples)
        for i in range(grid.samples):
            gains[channel, i] = exp(first + rise * np.float32(i))
        nepers[channel] = last


@kernel
def _beyond(before: np.float32, after: np.float32, powers: Array) -> np.float32:
    """Add the powers of a frame, and return the nepers by which the long run is changed too far; less after silence."""
    kept, one = np.float32(_KEPT), np.float32(1.0)
    powers[0] = kept * powers[0] + before
    powers[1] = kept * powers[1] + after
    powers[2] = kept * powers[2] + (one - kept) * np.float32(before > np.float32(10.0**SILENT))
    free = np.float32(_NEPERS_A_DB) * (np.float32(_FREE_DB) + np.float32(MOST_DB) * (one - powers[2]))
    added = np.float32(0.5) * log(powers[1] / powers[0])
    beyond: np.float32 = added - min(max(added, -free), free)
    return beyond


@kernel
def _write_features(levels: Array, frame: int, grid: FrameGrid, features: Array) -> None:
    """Write levels at their lags, those of the input against its highest band's mean and the band's against its own."""
    channels, kinds, kept = levels.shape
    bands, most = kinds - 1, np.float32(MOST_BELS)
    for channel in range(channels):
        reference, of_band, sounding = np.float32(0.0), np.float32(0.0), np.float32(0.0)
        # The last frames lie side by side but for the place where the newest is written over the oldest.
        first = (frame + 1 - REFERENCE) % kept
        for begin, end in ((first, min(first + REFERENCE, kept)), (0, first + REFERENCE - kept)):
            for slot in range(begin, end):
                level = levels[channel, bands, slot]
                is_sounding = np.float32(level > np.float32(SILENT))
                reference += levels[channel, bands - 1, slot]
                of_band += is_sounding * level
                sounding += is_sounding
        reference, of_band = reference / np.float32(REFERENCE), of_band / max(sounding, np.float32(1.0))
        at = 0
        for lag in grid.lags:
            for band in range(bands):
                level = levels[channel, band, (frame - lag) % kept] - reference
                features[channel, at] = min(max(level, -most), most)
                at += 1
        for lag in grid.band_lags:
            level = levels[channel, bands, (frame - lag) % kept]
            features[channel, at] = min(max(level - of_band, -most), most) if level > np.float32(SILENT) else -most
            at += 1
