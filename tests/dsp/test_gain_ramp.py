"""Laws of the gain ramps: they start at the given gain, never jump, and do not mind where blocks are cut."""

from __future__ import annotations

import numpy as np
import pytest

from dsp.fft import Array
from dsp.gain_ramp import mix, ramp_step, unknown_gains
from models.stage import Block


class Ramps:
    """The gains of one signal and another, kept from block to block."""

    def __init__(self) -> None:
        self._gains = unknown_gains()

    def mix(self, signal: Block, start: int, target: float, added: Block, added_target: float) -> Block:
        out = np.empty_like(added)
        mix(signal, start, target, added, added_target, self._gains, ramp_step(48000), out)
        return out


def gains(ramps: Ramps, target: float, count: int, *, of_added: bool) -> Array:
    one, none = np.ones((2, count), np.float32), np.zeros((2, count), np.float32)
    first, second = ramps.mix(none, 0, 0.5, one, target) if of_added else ramps.mix(one, 0, target, none, 0.5)
    np.testing.assert_array_equal(first, second)
    return np.array(first)


@pytest.mark.parametrize("of_added", [False, True])
def test_a_gain_starts_where_it_is_set_and_rests(of_added: bool) -> None:
    ramps = Ramps()
    for count in (10, 1000):
        np.testing.assert_array_equal(gains(ramps, 0.7, count, of_added=of_added), np.float32(0.7))


def test_a_gain_of_one_changes_no_bit_of_the_block() -> None:
    signal = np.random.default_rng(0).standard_normal((2, 130)).astype(np.float32)
    output = Ramps().mix(signal, 30, 1.0, np.ones((2, 100), np.float32), 0.0)
    np.testing.assert_array_equal(output, signal[:, 30:])


def test_signals_add_up() -> None:
    one, other = np.random.default_rng(0).standard_normal((2, 2, 100)).astype(np.float32)
    output = Ramps().mix(one, 0, 0.5, other, 2.0)
    np.testing.assert_allclose(output, 0.5 * one + 2.0 * other, atol=1e-6)


@pytest.mark.parametrize("target", [0.0, 0.9, 1.0, 3.0])
@pytest.mark.parametrize("size", [1, 7, 480])
@pytest.mark.parametrize("of_added", [False, True])
def test_blocks_equal_whole_and_no_step_is_longer_than_a_full_gain_in_10_ms(
    target: float, size: int, of_added: bool
) -> None:
    whole, parts = Ramps(), Ramps()
    for ramps in (whole, parts):
        gains(ramps, 1.0, 5, of_added=of_added)
    expected = gains(whole, target, 1440, of_added=of_added)
    output = np.concatenate([gains(parts, target, size, of_added=of_added) for _ in range(1440 // size)])
    np.testing.assert_allclose(output, expected[: len(output)], atol=1e-6)
    assert np.abs(np.diff(expected, prepend=1.0)).max() <= 1 / 480 + 1e-6
    assert expected[-1] == np.float32(target)
