"""The predictor as a kernel: for live use, where one frame at a time is asked for.

A graph's runtime spends more on going from step to step than on the arithmetic of a small network's single frame,
most of all on a thread that has just slept. Here a frame is one call.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from dsp.bands import BAND_COUNT
from dsp.fourier import Array
from dsp.kernel import kernel
from models.predictor import CENTRE_DB, MOST_DB, NEAR_BANDS, SPREAD_DB, Predictor
from models.teller import Told

_NAMES = (
    "enter.weight", "enter.bias", "recur.weight_ih_l0", "recur.bias_ih_l0", "recur.weight_hh_l0", "recur.bias_hh_l0",
    "mix.weight", "mix.bias", "leave.weight", "leave.bias",
)  # fmt: skip


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
    """The same function as `models.teller.TorchTeller`, to 1e-5."""

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
        self._weights = _Weights(*(np.ascontiguousarray(told[name], np.float32) for name in _NAMES))

    def start(self, channels: int) -> None:
        """Forget everything, for so many channels."""
        frames, state = self._predictor.start(channels)
        self._frames, self._state = frames.numpy().copy(), state[0].numpy().copy()
        self._next_frames, self._next_state = self._frames.copy(), self._state.copy()

    def tell(self, levels_db: Array, mask: Array) -> Told:
        """Predict; see `models.teller.Teller`."""
        told = Told(np.empty_like(levels_db), np.empty_like(levels_db))
        _tell(levels_db, mask, self._frames, self._state, *self._weights, *told, self._next_frames, self._next_state)
        return told

    def keep(self) -> None:
        """Put the frames that were told last into the past."""
        self._frames, self._next_frames = self._next_frames, self._frames
        self._state, self._next_state = self._next_state, self._state


@kernel
def _tell(
    levels_db: Array, mask: Array, past: Array, state: Array, enter: Array, enter_bias: Array, inward: Array,
    inward_bias: Array, onward: Array, onward_bias: Array, mix: Array, mix_bias: Array, leave: Array, leave_bias: Array,
    told_db: Array, tonality: Array, next_past: Array, next_state: Array,
) -> None:  # fmt: skip
    kept, features = past.shape[1], past.shape[2]
    width, hidden = enter.shape[0], state.shape[1]
    window = np.empty((kept + 1) * features, np.float32)
    entered, joined = np.empty(width, np.float32), np.empty(width + hidden, np.float32)
    gates, recalled = np.empty(3 * hidden, np.float32), np.empty(3 * hidden, np.float32)
    mixed, left = np.empty(width, np.float32), np.empty(2 * BAND_COUNT, np.float32)
    for channel in range(levels_db.shape[0]):
        for k in range(kept):
            window[k * features : (k + 1) * features] = past[channel, k]
        heard = state[channel].copy()
        for frame in range(levels_db.shape[1]):
            reference_db = _features(levels_db[channel, frame], mask, window[kept * features :])
            _product(enter, enter_bias, window, entered)
            _gelu(entered)
            _product(inward, inward_bias, entered, gates)
            _product(onward, onward_bias, heard, recalled)
            for k in range(hidden):
                reset = _sigmoid(gates[k] + recalled[k])
                update = _sigmoid(gates[hidden + k] + recalled[hidden + k])
                fresh = math.tanh(gates[2 * hidden + k] + reset * recalled[2 * hidden + k])
                heard[k] = (1.0 - update) * fresh + update * heard[k]
            joined[:width], joined[width:] = entered, heard
            _product(mix, mix_bias, joined, mixed)
            _gelu(mixed)
            _product(leave, leave_bias, mixed, left)
            for band in range(BAND_COUNT):
                offset = min(max(left[band], -MOST_DB / 5), MOST_DB / 5)
                told_db[channel, frame, band] = reference_db + SPREAD_DB * offset
                tonality[channel, frame, band] = _sigmoid(left[BAND_COUNT + band])
            for i in range(kept * features):
                window[i] = window[i + features]
        for k in range(kept):
            next_past[channel, k] = window[k * features : (k + 1) * features]
        next_state[channel] = heard


@kernel
def _features(levels_db: Array, mask: Array, frame: Array) -> float:
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
    return reference_db


@kernel
def _product(weight: Array, bias: Array, values: Array, out: Array) -> None:
    for row in range(weight.shape[0]):
        total = bias[row]
        for k in range(weight.shape[1]):
            total += weight[row, k] * values[k]
        out[row] = total


@kernel
def _gelu(values: Array) -> None:
    for k in range(len(values)):
        values[k] *= 0.5 * (1.0 + math.erf(values[k] * math.sqrt(0.5)))


@kernel
def _sigmoid(value: float) -> float:
    return 1.0 / (1.0 + math.exp(-value))
