"""Layers of small networks as kernels: the product with a matrix of weights, and activations."""

from __future__ import annotations

import math

import numpy as np

from dsp.compile import kernel
from dsp.fast_math import exp
from dsp.fft import Array

_HALF_ROOT = math.sqrt(0.5)
# Rows of a product that stay in the processor's first cache while all weights pass.
_ROWS = 16


@kernel
def product(weight: Array, bias: Array, values: Array, out: Array) -> None:
    """Multiply rows by a matrix and add a bias.

    Four rows by four inputs share a pass over the outputs; of what is left, two or one.

    Args:
        weight: Shape (inputs, outputs), so that no sum runs across a vector.
        bias: Shape (outputs,).
        values: Shape (rows, inputs).
        out: Shape (rows, outputs).
    """
    inputs, rows = weight.shape[0], values.shape[0]
    for first in range(0, rows, _ROWS):
        last = min(first + _ROWS, rows)
        for row in range(first, last):
            out[row] = bias
        for k in range(0, inputs - inputs % 4, 4):
            for row in range(first, last - 3, 4):
                _add_four_rows(weight, k, values, row, out)
            if (last - first) & 2:
                _add_two_rows(weight, k, values, last - ((last - first) & 3), out)
            if (last - first) & 1:
                _add_row(weight, k, values, last - 1, out)
        for k in range(inputs - inputs % 4, inputs):
            for row in range(first, last):
                for j in range(weight.shape[1]):
                    out[row, j] += weight[k, j] * values[row, k]


@kernel
def _add_four_rows(weight: Array, k: int, values: Array, row: int, out: Array) -> None:
    a0, a1, a2, a3 = values[row, k], values[row, k + 1], values[row, k + 2], values[row, k + 3]
    b0, b1, b2, b3 = values[row + 1, k], values[row + 1, k + 1], values[row + 1, k + 2], values[row + 1, k + 3]
    c0, c1, c2, c3 = values[row + 2, k], values[row + 2, k + 1], values[row + 2, k + 2], values[row + 2, k + 3]
    d0, d1, d2, d3 = values[row + 3, k], values[row + 3, k + 1], values[row + 3, k + 2], values[row + 3, k + 3]
    for j in range(weight.shape[1]):
        w0, w1, w2, w3 = weight[k, j], weight[k + 1, j], weight[k + 2, j], weight[k + 3, j]
        out[row, j] += w0 * a0 + w1 * a1 + w2 * a2 + w3 * a3
        out[row + 1, j] += w0 * b0 + w1 * b1 + w2 * b2 + w3 * b3
        out[row + 2, j] += w0 * c0 + w1 * c1 + w2 * c2 + w3 * c3
        out[row + 3, j] += w0 * d0 + w1 * d1 + w2 * d2 + w3 * d3


@kernel
def _add_two_rows(weight: Array, k: int, values: Array, row: int, out: Array) -> None:
    a0, a1, a2, a3 = values[row, k], values[row, k + 1], values[row, k + 2], values[row, k + 3]
    b0, b1, b2, b3 = values[row + 1, k], values[row + 1, k + 1], values[row + 1, k + 2], values[row + 1, k + 3]
    for j in range(weight.shape[1]):
        w0, w1, w2, w3 = weight[k, j], weight[k + 1, j], weight[k + 2, j], weight[k + 3, j]
        out[row, j] += w0 * a0 + w1 * a1 + w2 * a2 + w3 * a3
        out[row + 1, j] += w0 * b0 + w1 * b1 + w2 * b2 + w3 * b3


@kernel
def _add_row(weight: Array, k: int, values: Array, row: int, out: Array) -> None:
    a0, a1, a2, a3 = values[row, k], values[row, k + 1], values[row, k + 2], values[row, k + 3]
    for j in range(weight.shape[1]):
        out[row, j] += weight[k, j] * a0 + weight[k + 1, j] * a1 + weight[k + 2, j] * a2 + weight[k + 3, j] * a3


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
