"""Laws of the judgement: guessing does not count as a difference, and a true rate lies within its interval."""

from __future__ import annotations

from math import comb

import numpy as np
import pytest

from plugin_host.panel.listening.plan import plan
from plugin_host.panel.listening.statistics import proportion

LISTENERS, TRIALS = 1000, 16


def rates(is_right: np.ndarray) -> tuple[float, list[tuple[float, float]]]:
    results = [proportion(int(one.sum()), len(one)) for one in is_right]
    return float(np.mean([one.p_value < 0.05 for one in results])), [(one.low, one.high) for one in results]


def test_the_p_value_is_the_sum_of_the_binomial_distribution() -> None:
    for trials in (1, 10, 16, 25):
        for correct in range(trials + 1):
            tail = sum(comb(trials, k) for k in range(correct, trials + 1)) / 2**trials
            assert proportion(correct, trials).p_value == pytest.approx(tail, rel=1e-9)


@pytest.mark.parametrize("bias", [0.5, 0.8, 1.0])
def test_two_identical_sounds_come_out_at_chance_whichever_button_is_preferred(bias: float) -> None:
    random = np.random.default_rng(7)
    trials = [plan({"item": ["one", "other"]}, None, TRIALS, (3, number)) for number in range(LISTENERS)]
    is_x_a = np.array([[trial.is_x_a for trial in one] for one in trials])
    is_right = (random.random(is_x_a.shape) < bias) == is_x_a
    false_alarms, _ = rates(is_right)
    assert abs(is_right.mean() - 0.5) < 0.015
    assert false_alarms <= 0.05
    # An unbiased guesser is right 12 of 16 times in 3.8 % of cases: the test is not deaf either.
    assert false_alarms > 0.02 or bias > 0.5


@pytest.mark.parametrize("rate", [0.5, 0.7, 0.95])
def test_the_interval_covers_a_listeners_true_rate(rate: float) -> None:
    _, intervals = rates(np.random.default_rng(5).random((LISTENERS, TRIALS)) < rate)
    assert np.mean([low <= rate <= high for low, high in intervals]) >= 0.95


def test_impossible_counts_are_refused() -> None:
    for correct, trials in ((1, 0), (3, 2), (-1, 4)):
        with pytest.raises(ValueError):
            proportion(correct, trials)
