"""The trials of a test: which pairs, on which side, and which of the two is X; drawn by a seed and balanced."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Trial:
    """One question: is X the same as A or as B?

    Attributes:
        item: The recording.
        a: Version that plays as A.
        b: Version that plays as B.
        is_x_a: Whether X is A, else B.
    """

    item: str
    a: str
    b: str
    is_x_a: bool

    @property
    def x(self) -> str:
        """Version that plays as X."""
        return self.a if self.is_x_a else self.b

    @property
    def slots(self) -> Mapping[str, str]:
        """The version behind each button."""
        return {"a": self.a, "b": self.b, "x": self.x}

    @property
    def pair(self) -> tuple[str, str]:
        """The two versions, in one order whichever side they are on."""
        first, second = sorted((self.a, self.b))
        return first, second


def plan(items: Mapping[str, Sequence[str]], reference: str | None, rounds: int, seed: Sequence[int]) -> list[Trial]:
    """Return the trials in their order: each pair `rounds` times, its recordings by turns.

    X is A in half of a pair's trials, and each version is A in half of them, within one where the number is odd.

    Args:
        items: The versions of each recording.
        reference: With which every other version is compared; by default a recording's first.
        rounds: Trials of each pair.
        seed: Of the order; the same gives the same.
    """
    random = np.random.default_rng(list(seed))
    pairs: dict[tuple[str, str], list[str]] = {}
    for item, versions in items.items():
        base = reference if reference is not None and reference in versions else versions[0]
        for version in versions:
            if version != base:
                pairs.setdefault((base, version), []).append(item)
    trials = []
    for (base, version), names in pairs.items():
        order = random.permutation(len(names))
        is_x_a, is_base_a = _balanced(rounds, random), _balanced(rounds, random)
        for number in range(rounds):
            sides = (base, version) if is_base_a[number] else (version, base)
            trials.append(Trial(names[order[number % len(names)]], *sides, bool(is_x_a[number])))
    return [trials[i] for i in random.permutation(len(trials))]


def _balanced(count: int, random: np.random.Generator) -> list[bool]:
    """Return a random order of as many true as false, one more of either where the count is odd."""
    first = bool(random.integers(2))
    return [bool(one) for one in random.permutation([first ^ bool(i % 2) for i in range(count)])]
