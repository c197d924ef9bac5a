"""The conformance checks: ten levels of laws for any stage, artifact or preset, each harder than the one before.

After pluginval's levels and clap-validator. `highband check` runs it; so do the tests.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from plugin_host.checks import knobs, load, stream
from plugin_host.checks.result import Verdict
from plugin_host.checks.target import Subject

Law = Callable[[Subject, np.random.Generator], Iterator[Verdict]]
# It lasts minutes, so it runs only on request.
LASTING = 10


@dataclass(frozen=True)
class Level:
    """One level.

    Attributes:
        number: 1 to 10.
        title: What it is about.
        law: Tries it.
    """

    number: int
    title: str
    law: Law


LEVELS: tuple[Level, ...] = (
    Level(1, "describes itself, silence stays silent", stream.describes_itself),
    Level(2, "knobs: defaults, texts, refusals, audible", knobs.declares_knobs),
    Level(3, "rates, layouts and hostile sound give finite output", stream.gives_finite_output),
    Level(4, "blocks equal whole, declared latency, reset", stream.equals_whole),
    Level(5, "bypass is the delayed input, without a click", knobs.bypasses),
    Level(6, "knobs jump at random samples without a click", knobs.makes_no_click),
    Level(7, "knobs turned from another thread", knobs.bears_other_threads),
    Level(8, "larger blocks, other rates, resets", stream.bears_changes),
    Level(9, "memory over a thousand blocks, time of a block", load.stays_small),
    Level(LASTING, "minutes beside a busy thread and control traffic", load.lasts),
)


@dataclass(frozen=True)
class Report:
    """The result of a level.

    Attributes:
        level: Which one.
        verdicts: One a law.
    """

    level: Level
    verdicts: Sequence[Verdict]

    @property
    def faults(self) -> list[Verdict]:
        """The laws that are broken."""
        return [verdict for verdict in self.verdicts if not verdict.holds]

    @property
    def notes(self) -> list[str]:
        """What a person may want to know of those that hold."""
        return [f"{verdict.law}: {verdict.note}" for verdict in self.verdicts if verdict.holds and verdict.note]


def levels(number: int | None = None) -> list[Level]:
    """Return the level of that number, or by default all that last seconds; raise ValueError if there is none."""
    if number is None:
        return [level for level in LEVELS if level.number != LASTING]
    chosen = [level for level in LEVELS if level.number == number]
    if not chosen:
        raise ValueError(f"there is no level {number}; the levels are 1 to {LASTING}")
    return chosen


def run(level: Level, subject: Subject, seed: int = 0, minutes: float = 10.0) -> Report:
    """Hold a subject to one level.

    Args:
        level: One of `LEVELS`.
        subject: What is examined.
        seed: Of everything random in it.
        minutes: How long level 10 lasts.
    """
    chance = np.random.default_rng((seed, level.number))
    verdicts: list[Verdict] = []
    try:
        if level.number == LASTING:
            verdicts += load.lasts(subject, chance, minutes)
        else:
            verdicts.extend(level.law(subject, chance))
    except Exception as error:  # A stage that raises has broken the contract, and the next levels still run.
        reason = " ".join(str(error).split())
        verdicts.append(Verdict("it raises nothing", f"{type(error).__name__}: {reason}"[:300]))
    return Report(level, verdicts)
