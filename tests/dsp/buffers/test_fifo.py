"""Laws of the queue: nothing is lost, nothing is doubled, a full one refuses."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dsp.buffers.fifo import Fifo


@given(st.lists(st.integers(0, 40), max_size=30), st.integers(0, 50))
def test_it_delays_by_its_silence(lengths: list[int], silence: int) -> None:
    queue = Fifo(2, silence + 40, silence)
    signal = np.random.default_rng(0).standard_normal((2, sum(lengths))).astype(np.float32)
    output, start = [np.zeros((2, 0), np.float32)], 0
    for length in lengths:
        queue.push(signal[:, start : start + length])
        output.append(queue.pop(length))
        start += length
    expected = np.concatenate([np.zeros((2, silence), np.float32), signal], axis=1)[:, : signal.shape[1]]
    np.testing.assert_array_equal(np.concatenate(output, axis=1), expected)


def test_silence_stands_in_front_of_what_is_missing() -> None:
    queue = Fifo(1, 8)
    queue.push(np.ones((1, 3), np.float32))
    np.testing.assert_array_equal(queue.pop(5), [[0, 0, 1, 1, 1]])
    assert queue.held == 0


def test_clear_brings_the_silence_back() -> None:
    queue = Fifo(1, 8, 2)
    queue.push(np.ones((1, 3), np.float32))
    queue.clear()
    assert queue.held == 2
    np.testing.assert_array_equal(queue.pop(2), [[0, 0]])


def test_a_full_queue_refuses() -> None:
    queue = Fifo(1, 4)
    with pytest.raises(OverflowError):
        queue.push(np.ones((1, 5), np.float32))
