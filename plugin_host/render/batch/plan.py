"""Which file becomes which: inputs to outputs, kept in a database on the disk, so that a million fit."""

from __future__ import annotations

import glob
import os
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from plugin_host.files.audio_error import reason
from plugin_host.files.file_kind import looks_like_audio
from plugin_host.files.suffixes import INPUT_SUFFIXES, OUTPUT_SUFFIXES, named_outputs
from plugin_host.render.batch.storage import find, is_remote, join, trace_of

# How much smaller files of a kind are than their sound, roughly.
_PACKED = {
    **dict.fromkeys((".flac", ".ape", ".wv", ".tta", ".tak"), 2),
    **dict.fromkeys((".mp3", ".mp2", ".mpga", ".ogg", ".oga", ".opus", ".m4a", ".m4b", ".aac", ".wma", ".mpc"), 9),
}


class BatchError(ValueError):
    """A batch that must not begin; the message is one sentence that says what to change."""


@dataclass(frozen=True, slots=True)
class Job:
    """One file to render: the audio at `source` becomes `target`.

    Attributes:
        source, target: Paths as text.
        size: About how many bytes the input's sound has when it is not coded, 0 where that is not known.
    """

    source: str
    target: str
    size: int = field(default=0, compare=False)


@dataclass
class Plan:
    """The jobs of a batch.

    Attributes:
        faults: Inputs that hold nothing to render, one sentence each.
    """

    faults: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        # An empty name is a database of its own in a temporary file, which goes with the connection.
        self._database = sqlite3.connect("", isolation_level=None, check_same_thread=False)
        self._database.execute(
            "CREATE TABLE jobs (number INTEGER PRIMARY KEY, source TEXT, target TEXT, bytes INTEGER,"
            " source_key TEXT UNIQUE, target_key TEXT UNIQUE, folded_source TEXT)"
        )
        self._database.execute("BEGIN")

    def __len__(self) -> int:
        return int(self._database.execute("SELECT count(*) FROM jobs").fetchone()[0])

    @property
    def total_bytes(self) -> int:
        """The sum of the jobs' sizes."""
        return int(self._database.execute("SELECT coalesce(sum(bytes), 0) FROM jobs").fetchone()[0])

    def makes(self, ending: str) -> bool:
        """Return whether an output's name ends so."""
        query = "SELECT 1 FROM jobs WHERE target_key LIKE ? LIMIT 1"
        return self._database.execute(query, (f"%{ending}",)).fetchone() is not None

    def jobs(self, *, longest_first: bool = False) -> Iterator[tuple[int, Job]]:
        """Yield each job with its number, in the order of the inputs or those of most sound first."""
        order = "bytes DESC, number" if longest_first else "number"
        rows = self._database.execute(f"SELECT number, source, target, bytes FROM jobs ORDER BY {order}")
        for number, source, target, size in rows:
            yield number, Job(from_text(source), from_text(target), size)

    def drop(self, numbers: Iterable[int]) -> None:
        """Remove jobs, which need not be rendered."""
        self._database.executemany("DELETE FROM jobs WHERE number = ?", ((number,) for number in numbers))

    def add(self, source: str, target: str) -> None:
        """Add a job, unless its input is planned already.

        Raises:
            BatchError: Another input becomes the same output.
        """
        key, real = to_text(_key(target)), _real(source)
        row = (to_text(source), to_text(target), _size(source), to_text(real), key, to_text(real.casefold()))
        try:
            self._database.execute(
                "INSERT INTO jobs (source, target, bytes, source_key, target_key, folded_source)"
                " VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (source_key) DO NOTHING",
                row,
            )
        except sqlite3.IntegrityError:
            query = "SELECT source FROM jobs WHERE target_key = ?"
            other = from_text(self._database.execute(query, (key,)).fetchone()[0])
            raise BatchError(f"{other} and {source} would both become {target}; use two folders") from None

    def refuse(self, error: OSError) -> None:
        """Keep the fault of a folder that can't be read."""
        self.faults.append(f"{error.filename} can't be read: {reason(error)}")

    def refuse_inputs_as_outputs(self) -> None:
        """Raise BatchError where an output would replace an input."""
        self._database.execute("CREATE INDEX IF NOT EXISTS by_folded_source ON jobs (folded_source)")
        clash = self._database.execute(
            "SELECT one.target FROM jobs AS one JOIN jobs AS other ON one.target_key = other.folded_source LIMIT 1"
        ).fetchone()
        if clash:
            raise BatchError(f"{from_text(clash[0])} is an input itself; choose another folder with -o")


def plan(inputs: Iterable[str], output: Path | str, suffix: str | None = None) -> Plan:
    """Decide which file becomes which.

    Args:
        inputs: Files, folders (searched with all below them) and globs, also elsewhere by an address such as s3://.
        output: An audio file for a single input, otherwise a folder that takes the inputs' names and, for folders and
            globs, their subfolders.
        suffix: ".wav", ".flac", ".mp3", ".opus" or ".m4a" for all; by default FLAC stays FLAC and all else becomes WAV.

    Raises:
        BatchError: Two inputs would become one output, or an output would replace an input.
    """
    _real_folder.cache_clear()
    planned = Plan()
    local = None if is_remote(str(output)) else Path(output)
    is_file = Path(output).suffix.lower() in OUTPUT_SUFFIXES and not (local and local.is_dir())
    _refuse_output(Path(output), is_file, suffix)
    for text in inputs:
        found, faults = False, len(planned.faults)
        for source, relative in expand(text, local, planned.refuse):
            found = True
            _add(planned, source, str(output) if is_file else target_of(relative, output, suffix), is_file)
        # Of a folder that can't be read this is said already.
        if not found and len(planned.faults) == faults:
            planned.faults.append(f"{text} holds no audio files; name a file, a folder or a glob such as 'stems/*.wav'")
    planned.refuse_inputs_as_outputs()
    return planned


def target_of(relative: str, output: Path | str, suffix: str | None = None) -> str:
    """Return the output of a file in a folder, by its path below the inputs' folder; see `plan`."""
    ending = suffix or (".flac" if relative.lower().endswith(".flac") else ".wav")
    return join(str(output), os.path.splitext(relative)[0] + ending)


def read_list(path: Path) -> Iterator[str]:
    """Yield the inputs that a text file lists, one a line; empty lines and those that begin with # are left out.

    Raises:
        BatchError: The list can't be read.
    """
    try:
        with open(path, encoding="utf-8", errors="surrogateescape") as lines:
            for line in lines:
                if (text := line.rstrip("\n")) and not text.startswith("#"):
                    yield text
    except OSError as error:
        raise BatchError(f"{path} can't be read: {(error.strerror or 'refused').lower()}; check the name") from None


def _add(planned: Plan, source: str, target: str, is_file: bool) -> None:
    try:
        planned.add(source, target)
    except BatchError:
        if is_file:
            raise BatchError(f"{target} is one file but there are several inputs; name a folder with -o") from None
        raise


def _refuse_output(output: Path, is_file: bool, suffix: str | None) -> None:
    if is_file and suffix and output.suffix.lower() != suffix:
        raise BatchError(f"{output} does not agree with --format {suffix[1:]}; leave one of them out")
    if not is_file and output.suffix.lower() in INPUT_SUFFIXES and not output.is_dir():
        raise BatchError(f"{output} can't be written; name a {named_outputs()} file, or a folder")


def expand(
    text: str, output: Path | None = None, refused: Callable[[OSError], None] | None = None
) -> Iterator[tuple[str, str]]:
    """Yield (file, its path below the output folder) of one input; a missing file comes too and fails by itself.

    Args:
        text: A file, a folder or a glob.
        output: What lies below it is left out, where it is not the folder itself.
        refused: Called with the error of each folder that can't be read.
    """
    if is_remote(text):
        yield from find(text, lambda name: looks_like_audio(Path(name)))
        return
    path = os.path.expanduser(text)
    if os.path.isdir(path):
        yield from _audio_below(path, path, output, refused)
    elif glob.has_magic(text) and not os.path.lexists(path):
        root = _fixed_part(Path(path))
        for match in sorted(glob.glob(path, recursive=True)):
            if os.path.isdir(match):
                yield from _audio_below(match, root, output, refused)
            elif looks_like_audio(Path(match)):
                yield match, os.path.relpath(match, root or ".")
    else:
        yield path, os.path.basename(path)


def _audio_below(
    folder: str, root: str, output: Path | None, refused: Callable[[OSError], None] | None
) -> Iterator[tuple[str, str]]:
    # What an earlier run put into a folder below the inputs is not an input.
    avoided = os.path.realpath(output) if output and os.path.realpath(output) != os.path.realpath(folder) else ""
    entered = {os.path.realpath(folder)}
    for place, folders, names in os.walk(folder, onerror=refused, followlinks=True):
        if avoided and _is_within(os.path.realpath(place), avoided):
            folders.clear()
            continue
        folders[:] = [one for one in sorted(folders) if one[0] != "." and _leads_on(os.path.join(place, one), entered)]
        for name in sorted(names):
            path = os.path.join(place, name)
            # One that is no audio fails by itself, as a link to nowhere or a pipe does.
            if not name.startswith(".") and looks_like_audio(Path(path)):
                yield path, os.path.relpath(path, root or ".")


def _leads_on(folder: str, entered: set[str]) -> bool:
    """Return whether a folder is one itself, or a link to one that was not entered, nor holds or lies in such a one."""
    if not os.path.islink(folder):
        return True
    real = os.path.realpath(folder)
    if any(_is_within(real, one) or _is_within(one, real) for one in entered):
        return False
    entered.add(real)
    return True


def _is_within(path: str, folder: str) -> bool:
    """Return whether a path is that of a folder or of what is in it; both with links followed."""
    return path == folder or path.startswith(folder.rstrip(os.sep) + os.sep)


def _fixed_part(pattern: Path) -> str:
    parts = pattern.parts[:-1]
    fixed = next((number for number, part in enumerate(parts) if glob.has_magic(part)), len(parts))
    return os.path.join(*parts[:fixed]) if fixed else ""


@lru_cache(maxsize=4096)
def _real_folder(folder: str) -> str:
    return os.path.realpath(folder or ".")


def place_of(path: str) -> str:
    """Return a path with the links of its folder followed, each folder asked once; an address elsewhere stays."""
    if is_remote(path):
        return path
    folder, slash, name = path.rpartition(os.sep)
    return f"{_real_folder(folder or slash).rstrip(os.sep)}{os.sep}{name}"


def _real(path: str) -> str:
    return os.path.realpath(path) if not is_remote(path) and os.path.islink(path) else place_of(path)


def _key(path: str) -> str:
    """Compare paths as the most forgetful file system would: links followed, case ignored."""
    return _real(path).casefold()


def _size(path: str) -> int:
    """Return about how much sound a file holds, without opening it: an MP3 of an hour is no short file."""
    trace = trace_of(path)
    return trace[0] * _PACKED.get(os.path.splitext(path)[1].lower(), 1) if trace else 0


def to_text(path: str) -> str | bytes:
    """Return a path as a database keeps it: text, or bytes where it is not UTF-8."""
    if not path.isascii():
        try:
            path.encode()
        except UnicodeEncodeError:
            return os.fsencode(path)
    return path


def from_text(kept: str | bytes) -> str:
    """Return the path that `to_text` kept."""
    return kept if isinstance(kept, str) else os.fsdecode(kept)
