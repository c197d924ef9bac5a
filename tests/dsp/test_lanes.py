"""Laws of lanes: they are read and written where they lie, and added, subtracted and multiplied one by one."""

from __future__ import annotations

import numpy as np
import pytest
from numba.core.errors import TypingError

from dsp.compile import kernel
from dsp.fft import Array
from dsp.lanes import LANES, load, moved, spread, store


@kernel
def _compute(first: Array, second: Array, factor: np.float32, out: Array) -> None:
    one, other = load(first, 3), load(second, 0)
    store(out, 1, (one + other) * spread(factor) - moved(one))


@kernel
def _copy(rows: Array, out: Array) -> None:
    store(out, 0, load(rows[:, 0], 0))


def test_lanes_are_computed_one_by_one_and_nothing_beside_them_is_written() -> None:
    first, second = np.random.default_rng(0).standard_normal((2, LANES + 5)).astype(np.float32)
    out = np.zeros(LANES + 5, np.float32)
    _compute(first, second, np.float32(0.75), out)
    one, other = first[3 : LANES + 3], second[:LANES]
    np.testing.assert_allclose(out[1 : LANES + 1], 0.75 * (one + other) - one[[0, *range(LANES - 1)]], rtol=1e-6)
    assert not np.delete(out, np.arange(1, LANES + 1)).any()


def test_numbers_that_do_not_lie_side_by_side_are_refused() -> None:
    with pytest.raises(TypingError, match="lanes lie in a row of neighbouring numbers"):
        _copy(np.zeros((LANES, 2), np.float32), np.zeros(LANES, np.float32))
