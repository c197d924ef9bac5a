"""Laws of quantising: every whole number of a depth stays as it is, halves are rounded to even, overs are clipped."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from plugin_host.files.quantise import quantise


@pytest.mark.parametrize(("bits", "kind"), [(16, np.int16), (24, np.int32)])
def test_it_rounds_as_numpy_does(bits: int, kind: type) -> None:
    full = 1 << (bits - 1)
    whole = np.random.default_rng(1).integers(-full, full, (3, 1000))
    block = (whole / full).astype(np.float32)
    block[:, :8] = np.array([0.5, 1.5, -0.5, 2.49, full - 0.5, -full - 2, 4 * full, full]) / full
    frames: NDArray[Any] = np.empty((1000, 3), kind)
    assert quantise(block, bits, frames) == 6
    expected = np.clip(np.rint(block.astype(np.float64) * full), -full, full - 1)
    np.testing.assert_array_equal(frames.T >> (8 * frames.itemsize - bits), expected)
    np.testing.assert_array_equal(expected[:, 8:], whole[:, 8:])
