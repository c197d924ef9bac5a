"""A listener's way through a test: one answer a trial, written at once, and what the answers prove at the end."""

from __future__ import annotations

import csv
import io
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from models.atomic_write import write_atomically
from plugin_host.panel.listening.excerpts import Excerpt
from plugin_host.panel.listening.groups import ListeningError
from plugin_host.panel.listening.plan import Trial, plan
from plugin_host.panel.listening.statistics import Proportion, proportion

COLUMNS = (
    "time", "session", "seed", "listener", "trial", "item", "a", "b", "x", "answer", "correct", "seconds",
    "lufs_a", "lufs_b", "correct_so_far", "trials_so_far", "p_value", "ci95_low", "ci95_high",
)  # fmt: skip
_MOST_SESSIONS = 1000


class Listener(BaseModel):
    """Who takes the test."""

    model_config = ConfigDict(extra="forbid")
    # A name that begins like a formula would be one in a spreadsheet.
    name: str = Field(default="", max_length=40, pattern=r"^([\w][\w .-]*)?$")


class Answer(BaseModel):
    """What a listener says of a trial."""

    model_config = ConfigDict(extra="forbid")
    trial: int = Field(ge=0, le=100_000)
    choice: Literal["A", "B"]
    seconds: float = Field(ge=0.0, le=1e6, allow_inf_nan=False)


@dataclass
class Session:
    """One listener's trials and answers so far."""

    number: int
    listener: str
    trials: list[Trial]
    answers: list[Answer] = field(default_factory=list)

    def result(self, pair: tuple[str, str]) -> Proportion:
        """Return how often the listener was right on a pair so far."""
        judged = [
            (answer.choice == "A") == trial.is_x_a
            for trial, answer in zip(self.trials, self.answers, strict=False)
            if trial.pair == pair
        ]
        return proportion(sum(judged), len(judged))


class Listening:
    """A test of some recordings, its sessions, and the file that holds their answers.

    Args:
        excerpts: The versions of each recording, as they are played.
        output: The CSV; answers are added to those that it holds.
        rounds: Trials of each pair.
        seed: Of the order of every session.
        reference: Version with which the others are compared.

    Raises:
        ListeningError: The CSV holds something else, or can't be read.
    """

    def __init__(
        self, excerpts: Mapping[str, list[Excerpt]], output: Path, rounds: int, seed: int, reference: str | None = None
    ) -> None:
        self.excerpts = {item: {one.version: one for one in made} for item, made in excerpts.items()}
        self._versions = {item: list(made) for item, made in self.excerpts.items()}
        self.output, self._rounds, self._seed, self._reference = output, rounds, seed, reference
        self._rows = _rows_of(output)
        self._sessions: dict[str, Session] = {}

    def open(self, listener: Listener) -> str:
        """Begin a session and return the word that names it."""
        if len(self._sessions) >= _MOST_SESSIONS:
            raise ListeningError("this test was opened too often; start highband listen again")
        number = len(self._sessions) + 1
        trials = plan(self._versions, self._reference, self._rounds, (self._seed, number))
        word = secrets.token_urlsafe(8)
        self._sessions[word] = Session(number, listener.name, trials)
        return word

    def session(self, word: str) -> Session:
        """Return a session; raise ListeningError where there is none of this name."""
        if word not in self._sessions:
            raise ListeningError("this test has ended; load the page again")
        return self._sessions[word]

    def sound(self, word: str, trial: int, slot: str) -> bytes:
        """Return the WAV file that plays in a trial as `a`, `b` or `x`."""
        trials = self.session(word).trials
        if slot not in ("a", "b", "x") or not 0 <= trial < len(trials):
            raise ListeningError("there is no such sound; load the page again")
        return self.excerpts[trials[trial].item][getattr(trials[trial], slot)].wav

    def answer(self, word: str, answer: Answer) -> None:
        """Keep an answer and write the CSV; raise ListeningError where it is not the next, or can't be written."""
        session = self.session(word)
        if answer.trial != len(session.answers) or answer.trial >= len(session.trials):
            raise ListeningError("this trial was answered already; load the page again")
        session.answers.append(answer)
        rows = [*self._rows, self._row(session)]
        try:
            write_atomically(self.output, _csv(rows))
        except OSError as error:
            session.answers.pop()
            raise ListeningError(
                f"{self.output} can't be written: {(error.strerror or str(error)).lower()}; free it and answer again"
            ) from None
        self._rows = rows

    def state(self, word: str) -> dict[str, Any]:
        """Return what the page shows: how far the listener is, and the results once all is answered."""
        session = self.session(word)
        state: dict[str, Any] = {"trial": len(session.answers), "trials": len(session.trials)}
        if len(session.answers) == len(session.trials):
            pairs = dict.fromkeys(trial.pair for trial in session.trials)
            state["results"] = [{"pair": list(pair), **vars(session.result(pair))} for pair in pairs]
            state["output"] = str(self.output)
        return state

    def _row(self, session: Session) -> dict[str, str]:
        answer = session.answers[-1]
        trial = session.trials[answer.trial]
        result = session.result(trial.pair)
        levels = self.excerpts[trial.item]
        values = (
            datetime.now(UTC).isoformat(timespec="seconds"), session.number, self._seed, session.listener,
            answer.trial + 1, trial.item, trial.a, trial.b, "A" if trial.is_x_a else "B", answer.choice,
            int((answer.choice == "A") == trial.is_x_a), f"{answer.seconds:.1f}",
            f"{levels[trial.a].lufs:.2f}", f"{levels[trial.b].lufs:.2f}", result.correct, result.trials,
            f"{result.p_value:.6g}", f"{result.low:.4f}", f"{result.high:.4f}",
        )  # fmt: skip
        return dict(zip(COLUMNS, map(str, values), strict=True))


def _rows_of(output: Path) -> list[dict[str, str]]:
    """Return the answers that a file holds already; raise ListeningError where it holds something else."""
    try:
        with output.open(newline="", encoding="utf-8") as file:
            reader = csv.DictReader(file)
            if tuple(reader.fieldnames or ()) != COLUMNS:
                raise ListeningError(f"{output} holds something else than answers; choose another --output")
            return list(reader)
    except FileNotFoundError:
        return []
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise ListeningError(f"{output} can't be read: {error}; choose another --output") from None


def _csv(rows: list[dict[str, str]]) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, COLUMNS)
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()
