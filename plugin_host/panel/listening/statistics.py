"""What answers prove: an exact binomial test of a forced choice, the median of ratings, and exact intervals of both."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from statistics import median

from scipy.stats import binom, binomtest

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


@dataclass(frozen=True)
class Median:
    """What ratings of one version have in the middle.

    Attributes:
        median: Of the ratings.
        low: Lower end of its interval, a rating; it needs no assumption on how they are distributed.
        high: Its upper end.
        count: Ratings, at least 1.
        confidence: Of the interval, at least 95 % from six ratings on; fewer can't be so sure.
    """

    median: float
    low: int
    high: int
    count: int
    confidence: float


def median_of(ratings: Sequence[int]) -> Median:
    """Return the median of ratings, at least one, with the narrowest interval between two ratings of 95 %.

    How many of the ratings lie below the true median has the binomial distribution of a fair coin.
    """
    ordered, count = sorted(ratings), len(ratings)
    # So many at each end may be left out.
    tails = [float(binom.cdf(skipped, count, 0.5)) for skipped in range((count + 1) // 2)]
    skipped = max((k for k, tail in enumerate(tails) if tail <= (1.0 - CONFIDENCE) / 2.0), default=0)
    low, high = ordered[skipped], ordered[count - 1 - skipped]
    return Median(float(median(ordered)), low, high, count, max(0.0, 1.0 - 2.0 * tails[skipped]))
