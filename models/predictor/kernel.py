"""The predictor as a kernel: for live use, where one frame at a time is asked for.

A graph's runtime spends more on going from step to step than on the arithmetic of a small network's single frame,
most of all on a thread that has just slept. Here a frame is one call.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from dsp.bands import BAND_COUNT
from dsp.compile import kernel
from dsp.fast_math import exp
from dsp.fft import Array
from models.predictor.inference import Told
from models.predictor.network import (
    CENTRE_DB,
    MOST_DB,
    NEAR_BANDS,
    SPREAD_DB,
    TONE_BANDS,
    TONE_GROUPS,
    Predictor,
)

_NAMES = (
    "enter.weight", "enter.bias", "recur.weight_ih_l0", "recur.bias_ih_l0", "recur.weight_hh_l0", "recur.bias_hh_l0",
    "mix.weight", "mix.bias", "leave.weight", "leave.bias",
)  # fmt: skip
_HALF_ROOT = math.sqrt(0.5)


class _Weights(NamedTuple):
    """What `_NAMES` name, in that order."""

    enter: Array
    enter_bias: Array
    inward: Array
    inward_bias: Array
    onward: Array
    onward_bias: Array
    mix: Array
    mix_bias: Array
    leave: Array
    leave_bias: Array


class KernelTeller:
    """The same function as `models.predictor.inference.TorchTeller`, to 1e-5."""

    def __init__(self, predictor: Predictor) -> None:
        """Take over the weights; raises ValueError where the network has several recurrent layers."""
        if predictor.config.layers != 1:
            raise ValueError(
                f"a predictor of {predictor.config.layers} recurrent layers can't run as a kernel; choose onnx or torch"
            )
        self._predictor = predictor
        told = {name: value.detach().numpy() for name, value in predictor.state_dict().items()}
        # One row for each output over all that the convolution sees, oldest frame first.
        told["enter.weight"] = told["enter.weight"].transpose(0, 2, 1).reshape(predictor.config.width, -1)
        self._weights = _Weights(*(np.ascontiguousarray(told[name].T, np.float32) for name in _NAMES))

    def start(self, channels: int) -> None:
        """Forget everything, for so many channels."""
        frames, state, references = self._predictor.start(channels)
        self._past = frames.numpy().copy(), state[0].numpy().copy(), references[..., 0].numpy().copy()
        self._next = self._past[0].copy(), self._past[1].copy(), self._past[2].copy()
        shape = (channels, 1, BAND_COUNT)
        self._one = Told(np.empty(shape, np.float32), np.empty(shape, np.float32))

    def tell(self, levels_db: Array, tonality: Array, mask: Array) -> Told:
        """Predict; see `models.predictor.inference.Teller`."""
        is_one = levels_db.shape[1] == 1
        told = self._one if is_one else Told(np.empty_like(levels_db), np.empty_like(levels_db))
        _tell(levels_db, tonality, mask, *self._past, *self._weights, *told, *self._next)
        return told

    def keep(self) -> None:
        """Put the frames that were told last into the past."""
        self._past, self._next = self._next, self._past


@kernel
def _tell(
    levels_db: Array, tones: Array, mask: Array, past: Array, state: Array, references: Array, enter: Array,
    enter_bias: Array, inward: Array, inward_bias: Array, onward: Array, onward_bias: Array, mix: Array,
    mix_bias: Array, leave: Array, leave_bias: Array, told_db: Array, tonality: Array, next_past: Array,
    next_state: Array, next_references: Array,
) -> None:  # fmt: skip
    channels, kept, features = past.shape
    width, hidden = enter.shape[1], state.shape[1]
    # All channels go through a layer together, so that its weights come by once.
    window = np.empty((channels, (kept + 1) * features), np.float32)
    window[:, : kept * features] = past.reshape(channels, -1)
    heard, lag = state.copy(), references.shape[1]
    # The newest reference, behind those that wait.
    waiting = np.empty((channels, lag + 1), np.float32)
    waiting[:, :lag] = references
    entered, joined = np.empty((channels, width), np.float32), np.empty((channels, width + hidden), np.float32)
    gates, recalled = np.empty((channels, 3 * hidden), np.float32), np.empty((channels, 3 * hidden), np.float32)
    mixed, left = np.empty((channels, width), np.float32), np.empty((channels, 2 * BAND_COUNT), np.float32)
    for frame in range(levels_db.shape[1]):
        for channel in range(channels):
            newest = window[channel, kept * features :]
            waiting[channel, lag] = _features(levels_db[channel, frame], tones[channel, frame], mask, newest)
        _product(enter, enter_bias, window, entered)
        _gelu(entered)
        _product(inward, inward_bias, entered, gates)
        _product(onward, onward_bias, heard, recalled)
        for channel in range(channels):
            for k in range(hidden):
                reset = _sigmoid(gates[channel, k] + recalled[channel, k])
                update = _sigmoid(gates[channel, hidden + k] + recalled[channel, hidden + k])
                fresh = _tanh(gates[channel, 2 * hidden + k] + reset * recalled[channel, 2 * hidden + k])
                heard[channel, k] = fresh + update * (heard[channel, k] - fresh)
        joined[:, :width], joined[:, width:] = entered, heard
        _product(mix, mix_bias, joined, mixed)
        _gelu(mixed)
        _product(leave, leave_bias, mixed, left)
        for channel in range(channels):
            for band in range(BAND_COUNT):
                offset = min(max(left[channel, band], np.float32(-MOST_DB / 5)), np.float32(MOST_DB / 5))
                told_db[channel, frame, band] = waiting[channel, 0] + np.float32(SPREAD_DB) * offset
                tonality[channel, frame, band] = _sigmoid(left[channel, BAND_COUNT + band])
            for i in range(kept * features):
                window[channel, i] = window[channel, i + features]
            for k in range(lag):
                waiting[channel, k] = waiting[channel, k + 1]
    next_past[:] = window[:, : kept * features].copy().reshape(channels, kept, features)
    next_state[:] = heard
    next_references[:] = waiting[:, :lag]


@kernel
def _features(levels_db: Array, tones: Array, mask: Array, frame: Array) -> float:
    """Write what the network sees of a frame; return the level that it is told against."""
    total, trusted, highest = 0.0, 0.0, 0
    for band in range(BAND_COUNT):
        total += levels_db[band] * mask[band]
        trusted += mask[band]
        if mask[band] > 0:
            highest = band
    reference_db = total / max(trusted, 1.0)
    for band in range(BAND_COUNT):
        frame[band] = (levels_db[band] - reference_db) / SPREAD_DB * mask[band]
        frame[BAND_COUNT + band] = mask[band]
    frame[2 * BAND_COUNT] = (reference_db + CENTRE_DB) / SPREAD_DB
    near = 2 * BAND_COUNT + 1
    for k in range(NEAR_BANDS):
        band = max(highest - k, 0)
        frame[near + k], frame[near + NEAR_BANDS + k] = frame[band], mask[band]
    for group in range(TONE_GROUPS):
        tone, held, top = np.float32(0.0), np.float32(0.0), highest - TONE_BANDS * group
        for band in range(max(top - TONE_BANDS + 1, 0), top + 1):
            tone += mask[band] * tones[band]
            held += mask[band]
        frame[near + 2 * NEAR_BANDS + group] = tone / max(held, np.float32(1.0))
    return reference_db


@kernel
def _product(weight: Array, bias: Array, values: Array, out: Array) -> None:
    """Tell the outputs of a layer; its weights have shape (inputs, outputs), so that no sum runs across a vector."""
    inputs = weight.shape[0]
    for channel in range(values.shape[0]):
        out[channel] = bias
    whole = inputs - inputs % 4
    for k in range(0, whole, 4):
        for channel in range(values.shape[0]):
            first, second, third, fourth = (
                values[channel, k], values[channel, k + 1], values[channel, k + 2], values[channel, k + 3],
            )  # fmt: skip
            for row in range(weight.shape[1]):
                out[channel, row] += (
                    weight[k, row] * first + weight[k + 1, row] * second
                    + weight[k + 2, row] * third + weight[k + 3, row] * fourth
                )  # fmt: skip
    for k in range(whole, inputs):
        for channel in range(values.shape[0]):
            for row in range(weight.shape[1]):
                out[channel, row] += weight[k, row] * values[channel, k]


@kernel
def _gelu(values: Array) -> None:
    for channel in range(values.shape[0]):
        for k in range(values.shape[1]):
            value = values[channel, k]
            values[channel, k] = np.float32(0.5) * value * (np.float32(1.0) + _erf(value * np.float32(_HALF_ROOT)))


@kernel
def _erf(value: np.float32) -> np.float32:
    """Return the error function to 2e-7 (Abramowitz and Stegun 1964, 7.1.26), at a fifth of the library's price."""
    size = abs(value)
    share = np.float32(1.0) / (np.float32(1.0) + np.float32(0.3275911) * size)
    power = np.float32(1.061405429)
    for factor in (-1.453152027, 1.421413741, -0.284496736, 0.254829592):
        power = power * share + np.float32(factor)
    within = np.float32(1.0) - power * share * exp(-size * size)
    told: np.float32 = within if value >= 0 else -within
    return told


@kernel
def _sigmoid(value: np.float32) -> np.float32:
    told: np.float32 = np.float32(1.0) / (np.float32(1.0) + exp(-value))
    return told


@kernel
def _tanh(value: np.float32) -> np.float32:
    told: np.float32 = np.float32(1.0) - np.float32(2.0) / (exp(np.float32(2.0) * value) + np.float32(1.0))
    return told
