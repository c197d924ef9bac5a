"""Layers of small networks as kernels: the product with a matrix of weights, and activations."""

from __future__ import annotations

import math

import numpy as np

from dsp.compile import kernel
from dsp.fast_math import exp
from dsp.fft import Array

_HALF_ROOT = math.sqrt(0.5)


@kernel
def product(weight: Array, bias: Array, values: Array, out: Array) -> None:
    """Multiply rows by a matrix and add a bias.

    Four outputs of two rows are summed up at a time, in registers: a loop that writes nothing need not find out whether
    it overwrites what it reads, which costs more than the work where a matrix is small.

    Args:
        weight: Shape (outputs, inputs).
        bias: Shape (outputs,).
        values: Shape (rows, inputs).
        out: Shape (rows, outputs).
    """
    outputs, rows = len(weight), len(values)
    whole = outputs - outputs % 4
    for j in range(0, whole, 4):
        for row in range(0, rows, 2):
            _write_sums(weight[j : j + 4], bias[j : j + 4], values, row, min(row + 1, rows - 1), out[:, j : j + 4])
    for j in range(whole, outputs):
        shares = weight[j]
        for row in range(rows):
            total, inputs = np.float32(0.0), values[row]
            for k in range(len(shares)):
                total += shares[k] * inputs[k]
            out[row, j] = total + bias[j]


@kernel
def _write_sums(weight: Array, bias: Array, values: Array, row: int, other: int, out: Array) -> None:
    """Write four outputs of two rows, which may be the same."""
    w0, w1, w2, w3, a, b = weight[0], weight[1], weight[2], weight[3], values[row], values[other]
    a0 = a1 = a2 = a3 = b0 = b1 = b2 = b3 = np.float32(0.0)
    for k in range(len(w0)):
        a0 += w0[k] * a[k]
        a1 += w1[k] * a[k]
        a2 += w2[k] * a[k]
        a3 += w3[k] * a[k]
        b0 += w0[k] * b[k]
        b1 += w1[k] * b[k]
        b2 += w2[k] * b[k]
        b3 += w3[k] * b[k]
    out[row, 0], out[row, 1], out[row, 2], out[row, 3] = a0 + bias[0], a1 + bias[1], a2 + bias[2], a3 + bias[3]
    out[other, 0], out[other, 1], out[other, 2], out[other, 3] = b0 + bias[0], b1 + bias[1], b2 + bias[2], b3 + bias[3]


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
