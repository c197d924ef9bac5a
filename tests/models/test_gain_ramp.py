"""Laws of the gain ramp: it starts where it is told, never jumps, and does not mind where blocks are cut."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from models.gain_ramp import GainRamp


def gains(ramp: GainRamp, target: float, count: int) -> NDArray[np.float32]:
    return np.broadcast_to(np.asarray(ramp.next(target, count), np.float32), count)


def test_a_gain_that_rests_is_one_number() -> None:
    ramp = GainRamp(48000)
    assert ramp.next(0.7, 10) == 0.7
    assert ramp.next(0.7, 1000) == 0.7


@pytest.mark.parametrize("target", [0.0, 0.9, 1.0, 3.0])
@pytest.mark.parametrize("size", [1, 7, 480])
def test_blocks_equal_whole_and_no_step_is_longer_than_a_full_gain_in_10_ms(target: float, size: int) -> None:
    whole, parts = GainRamp(48000), GainRamp(48000)
    for ramp in (whole, parts):
        ramp.next(1.0, 5)
    expected = gains(whole, target, 1440)
    heard = np.concatenate([gains(parts, target, size) for _ in range(1440 // size)])
    np.testing.assert_allclose(heard, expected[: len(heard)], atol=1e-6)
    assert np.abs(np.diff(expected, prepend=1.0)).max() <= 1 / 480 + 1e-6
    assert expected[-1] == np.float32(target)
