"""Laws of the order: the seed decides it, and nothing in it can be guessed from balance that is missing."""

from __future__ import annotations

from collections import Counter

import pytest

from plugin_host.panel.listening.plan import plan

ITEMS = {"drums": ["clean", "dull", "bright"], "voice": ["clean", "dull"]}


def test_the_seed_decides_the_order() -> None:
    orders = [plan(ITEMS, None, 10, (seed, 1)) for seed in (1, 1, 2)]
    assert orders[0] == orders[1] != orders[2]
    assert plan(ITEMS, None, 10, (1, 2)) != orders[0]


@pytest.mark.parametrize("rounds", [1, 7, 10])
def test_a_pair_is_balanced_in_sides_x_and_recordings(rounds: int) -> None:
    trials = plan(ITEMS, "clean", rounds, (4, 1))
    pairs = Counter(trial.pair for trial in trials)
    assert pairs == {("clean", "dull"): rounds, ("bright", "clean"): rounds}
    for pair in pairs:
        own = [trial for trial in trials if trial.pair == pair]
        assert abs(2 * sum(trial.is_x_a for trial in own) - rounds) <= 1
        assert abs(2 * sum(trial.a == "clean" for trial in own) - rounds) <= 1
        counts = Counter(trial.item for trial in own)
        assert max(counts.values()) - min(counts.values()) <= 1
    assert all(trial.x == (trial.a if trial.is_x_a else trial.b) for trial in trials)


def test_each_place_of_the_order_is_even_over_seeds() -> None:
    orders = [plan({"item": ["one", "other"]}, None, 10, (seed, 1)) for seed in range(400)]
    for place in range(10):
        assert 150 < sum(order[place].is_x_a for order in orders) < 250
        assert 150 < sum(order[place].a == "one" for order in orders) < 250
