"""A listener's way through a test: one answer a trial, written at once, and what the answers prove at the end."""

from __future__ import annotations

import csv
import io
import secrets
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, ClassVar, Generic, NamedTuple, Protocol, TypeVar

from pydantic import BaseModel, ConfigDict, Field

from models.atomic_write import write_atomically
from plugin_host.panel.listening.excerpts import Excerpt
from plugin_host.panel.listening.groups import ListeningError

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
    seconds: float = Field(ge=0.0, le=1e6, allow_inf_nan=False)


class Trial(Protocol):
    """A question: versions of one recording, each under the name of a button."""

    @property
    def item(self) -> str:
        """The recording."""

    @property
    def slots(self) -> Mapping[str, str]:
        """The version behind each button."""


class ListeningPage(NamedTuple):
    """What the page of a kind of test has of its own.

    Attributes:
        name: Of its script, and of its part of the page.
        heading: The question.
        about: What the listener does.
        columns: Heads of the table of results.
        meaning: How to read it.
    """

    name: str
    heading: str
    about: str
    columns: tuple[str, ...]
    meaning: str


TrialT = TypeVar("TrialT", bound=Trial)
AnswerT = TypeVar("AnswerT", bound=Answer)
Row = dict[str, str]


@dataclass
class Session(Generic[TrialT, AnswerT]):
    """One listener's trials and answers so far."""

    number: int
    listener: str
    trials: list[TrialT]
    answers: list[AnswerT] = field(default_factory=list)

    @property
    def newest(self) -> tuple[TrialT, AnswerT]:
        """The last trial that was answered, and its answer."""
        return self.trials[len(self.answers) - 1], self.answers[-1]


class Listening(ABC, Generic[TrialT, AnswerT]):
    """A test of some recordings, its sessions, and the file that holds their answers.

    Args:
        excerpts: The versions of each recording, as they are played.
        output: The CSV; answers are added to those that it holds.
        seed: Of the order of every session.

    Raises:
        ListeningError: The CSV holds something else, or can't be read.
    """

    columns: ClassVar[tuple[str, ...]]
    page: ClassVar[ListeningPage]
    form: type[AnswerT]

    def __init__(self, excerpts: Mapping[str, list[Excerpt]], output: Path, seed: int) -> None:
        self.excerpts = {item: {one.version: one for one in made} for item, made in excerpts.items()}
        self.output, self._seed = output, seed
        self._rows = _rows_of(output, self.columns)
        self._sessions: dict[str, Session[TrialT, AnswerT]] = {}

    @abstractmethod
    def _plan(self, seed: tuple[int, int]) -> list[TrialT]:
        """Return the trials of a session."""

    @abstractmethod
    def _fields(self, session: Session[TrialT, AnswerT]) -> list[tuple[Any, ...]]:
        """Return the rows of the newest answer, without time, session, seed, listener and trial."""

    @abstractmethod
    def _results(self, session: Session[TrialT, AnswerT]) -> dict[str, Any]:
        """Return what is shown once all is answered."""

    def _refuse(self, trial: TrialT, answer: AnswerT) -> None:
        """Raise ListeningError where an answer does not fit its trial."""

    def open(self, listener: Listener) -> str:
        """Begin a session and return the word that names it."""
        if len(self._sessions) >= _MOST_SESSIONS:
            raise ListeningError("this test was opened too often; start highband listen again")
        number, word = len(self._sessions) + 1, secrets.token_urlsafe(8)
        self._sessions[word] = Session(number, listener.name, self._plan((self._seed, number)))
        return word

    def session(self, word: str) -> Session[TrialT, AnswerT]:
        """Return a session; raise ListeningError where there is none of this name."""
        if word not in self._sessions:
            raise ListeningError("this test has ended; load the page again")
        return self._sessions[word]

    def sound(self, word: str, trial: int, slot: str) -> bytes:
        """Return the WAV file that plays in a trial behind a button."""
        trials = self.session(word).trials
        if not 0 <= trial < len(trials) or slot not in trials[trial].slots:
            raise ListeningError("there is no such sound; load the page again")
        return self.excerpts[trials[trial].item][trials[trial].slots[slot]].wav

    def answer(self, word: str, answer: AnswerT) -> None:
        """Keep an answer and write the CSV; raise ListeningError where it is not the next, or can't be written."""
        session = self.session(word)
        if answer.trial != len(session.answers) or answer.trial >= len(session.trials):
            raise ListeningError("this trial was answered already; load the page again")
        self._refuse(session.trials[answer.trial], answer)
        session.answers.append(answer)
        rows = [*self._rows, *self._new_rows(session)]
        try:
            write_atomically(self.output, _csv(rows, self.columns))
        except OSError as error:
            session.answers.pop()
            raise ListeningError(
                f"{self.output} can't be written: {(error.strerror or str(error)).lower()}; free it and answer again"
            ) from None
        self._rows = rows

    def _new_rows(self, session: Session[TrialT, AnswerT]) -> list[Row]:
        time = datetime.now(UTC).isoformat(timespec="seconds")
        start = (time, session.number, self._seed, session.listener, len(session.answers))
        return [dict(zip(self.columns, map(str, (*start, *fields)), strict=True)) for fields in self._fields(session)]

    def state(self, word: str) -> dict[str, Any]:
        """Return what the page shows: how far the listener is, and the results once all is answered."""
        session = self.session(word)
        at, count = len(session.answers), len(session.trials)
        state: dict[str, Any] = {"trial": at, "trials": count}
        if at < count:
            return {**state, "slots": sorted(session.trials[at].slots)}
        return {**state, **self._results(session), "output": str(self.output)}


def _rows_of(output: Path, columns: tuple[str, ...]) -> list[Row]:
    """Return the answers that a file holds already; raise ListeningError where it holds something else."""
    try:
        with output.open(newline="", encoding="utf-8") as file:
            reader = csv.DictReader(file)
            if tuple(reader.fieldnames or ()) != columns:
                raise ListeningError(f"{output} holds something else than such answers; choose another --output")
            return list(reader)
    except FileNotFoundError:
        return []
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise ListeningError(f"{output} can't be read: {error}; choose another --output") from None


def _csv(rows: list[Row], columns: tuple[str, ...]) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, columns)
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()
