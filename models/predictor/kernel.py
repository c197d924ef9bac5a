"""The predictor as a compiled kernel: what plays, live and in files.

The recurrent layer goes from frame to frame; the products before and after it are taken for all frames of a call at
once, so that each weight is loaded for many frames. A live block has one frame, and the whole network is one call.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from dsp.bands import BAND_COUNT, FLOOR_DB
from dsp.compile import BoundKernel, kernel
from dsp.fft import Array
from models.predictor.config import (
    CENTRE_DB,
    FEATURES,
    MOST_DB,
    NEAR_BANDS,
    SPREAD_DB,
    TONE_BANDS,
    TONE_GROUPS,
    TONE_KEPT,
    PredictorConfig,
)
from models.predictor.inference import Predicted
from models.predictor.layers import Layer, gelu, layer, product, sigmoid, tanh

_NAMES = (
    "enter.weight", "enter.bias", "recur.weight_ih_l0", "recur.bias_ih_l0", "recur.weight_hh_l0", "recur.bias_hh_l0",
    "mix.weight", "mix.bias", "leave.weight", "leave.bias",
)  # fmt: skip


class Weights(NamedTuple):
    """The layers of `_NAMES`, in that order."""

    enter: Layer
    inward: Layer
    onward: Layer
    mix: Layer
    leave: Layer


class Past(NamedTuple):
    """Memory between calls.

    Attributes:
        frames: Features of the last frames, shape (channels, kernel - 1, features).
        state: Of the recurrent layer, shape (channels, hidden).
        references: Reference levels of frames still to be predicted, shape (channels, lag).
    """

    frames: Array
    state: Array
    references: Array


class KernelInference:
    """Runs a trained predictor; the same function as `models.predictor.network.Predictor`, to 1e-5.

    Args:
        config: Sizes of the network.
        weights: Its arrays by the names of its state.

    Raises:
        ValueError: The sizes can't be played, or the arrays have others.
    """

    STATE = ("_past",)

    def __init__(self, config: PredictorConfig, weights: Mapping[str, Array]) -> None:
        if config.layers != 1:
            raise ValueError(f"a predictor plays with one recurrent layer, not {config.layers}: train one of that size")
        _check_shapes(config, weights)
        self.config = config
        arrays = dict(weights)
        # One row for each output over all frames that the convolution sees, the oldest first.
        arrays["enter.weight"] = arrays["enter.weight"].transpose(0, 2, 1).reshape(config.width, -1)
        pairs = zip(_NAMES[::2], _NAMES[1::2], strict=True)
        self._weights = Weights(*(layer(arrays[weight], arrays[bias]) for weight, bias in pairs))

    def reset(self, channels: int) -> None:
        """Forget the past, and prepare for so many channels."""
        config = self.config
        self._past, self._next = (
            Past(
                np.zeros((channels, config.kernel - 1, FEATURES), np.float32),
                np.zeros((channels, config.hidden), np.float32),
                np.full((channels, config.lag), FLOOR_DB, np.float32),
            )
            for _ in range(2)
        )
        self._one = _room(channels, 1)

    def predict(self, levels_db: Array, tonality: Array, mask: Array) -> Predicted:
        """Predict; see `models.predictor.inference.Inference`."""
        channels, frames, _ = levels_db.shape
        predicted = self._one if frames == 1 else _room(channels, frames)
        _bound_predict.call(levels_db, tonality, mask, self._weights, self._past, self._next, predicted)
        return predicted

    def commit(self) -> None:
        """Make the frames of the last prediction part of the past."""
        self._past, self._next = self._next, self._past


def _room(channels: int, frames: int) -> Predicted:
    shape = (channels, frames, BAND_COUNT)
    return Predicted(np.empty(shape, np.float32), np.empty(shape, np.float32))


def _check_shapes(config: PredictorConfig, weights: Mapping[str, Array]) -> None:
    width, hidden = config.width, config.hidden
    shapes = (
        (width, FEATURES, config.kernel), (width,), (3 * hidden, width), (3 * hidden,), (3 * hidden, hidden),
        (3 * hidden,), (width, width + hidden), (width,), (2 * BAND_COUNT, width), (2 * BAND_COUNT,),
    )  # fmt: skip
    for name, shape in zip(_NAMES, shapes, strict=True):
        if name not in weights or weights[name].shape != shape:
            raise ValueError(f"the weights hold no {name} of shape {shape}")


@kernel
def _predict(
    levels_db: Array, tonality: Array, mask: Array, weights: Weights, past: Past, following: Past, predicted: Predicted
) -> None:
    channels, frames, _ = levels_db.shape
    width, hidden = weights.enter.outputs, past.state.shape[1]
    # A row for each channel of each frame; the channels of a frame lie side by side, for the recurrent layer.
    windows, references = _windows(levels_db, tonality, mask, past, following)
    rows = frames * channels
    entered, gates = np.empty((rows, width), np.float32), np.empty((rows, 3 * hidden), np.float32)
    product(weights.enter, windows, entered)
    gelu(entered)
    product(weights.inward, entered, gates)
    joined = np.empty((rows, width + hidden), np.float32)
    joined[:, :width] = entered
    following.state[:] = past.state
    _recur(weights, gates, following.state, joined[:, width:])
    product(weights.mix, joined, entered)
    gelu(entered)
    outputs = np.empty((rows, 2 * BAND_COUNT), np.float32)
    product(weights.leave, entered, outputs)
    for row in range(rows):
        frame, channel = row // channels, row % channels
        tone = min(np.float32(TONE_KEPT) * windows[row, windows.shape[1] - TONE_GROUPS], np.float32(1.0))
        of_levels, of_tones = predicted.levels_db[channel, frame], predicted.tonality[channel, frame]
        output, reference_db = outputs[row].reshape(2, BAND_COUNT), references[channel, frame]
        for band in range(BAND_COUNT):
            offset = min(max(output[0, band], np.float32(-MOST_DB / 5)), np.float32(MOST_DB / 5))
            of_levels[band] = reference_db + np.float32(SPREAD_DB) * offset
            of_tones[band] = max(sigmoid(output[1, band]), tone)


_bound_predict = BoundKernel(_predict)


@kernel
def _windows(levels_db: Array, tonality: Array, mask: Array, past: Past, following: Past) -> tuple[Array, Array]:
    """Return what the convolution sees of each frame, the frames before it first, and the levels' references.

    The references, shape (channels, lag + frames), begin with those of the past.
    """
    channels, frames, _ = levels_db.shape
    kept, features, lag = past.frames.shape[1], past.frames.shape[2], past.references.shape[1]
    windows = np.empty((frames * channels, (kept + 1) * features), np.float32)
    references = np.empty((channels, lag + frames), np.float32)
    references[:, :lag] = past.references
    for channel in range(channels):
        for frame in range(frames):
            row = frame * channels + channel
            if frame:
                windows[row, : kept * features] = windows[row - channels, features:]
            else:
                windows[row, : kept * features] = past.frames[channel].ravel()
            newest = windows[row, kept * features :]
            references[channel, lag + frame] = _features(
                levels_db[channel, frame], tonality[channel, frame], mask, newest
            )
        last = windows[(frames - 1) * channels + channel, features:]
        following.frames[channel] = last.copy().reshape(kept, features)
    following.references[:] = references[:, frames:]
    return windows, references


@kernel
def _features(levels_db: Array, tonality: Array, mask: Array, frame: Array) -> float:
    """Write the network's view of a frame; return the level that its levels are relative to."""
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
        tone, weight, top = np.float32(0.0), np.float32(0.0), highest - TONE_BANDS * group
        for band in range(max(top - TONE_BANDS + 1, 0), top + 1):
            tone += mask[band] * tonality[band]
            weight += mask[band]
        frame[near + 2 * NEAR_BANDS + group] = tone / max(weight, np.float32(1.0))
    return reference_db


@kernel
def _recur(weights: Weights, gates: Array, state: Array, out: Array) -> None:
    """Run the gated recurrent layer over the frames (Cho et al. 2014), and leave its last state in `state`.

    Args:
        weights: Of the network.
        gates: Products of the layer's input, shape (frames * channels, 3 * hidden).
        state: Of the frame before, shape (channels, hidden); overwritten.
        out: The states of all frames, shape (frames * channels, hidden).
    """
    channels, hidden = state.shape
    recalled = np.empty((channels, 3 * hidden), np.float32)
    for row in range(0, len(gates), channels):
        product(weights.onward, state, recalled)
        for channel in range(channels):
            gate, recall = gates[row + channel].reshape(3, hidden), recalled[channel].reshape(3, hidden)
            for k in range(hidden):
                reset = sigmoid(gate[0, k] + recall[0, k])
                update = sigmoid(gate[1, k] + recall[1, k])
                fresh = tanh(gate[2, k] + reset * recall[2, k])
                state[channel, k] = fresh + update * (state[channel, k] - fresh)
        out[row : row + channels] = state
