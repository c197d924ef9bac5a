"""What was rendered into a folder, of which content and with which sound: a database with one writer.

An output is written beside its place first. Its size and time are noted before it is put there, so that at any moment
a killed batch can be gone on with: what is noted is put in place, what is not is rendered again.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Self

from plugin_host.render.batch.database import open_database
from plugin_host.render.batch.plan import Job, from_text, place_of, to_text
from plugin_host.render.batch.storage import is_remote, trace_of
from plugin_host.render.stopped import is_resumable, remove_rest

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

JOURNAL_NAME = ".highband-journal.sqlite"
_MOST_NAMES = 64
# What a stopped render can be gone on with is as large as its output.
_KEPT_S = 7 * 86400.0


@dataclass(frozen=True)
class Staged:
    """An output that is complete but not in its place yet.

    Attributes:
        path: Where it is, on the disk of its place.
        input_digest: Hash of the input's content.
        key: Hash of all that decides the output's content.
        figures: For the report.
    """

    path: str
    input_digest: str
    key: str
    figures: Mapping[str, Any]


class _Noted(NamedTuple):
    """What is noted of an output; size and time of its file where it was complete once."""

    size: int | None
    mtime_ns: int | None
    state: str
    key: str | None
    staged: str | bytes | None


class Journal:
    """The journal at a path; `with` closes it.

    What a killed batch could lose is kept at once: that an output is begun or complete, and what was measured. The rest
    is kept with what comes next, since a transaction takes as long as a note: a killed batch has it to do again.

    Args:
        path: The database; outputs below its folder are noted relative to it, so that the folder may be moved.

    Raises:
        BatchError: Another process renders into the folder.
    """

    def __init__(self, path: Path) -> None:
        self._folder = os.path.realpath(path.parent)
        # Asked several times for one output.
        self._name = lru_cache(_MOST_NAMES)(self._name_of)
        self._database = open_database(path)
        self._recover()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Keep all that is noted, and close the database."""
        self._database.commit()
        self._database.close()

    def input_digest(self, source: str) -> str | None:
        """Return the hash of an input's content where it is known and the file was not touched since."""
        row = self._database.execute(
            "SELECT size, mtime_ns, digest FROM inputs WHERE source = ?", (to_text(place_of(source)),)
        ).fetchone()
        return str(row[2]) if row and row[:2] == trace_of(source) else None

    def key_of(self, target: str) -> str | None:
        """Return the key of an output that is in its place, rendered here and untouched since; else None."""
        return _key(self._noted(target), target)

    def is_ours(self, target: str) -> bool:
        """Return whether a file was rendered here and not touched since, or begun to be put there by a killed batch."""
        if is_remote(target) and (row := self.row(target)) and row["state"] == "claimed":
            return True
        return _is_untouched(self._noted(target), target)

    def note_input(self, source: str, digest: str, trace: tuple[int, int] | None) -> None:
        """Note the hash of a content that was read while the input had this size and time."""
        if trace is not None:
            row = (to_text(place_of(source)), *trace, digest)
            self._database.execute("INSERT OR REPLACE INTO inputs VALUES (?, ?, ?, ?)", row)

    def note_energies(self, key: str, energies: NDArray[np.float64]) -> None:
        """Note how loud an output is over time, before it is brought to a loudness."""
        self._database.execute("INSERT OR REPLACE INTO energies VALUES (?, ?)", (key, energies.tobytes()))
        self._database.commit()

    def energies(self, keys: Iterable[str]) -> list[NDArray[np.float64]]:
        """Return what is noted for keys, where something is."""
        import numpy as np

        query = "SELECT content FROM energies WHERE key = ?"
        rows = (self._database.execute(query, (key,)).fetchone() for key in keys)
        return [np.frombuffer(row[0]) for row in rows if row]

    def start(self, job: Job, staging: str) -> None:
        """Note that an output is begun in a staging folder; the one before stays in its place until then."""
        self._note(job, "started", staged=to_text(staging))
        self._database.commit()

    def fail(self, job: Job, fault: str) -> None:
        """Note why there is no output, or no new one."""
        self._note(job, "failed", fault=fault)

    def complete(self, job: Job, staged: Staged) -> None:
        """Note a complete output, then put it in its place; raise OSError where it can't be."""
        self._note_made(job, staged, "staged")
        self._put_in_place(self._name(job.target), staged.path)

    def note_uploaded(self, job: Job, staged: Staged) -> None:
        """Note an output that is in its place already, elsewhere; `staged` names it there."""
        self._note_made(job, staged, "done")

    def forget(self, job: Job) -> None:
        """Forget that an output was begun; the one before counts again."""
        self._give_up(self._name(job.target))

    def give_up(self, job: Job) -> None:
        """Remove an output that was begun, but what it can be gone on with; the one before counts again."""
        row = self._noted(job.target)
        self._give_up(self._name(job.target), from_text(row.staged) if row and row.staged else None)

    def before(self, target: str) -> tuple[str | None, str | None]:
        """Return what `key_of` does, and the staging folder from which an output can be gone on with, or None."""
        row = self._noted(target)
        staging = from_text(row.staged) if row and row.staged else None
        return _key(row, target), staging if staging and is_resumable(staging) else None

    def row(self, target: str) -> dict[str, Any] | None:
        """Return what is noted of an output, its figures beside the rest."""
        return next(self._rows("WHERE target = ?", to_text(self._name(target))), None)

    def rows(self) -> Iterator[dict[str, Any]]:
        """Yield what is noted of each output by name."""
        yield from self._rows("ORDER BY target")

    def _rows(self, clause: str, *values: str | bytes) -> Iterator[dict[str, Any]]:
        query = f"SELECT source, target, state, at, fault, figures FROM outputs {clause}"
        for source, target, state, at, fault, figures in self._database.execute(query, values):
            name = from_text(target)
            place = name if is_remote(name) else os.path.join(self._folder, name)
            yield {
                "source": from_text(source), "target": place, "state": state, "at": at, "fault": fault or "",
                **(json.loads(figures) if figures else {}),
            }  # fmt: skip

    def _noted(self, target: str) -> _Noted | None:
        query = "SELECT size, mtime_ns, state, key, staged FROM outputs WHERE target = ?"
        row = self._database.execute(query, (to_text(self._name(target)),)).fetchone()
        return row and _Noted(*row)

    def _note(self, job: Job, state: str, *, staged: str | bytes | None = None, fault: str | None = None) -> None:
        row = (to_text(self._name(job.target)), to_text(place_of(job.source)), state, staged, time.time(), fault)
        self._database.execute(
            "INSERT INTO outputs (target, source, state, staged, at, fault) VALUES (?, ?, ?, ?, ?, ?)"
            " ON CONFLICT (target) DO UPDATE SET source = excluded.source, state = excluded.state,"
            " staged = excluded.staged, at = excluded.at, fault = excluded.fault",
            row,
        )

    def _note_made(self, job: Job, staged: Staged, state: str) -> None:
        trace = trace_of(staged.path) or (None, None)
        row = (
            to_text(self._name(job.target)), to_text(place_of(job.source)), state, staged.key,
            staged.input_digest, *trace, to_text(staged.path), time.time(),
            json.dumps(staged.figures, default=str), None,
        )  # fmt: skip
        self._database.execute("INSERT OR REPLACE INTO outputs VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", row)
        self._database.commit()

    def _put_in_place(self, name: str, staged: str) -> None:
        folder, place = os.path.split(staged)[0], os.path.join(self._folder, name)
        # What is staged beside it, such as a picture, goes along.
        names = [name for name in os.listdir(folder) if not name.endswith(".partial")]
        for other in sorted(names, key=lambda other: other == os.path.basename(staged)):
            os.replace(os.path.join(folder, other), os.path.join(os.path.dirname(place), other))
        shutil.rmtree(folder, ignore_errors=True)
        self._database.execute("UPDATE outputs SET state = 'done', staged = NULL WHERE target = ?", (to_text(name),))

    def _give_up(self, name: str, staging: str | None = None) -> None:
        """Return to the output that was there before, if there was one; keep what a new one can be gone on with."""
        row = (to_text(name),)
        if staging and remove_rest(staging) and not is_remote(name):
            query = "UPDATE outputs SET state = iif(size IS NULL, 'stopped', 'done') WHERE target = ?"
            self._database.execute(query, row)
            return
        if is_remote(name):
            # It may have been put in place before that could be noted.
            query = "UPDATE outputs SET state = 'claimed', staged = NULL WHERE target = ? AND state = 'started'"
            self._database.execute(query, row)
            return
        self._database.execute("DELETE FROM outputs WHERE target = ? AND size IS NULL AND state != 'done'", row)
        self._database.execute(
            "UPDATE outputs SET state = 'done', staged = NULL WHERE target = ? AND staged IS NOT NULL", row
        )

    def _recover(self) -> None:
        """Finish what a killed batch had noted as complete, and remove what it had only begun."""
        query = "SELECT target, state, size, mtime_ns, staged FROM outputs WHERE staged IS NOT NULL"
        for target, state, size, mtime_ns, staged_text in self._database.execute(query).fetchall():
            name, staged = from_text(target), from_text(staged_text)
            if state != "staged":
                if _is_old(staged):
                    shutil.rmtree(staged, ignore_errors=True)
                self._give_up(name, staged)
            elif trace_of(staged) == (size, mtime_ns):
                with contextlib.suppress(OSError):
                    self._put_in_place(name, staged)
            else:
                shutil.rmtree(os.path.dirname(staged), ignore_errors=True)
                is_there = trace_of(os.path.join(self._folder, name)) == (size, mtime_ns)
                state = "done" if is_there else "failed"
                self._database.execute("UPDATE outputs SET state = ?, staged = NULL WHERE target = ?", (state, target))

    def _name_of(self, target: str) -> str:
        """Return the path below the journal's folder, or from the root where it is not below."""
        place = place_of(target)
        return place[len(self._folder) + 1 :] if place.startswith(self._folder + os.sep) else place


def _is_untouched(row: _Noted | None, target: str) -> bool:
    return row is not None and row.size is not None and (row.size, row.mtime_ns) == trace_of(target)


def _key(row: _Noted | None, target: str) -> str | None:
    return row.key if row and row.state == "done" and _is_untouched(row, target) else None


def _is_old(staging: str) -> bool:
    """Return whether nobody has gone on with what is staged for so long that nobody will."""
    try:
        return time.time() - os.stat(staging).st_mtime > _KEPT_S
    except OSError:
        return True


def content_digest(path: str) -> str:
    """Return the hash of a file's content; raise OSError where it can't be read."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
