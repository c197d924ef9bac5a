"""Layers of small networks as kernels: the product with a matrix of weights, and activations."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from dsp.compile import kernel
from dsp.fast_math import exp
from dsp.fft import Array
from dsp.lanes import LANES, Lanes, load, spread, store

_HALF_ROOT = math.sqrt(0.5)


class Layer(NamedTuple):
    """Weights and bias as `product` reads them, from `layer`: lanes of neighbouring outputs, one for each input.

    Attributes:
        weight: Shape (lanes of outputs, inputs * LANES).
        bias: Shape (lanes of outputs * LANES,).
        outputs: How many; what the last lanes hold beyond them is 0.
    """

    weight: Array
    bias: Array
    outputs: int


def layer(weight: Array, bias: Array) -> Layer:
    """Return weights of shape (outputs, inputs) and a bias as `product` reads them."""
    outputs, inputs = weight.shape
    padded = np.zeros((-(-outputs // LANES) * LANES, inputs + 1), np.float32)
    padded[:outputs, 0], padded[:outputs, 1:] = bias, weight
    packed = np.ascontiguousarray(padded[:, 1:].reshape(-1, LANES, inputs).transpose(0, 2, 1))
    return Layer(packed.reshape(len(packed), -1), padded[:, 0].copy(), outputs)


@kernel
def product(layer: Layer, values: Array, out: Array) -> None:
    """Multiply rows by a matrix and add a bias; each row gets the same bits, whatever others there are.

    Args:
        layer: From `layer`.
        values: Shape (rows, inputs).
        out: Shape (rows, outputs).
    """
    whole, inputs = len(values) - len(values) % 4, values.shape[1]
    for tile in range(len(layer.weight)):
        shares, at = layer.weight[tile], tile * LANES
        for row in range(0, whole, 4):
            a = b = c = d = load(layer.bias, at)
            for k in range(inputs):
                share = load(shares, k * LANES)
                a = a + spread(values[row, k]) * share
                b = b + spread(values[row + 1, k]) * share
                c = c + spread(values[row + 2, k]) * share
                d = d + spread(values[row + 3, k]) * share
            _write(a, out, row, at)
            _write(b, out, row + 1, at)
            _write(c, out, row + 2, at)
            _write(d, out, row + 3, at)
    for row in range(whole, len(values), 2):
        for tile in range(0, len(layer.weight), 2):
            _write_two(layer, tile, values, row, min(row + 1, len(values) - 1), out)


@kernel
def _write_two(layer: Layer, tile: int, values: Array, row: int, other: int, out: Array) -> None:
    """Write two lanes of outputs, which may be the same, of two rows, which may be the same."""
    following = min(tile + 1, len(layer.weight) - 1)
    shares, later, first, second = layer.weight[tile], layer.weight[following], values[row], values[other]
    a = b = load(layer.bias, tile * LANES)
    c = d = load(layer.bias, following * LANES)
    for k in range(len(first)):
        own, others, share, more = spread(first[k]), spread(second[k]), load(shares, k * LANES), load(later, k * LANES)
        a, b = a + own * share, b + others * share
        c, d = c + own * more, d + others * more
    _write(a, out, row, tile * LANES)
    _write(b, out, other, tile * LANES)
    _write(c, out, row, following * LANES)
    _write(d, out, other, following * LANES)


@kernel
def _write(lanes: Lanes, out: Array, row: int, at: int) -> None:
    """Write as many of some lanes as there is room for into a row from an index on."""
    if at + LANES <= out.shape[1]:
        store(out[row], at, lanes)
    else:
        _write_some(lanes, out, row, at)


@kernel
def _write_some(lanes: Lanes, out: Array, row: int, at: int) -> None:
    whole = np.empty(LANES, np.float32)
    store(whole, 0, lanes)
    out[row, at:] = whole[: out.shape[1] - at]


@kernel
def gelu(values: Array) -> None:
    """Replace each value by its Gaussian error linear unit (Hendrycks and Gimpel 2016)."""
    for row in range(values.shape[0]):
        for k in range(values.shape[1]):
            value = values[row, k]
            values[row, k] = np.float32(0.5) * value * (np.float32(1.0) + _erf(value * np.float32(_HALF_ROOT)))


@kernel
def _erf(value: np.float32) -> np.float32:
    """Return the error function to 2e-7 (Abramowitz and Stegun 1964, 7.1.26), at a fifth of the library's price."""
    size = abs(value)
    share = np.float32(1.0) / (np.float32(1.0) + np.float32(0.3275911) * size)
    power = np.float32(1.061405429)
    for factor in (-1.453152027, 1.421413741, -0.284496736, 0.254829592):
        power = power * share + np.float32(factor)
    within = np.float32(1.0) - power * share * exp(-size * size)
    result: np.float32 = within if value >= 0 else -within
    return result


@kernel
def sigmoid(value: np.float32) -> np.float32:
    """Return the logistic function, 0..1."""
    result: np.float32 = np.float32(1.0) / (np.float32(1.0) + exp(-value))
    return result


@kernel
def tanh(value: np.float32) -> np.float32:
    """Return the hyperbolic tangent."""
    result: np.float32 = np.float32(1.0) - np.float32(2.0) / (exp(np.float32(2.0) * value) + np.float32(1.0))
    return result
