"""MUSHRA (ITU-R BS.1534): versions, a hidden reference and anchors, rated from 0 to 100 beside the open reference."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from pydantic import Field

from plugin_host.panel.listening.anchors import ANCHORS_HZ
from plugin_host.panel.listening.excerpts import Excerpt
from plugin_host.panel.listening.groups import ListeningError
from plugin_host.panel.listening.session import Answer, Listening, ListeningPage, Row, Session
from plugin_host.panel.listening.statistics import median_of

# The button of the open reference; the others are numbered.
REFERENCE = "reference"
# Where a listener rates the hidden reference below this, or the better anchor above it, in more than this share of the
# trials, the standard leaves all his ratings out.
_GOOD, _MOST_WRONG = 90, 0.15
# The standard's own limit on what one listener can keep apart.
MOST_VERSIONS = 12


@dataclass(frozen=True)
class Rated:
    """One recording: the version behind each button."""

    item: str
    slots: Mapping[str, str]


class Ratings(Answer):
    """A score for each button but the open reference's."""

    scores: dict[str, Annotated[int, Field(ge=0, le=100, strict=True)]] = Field(max_length=MOST_VERSIONS)


class Mushra(Listening[Rated, Ratings]):
    """A test by ratings; see `Listening`.

    Args:
        excerpts: The versions of each recording, anchors among them, as they are played.
        output: The CSV.
        rounds: How often each recording is rated.
        seed: Of the order of every session.
        reference: The version that is open, and hidden among the others; by default a recording's first.

    Raises:
        ListeningError: A recording has too many versions; see `Listening` too.
    """

    columns = (
        "time", "session", "seed", "listener", "trial", "item", "version", "is_reference", "position", "score",
        "seconds", "lufs",
    )  # fmt: skip
    form = Ratings
    page = ListeningPage(
        "mushra",
        "How near is each to the reference?",
        "Rate each sound against the reference: 100 is no difference. One of them is the reference itself, so at least "
        "one deserves 100. All play in step and equally loud.",
        ("Version", "Median", "Interval", "Ratings"),
        'Of <span id="listeners"></span> The interval is that of the median (95 % from six ratings on).',
    )

    def __init__(
        self, excerpts: Mapping[str, list[Excerpt]], output: Path, rounds: int, seed: int, reference: str | None = None
    ) -> None:
        super().__init__(excerpts, output, seed)
        self._rounds = rounds
        self._references = {
            item: reference if reference in made else next(iter(made)) for item, made in self.excerpts.items()
        }
        for item, made in self.excerpts.items():
            if len(made) > MOST_VERSIONS:
                raise ListeningError(
                    f"{item} has {len(made)} versions with its anchors; compare {MOST_VERSIONS} at most"
                )

    def _plan(self, seed: tuple[int, int]) -> list[Rated]:
        """Return the recordings in a random order, and each time their versions in another one."""
        random, trials = np.random.default_rng(list(seed)), []
        items = list(self.excerpts)
        for _ in range(self._rounds):
            for place in random.permutation(len(items)):
                item = items[place]
                versions = list(self.excerpts[item])
                order = [versions[i] for i in random.permutation(len(versions))]
                slots = {f"{number:02d}": version for number, version in enumerate(order, 1)}
                trials.append(Rated(item, {REFERENCE: self._references[item], **slots}))
        return trials

    def _refuse(self, trial: Rated, answer: Ratings) -> None:
        if answer.scores.keys() | {REFERENCE} != trial.slots.keys() or REFERENCE in answer.scores:
            raise ListeningError("a score is missing; rate every sound")

    def _fields(self, session: Session[Rated, Ratings]) -> list[tuple[Any, ...]]:
        trial, answer = session.newest
        rows = []
        for slot, score in sorted(answer.scores.items()):
            version = trial.slots[slot]
            is_reference = int(version == self._references[trial.item])
            lufs = f"{self.excerpts[trial.item][version].lufs:.2f}"
            rows.append((trial.item, version, is_reference, int(slot), score, f"{answer.seconds:.1f}", lufs))
        return rows

    def _results(self, session: Session[Rated, Ratings]) -> dict[str, Any]:
        """Return medians over every listener of the file whom the standard does not leave out."""
        return summarise(self._rows)


def summarise(rows: Sequence[Row]) -> dict[str, Any]:
    """Return each version's median with its interval, and how many listeners were left out.

    Args:
        rows: Of the CSV, of any number of sessions.
    """
    sessions: dict[tuple[str, ...], list[Row]] = {}
    for row in rows:
        sessions.setdefault((row["seed"], row["session"], row["listener"]), []).append(row)
    kept = [own for own in sessions.values() if is_reliable(own)]
    scores: dict[str, list[int]] = {}
    for row in (row for own in kept for row in own):
        scores.setdefault(row["version"], []).append(int(row["score"]))
    results = [{"version": version, **vars(median_of(given))} for version, given in scores.items()]
    results.sort(key=lambda one: -one["median"])
    return {"results": results, "listeners": len(kept), "left_out": len(sessions) - len(kept)}


def is_reliable(rows: Sequence[Row]) -> bool:
    """Return whether a listener's ratings count, by the post-screening of BS.1534-3."""
    references = [int(row["score"]) < _GOOD for row in rows if row["is_reference"] == "1"]
    better = f"anchor {max(ANCHORS_HZ) / 1000.0:g} kHz"
    anchors = [int(row["score"]) > _GOOD for row in rows if row["version"] == better]
    return all(sum(wrong) <= _MOST_WRONG * len(wrong) for wrong in (references, anchors))
