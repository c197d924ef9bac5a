"""ABX: is X the same sound as A or as B? A forced choice, judged by an exact binomial test."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from plugin_host.panel.listening.excerpts import Excerpt
from plugin_host.panel.listening.plan import Trial, plan
from plugin_host.panel.listening.session import Answer, Listening, ListeningPage, Session
from plugin_host.panel.listening.statistics import Proportion, proportion


class Choice(Answer):
    """Which of the two X is."""

    choice: Literal["A", "B"]


class Abx(Listening[Trial, Choice]):
    """A test of pairs of versions; see `Listening`.

    Args:
        excerpts: The versions of each recording, as they are played.
        output: The CSV.
        rounds: Trials of each pair.
        seed: Of the order of every session.
        reference: Version with which the others are compared.
    """

    columns = (
        "time", "session", "seed", "listener", "trial", "item", "a", "b", "x", "answer", "correct", "seconds",
        "lufs_a", "lufs_b", "correct_so_far", "trials_so_far", "p_value", "ci95_low", "ci95_high",
    )  # fmt: skip
    form = Choice
    page = ListeningPage(
        "abx",
        "Which one is X?",
        "X is the same sound as A or as B. Switch as often as you like; all play in step and equally loud.",
        ("Versions", "Correct", "p-value", "95 % interval"),
        "The p-value is the probability of at least as many right answers by guessing.",
    )

    def __init__(
        self, excerpts: Mapping[str, list[Excerpt]], output: Path, rounds: int, seed: int, reference: str | None = None
    ) -> None:
        super().__init__(excerpts, output, seed)
        self._rounds, self._reference = rounds, reference

    def _plan(self, seed: tuple[int, int]) -> list[Trial]:
        versions = {item: list(made) for item, made in self.excerpts.items()}
        return plan(versions, self._reference, self._rounds, seed)

    def _fields(self, session: Session[Trial, Choice]) -> list[tuple[Any, ...]]:
        trial, answer = session.newest
        result, levels = result_of(session, trial.pair), self.excerpts[trial.item]
        is_right = (answer.choice == "A") == trial.is_x_a
        return [(
            trial.item, trial.a, trial.b, "A" if trial.is_x_a else "B", answer.choice, int(is_right),
            f"{answer.seconds:.1f}", f"{levels[trial.a].lufs:.2f}", f"{levels[trial.b].lufs:.2f}", result.correct,
            result.trials, f"{result.p_value:.6g}", f"{result.low:.4f}", f"{result.high:.4f}",
        )]  # fmt: skip

    def _results(self, session: Session[Trial, Choice]) -> dict[str, Any]:
        pairs = dict.fromkeys(trial.pair for trial in session.trials)
        return {"results": [{"pair": list(pair), **vars(result_of(session, pair))} for pair in pairs]}


def result_of(session: Session[Trial, Choice], pair: tuple[str, str]) -> Proportion:
    """Return how often the listener was right on a pair so far."""
    judged = [
        (answer.choice == "A") == trial.is_x_a
        for trial, answer in zip(session.trials, session.answers, strict=False)
        if trial.pair == pair
    ]
    return proportion(sum(judged), len(judged))
