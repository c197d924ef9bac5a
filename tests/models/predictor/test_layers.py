"""Laws of the layers: a product is a matrix product, activations are those of their definitions."""

from __future__ import annotations

import math

import numpy as np
import pytest

from models.predictor.layers import gelu, layer, product, sigmoid, tanh


@pytest.mark.parametrize("rows", [1, 2, 3, 16, 17, 33])
@pytest.mark.parametrize(("outputs", "inputs"), [(1, 4), (9, 1), (9, 51), (16, 51), (40, 4)])
def test_a_product_is_a_matrix_product_to_the_same_bits_for_any_rows(rows: int, outputs: int, inputs: int) -> None:
    rng = np.random.default_rng(rows)
    sizes = ((outputs, inputs), outputs, (rows, inputs))
    weight, bias, values = (rng.standard_normal(size).astype(np.float32) for size in sizes)
    out, alone = np.empty((rows, outputs), np.float32), np.empty((1, outputs), np.float32)
    product(layer(weight, bias), values, out)
    np.testing.assert_allclose(out, values @ weight.T + bias, atol=2e-5)
    for row in range(rows):
        product(layer(weight, bias), values[row : row + 1], alone)
        np.testing.assert_array_equal(alone[0], out[row])


def test_activations_are_those_of_their_definitions() -> None:
    values = np.linspace(-9, 9, 181, dtype=np.float32)[None]
    out = values.copy()
    gelu(out)
    wanted = [0.5 * float(value) * (1 + math.erf(float(value) / math.sqrt(2))) for value in values[0]]
    np.testing.assert_allclose(out[0], wanted, atol=3e-6)
    for value in values[0, ::10]:
        assert sigmoid(value) == pytest.approx(1 / (1 + math.exp(-float(value))), abs=1e-6)
        assert tanh(value) == pytest.approx(math.tanh(float(value)), abs=1e-6)
