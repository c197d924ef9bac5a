"""Laws of the gain ramp: it starts where it is told, never jumps, and does not mind where blocks are cut."""

from __future__ import annotations

import numpy as np
import pytest

from dsp.fourier import Array
from models.gain_ramp import GainRamp


def gains(ramp: GainRamp, target: float, count: int) -> Array:
    block = np.ones((2, count), np.float32)
    ramp.apply(target, block)
    first, second = block
    np.testing.assert_array_equal(first, second)
    return np.array(first)


def test_a_gain_starts_where_it_is_told_and_rests() -> None:
    ramp = GainRamp(48000)
    for count in (10, 1000):
        np.testing.assert_array_equal(gains(ramp, 0.7, count), np.float32(0.7))


def test_a_gain_of_one_changes_no_bit() -> None:
    block = np.random.default_rng(0).standard_normal((2, 100)).astype(np.float32)
    heard = block.copy()
    GainRamp(48000).apply(1.0, heard)
    np.testing.assert_array_equal(heard, block)


@pytest.mark.parametrize("target", [0.0, 0.9, 1.0, 3.0])
@pytest.mark.parametrize("size", [1, 7, 480])
def test_blocks_equal_whole_and_no_step_is_longer_than_a_full_gain_in_10_ms(target: float, size: int) -> None:
    whole, parts = GainRamp(48000), GainRamp(48000)
    for ramp in (whole, parts):
        gains(ramp, 1.0, 5)
    expected = gains(whole, target, 1440)
    heard = np.concatenate([gains(parts, target, size) for _ in range(1440 // size)])
    np.testing.assert_allclose(heard, expected[: len(heard)], atol=1e-6)
    assert np.abs(np.diff(expected, prepend=1.0)).max() <= 1 / 480 + 1e-6
    assert expected[-1] == np.float32(target)
