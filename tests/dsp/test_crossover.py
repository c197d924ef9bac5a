"""Laws of the crossover: nothing passes below it, everything above, and the table rises."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest
from numpy.typing import NDArray

from dsp import crossover

RATES = (44100, 48000, 88200, 96000)
FFT = 1 << 15


def response_db(taps: NDArray[np.float32]) -> NDArray[np.float64]:
    return 20 * np.log10(np.abs(np.fft.rfft(taps.astype(np.float64), n=FFT)) + 1e-12)


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("edge_hz", [1800.0, 4000.0, 7777.0, 12000.0, 18000.0])
def test_below_is_stopped_and_above_is_flat(rate: int, edge_hz: float) -> None:
    gain_db = response_db(crossover.high_pass(edge_hz, rate))
    frequency = np.arange(FFT // 2 + 1) * rate / FFT
    assert gain_db[frequency <= edge_hz].max() <= -100.0
    assert np.abs(gain_db[frequency >= edge_hz + crossover.transition_hz()]).max() < 0.01


@pytest.mark.parametrize("rate", RATES)
def test_no_latency_is_added(rate: int) -> None:
    taps = crossover.high_pass(5000.0, rate)
    assert len(taps) == crossover.tap_count(rate)
    assert np.abs(taps).argmax() < 8
    energy = np.square(taps.astype(np.float64)).cumsum()
    assert energy[rate // 1000] / energy[-1] > 0.95


def test_the_table_rises_in_even_steps_of_the_octave() -> None:
    steps = [crossover.step_hz(step) for step in range(crossover.step_count())]
    assert steps == sorted(set(steps))
    assert steps[0] == crossover.LOWEST_HZ
    assert crossover.HIGHEST_HZ / 1.02 < steps[-1] <= crossover.HIGHEST_HZ
    ratios = [math.log2(high / low) for low, high in pairwise(steps)]
    assert ratios == pytest.approx([1 / crossover.STEPS_PER_OCTAVE] * len(ratios))


def test_the_nearest_step_is_the_nearest_and_inside_the_table() -> None:
    for step in range(crossover.step_count()):
        assert crossover.nearest_step(crossover.step_hz(step) * 1.003) == step
    assert crossover.nearest_step(10.0) == crossover.nearest_step(-10.0) == 0
    assert crossover.nearest_step(1e6) == crossover.step_count() - 1


def test_the_table_holds_the_high_pass_of_each_step_and_nothing_where_no_band_is_left() -> None:
    table = crossover.high_pass_table(48000)
    assert table.shape == (crossover.step_count(), crossover.tap_count(48000))
    np.testing.assert_array_equal(table[40], crossover.high_pass(crossover.step_hz(40), 48000))
    assert not crossover.high_pass(22050 - crossover.transition_hz() / 2, 44100).any()
    assert not crossover.high_pass(40000.0, 44100).any()
    assert crossover.high_pass(20000.0, 44100).any()
