"""Laws of the blocks of one size: all samples, in order, in full blocks until the last."""

from __future__ import annotations

import numpy as np
import pytest

from dsp.buffers.reblock import reblocked


@pytest.mark.parametrize("size", [1, 7, 64, 1000])
@pytest.mark.parametrize("lengths", [[], [0], [5], [64, 64], [0, 1, 300, 0, 2, 63], [128, 0]])
def test_a_stream_comes_in_blocks_of_one_size(size: int, lengths: list[int]) -> None:
    whole = np.arange(2 * sum(lengths), dtype=np.float32).reshape(2, -1)
    given = np.split(whole, np.cumsum(lengths)[:-1], axis=1) if lengths else []
    blocks = list(reblocked(given, size))
    assert all(block.shape == (2, size) for block in blocks[:-1])
    assert all(0 < block.shape[1] <= size for block in blocks)
    assert np.array_equal(np.concatenate([whole[:, :0], *blocks], axis=1), whole)
