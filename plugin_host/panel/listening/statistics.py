"""What the answers of a forced choice between two prove: an exact binomial test and an exact interval."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from scipy.stats import binomtest

CHANCE, CONFIDENCE = 0.5, 0.95


@dataclass(frozen=True)
class Proportion:
    """How often a listener was right.

    Attributes:
        correct: Right answers.
        trials: All answers, at least 1.
        p_value: Probability of at least as many right answers by guessing (exact binomial test, one-sided).
        low: Lower end of the 95 % interval of the rate of right answers (Clopper-Pearson).
        high: Its upper end.
    """

    correct: int
    trials: int
    p_value: float
    low: float
    high: float


@cache
def proportion(correct: int, trials: int) -> Proportion:
    """Return how often a listener was right, with its p-value and interval.

    Args:
        correct: Right answers, 0 to `trials`.
        trials: All answers, at least 1.

    Raises:
        ValueError: The counts are impossible.
    """
    chance = binomtest(correct, trials, CHANCE, alternative="greater")
    interval = binomtest(correct, trials, CHANCE).proportion_ci(CONFIDENCE, method="exact")
    return Proportion(correct, trials, float(chance.pvalue), float(interval.low), float(interval.high))
