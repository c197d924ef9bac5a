"""Many files through one stage: which go where, what is done already, what went wrong."""

from __future__ import annotations

import glob
import hashlib
import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from models.stage import Stage
from plugin_host.files.audio_reader import INPUT_SUFFIXES, OUTPUT_SUFFIXES, AudioFileError, Bits
from plugin_host.render.journal import Journal
from plugin_host.render.render import Rendering, RenderStopped, Stopped, render_file


class BatchError(ValueError):
    """A batch that must not begin; the message is one sentence that says what to change."""


@dataclass(frozen=True)
class Job:
    """One file to render: the audio at `source` becomes `target`."""

    source: Path
    target: Path


@dataclass(frozen=True)
class Outcome:
    """What became of one job: a rendering, or a fault in one sentence, or neither where it was done before."""

    job: Job
    rendering: Rendering | None = None
    fault: str = ""


@dataclass
class Plan:
    """What a batch will do.

    Attributes:
        jobs: The files to render, in order.
        faults: Inputs that can't be rendered, one sentence each.
    """

    jobs: list[Job] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)


def plan(inputs: Sequence[str], output: Path, suffix: str | None = None) -> Plan:
    """Decide which file becomes which.

    Args:
        inputs: Files, folders (searched with all below them) and globs.
        output: A .wav or .flac file for a single input, otherwise a folder that takes the inputs' names and,
            for folders and globs, their subfolders.
        suffix: ".wav" or ".flac" for all; by default FLAC stays FLAC and all else becomes WAV.

    Raises:
        BatchError: Two inputs would become one output, or an output would replace an input.
    """
    made = Plan()
    sources: dict[Path, Job] = {}
    for text in inputs:
        found = list(_expand(text, output))
        if not found:
            made.faults.append(f"{text} holds no audio files; name a file, a folder or a glob such as 'stems/*.wav'")
        for source, relative in found:
            ending = suffix or (".flac" if source.suffix.lower() == ".flac" else ".wav")
            sources.setdefault(source.resolve(), Job(source, output / relative.with_suffix(ending)))
    is_file = output.suffix.lower() in OUTPUT_SUFFIXES and not output.is_dir()
    if is_file and len(sources) > 1:
        raise BatchError(f"{output} is one file but there are several inputs; name a folder with -o")
    if is_file and suffix and output.suffix.lower() != suffix:
        raise BatchError(f"{output} does not agree with --format {suffix[1:]}; leave one of them out")
    if not is_file and output.suffix.lower() in INPUT_SUFFIXES and not output.is_dir():
        raise BatchError(f"{output} can't be written; name a .wav or .flac file, or a folder")
    made.jobs = [Job(job.source, output) if is_file else job for job in sources.values()]
    _refuse_collisions(made.jobs)
    return made


@dataclass(frozen=True)
class Batch:
    """Jobs with all that decides their sound.

    Attributes:
        stage: Plays every job.
        settings: Control values in their units.
        bits: Depth of the outputs; by default each input's.
        identity: Whatever else shapes the sound (artifact, preset, version); with the settings it decides
            whether an output is done already.
        overwrite: Render again what is there, and replace files that were not made here.
    """

    stage: Stage
    settings: Mapping[str, float]
    bits: Bits | None = None
    identity: Mapping[str, Any] = field(default_factory=dict)
    overwrite: bool = False

    @property
    def digest(self) -> str:
        """A hash of all that decides the sound."""
        told = {"settings": dict(self.settings), "bits": self.bits, **self.identity}
        return hashlib.sha256(json.dumps(told, sort_keys=True, default=str).encode()).hexdigest()[:32]

    def run(
        self,
        jobs: Sequence[Job],
        *,
        begun: Callable[[Job], None] = lambda job: None,
        progress: Callable[[Job, float], None] = lambda job, share: None,
        stopped: Stopped = lambda: False,
    ) -> Iterator[Outcome]:
        """Render the jobs in turn and yield what became of each; one bad file never stops the rest.

        Raises:
            RenderStopped: `stopped` said so; what is complete stays and is skipped by the next run.
        """
        journals: dict[Path, Journal] = {}
        for job in jobs:
            if stopped():
                raise RenderStopped
            journal = journals.setdefault(job.target.parent, Journal(job.target.parent))
            if not self.overwrite and journal.is_done(job.source, job.target, self.digest):
                yield Outcome(job)
                continue
            begun(job)
            yield self._one(job, journal, partial(progress, job), stopped)

    def _one(self, job: Job, journal: Journal, progress: Callable[[float], None], stopped: Stopped) -> Outcome:
        try:
            if not self.overwrite and os.path.lexists(job.target) and not journal.is_ours(job.target):
                raise AudioFileError(f"{job.target} is there and was not made here; pass --overwrite to replace it")
            done = render_file(
                self.stage, self.settings, job.source, job.target, bits=self.bits, progress=progress, stopped=stopped
            )
        except AudioFileError as error:
            return Outcome(job, fault=str(error))
        except RenderStopped:
            raise
        except Exception as error:  # a fault of ours in one file is no reason to lose the others of a night's batch
            first = (str(error).splitlines() or [""])[0]
            return Outcome(job, fault=f"{job.source} met a fault, please report it: {type(error).__name__}: {first}")
        journal.add(job.source, job.target, self.digest)
        return Outcome(job, done)


def _expand(text: str, output: Path) -> Iterator[tuple[Path, Path]]:
    """Yield (file, its path below the output folder) of one input; a missing file comes too and fails by itself."""
    path = Path(text).expanduser()
    if path.is_dir():
        yield from ((found, found.relative_to(path)) for found in _audio_below(path, output))
    elif not os.path.lexists(path) and glob.has_magic(text):
        matches = sorted(Path(match) for match in glob.glob(str(path), recursive=True))
        root = _fixed_part(path)
        for match in matches:
            if match.is_dir():
                yield from ((found, found.relative_to(root)) for found in _audio_below(match, output))
            elif match.suffix.lower() in INPUT_SUFFIXES:
                yield match, match.relative_to(root)
    else:
        yield path, Path(path.name)


def _audio_below(folder: Path, output: Path) -> Iterator[Path]:
    inside = output.resolve()
    for found in sorted(folder.rglob("*")):
        is_hidden = any(part.startswith(".") for part in found.relative_to(folder).parts)
        if is_hidden or found.suffix.lower() not in INPUT_SUFFIXES or not found.is_file():
            continue
        # What an earlier run put into a folder below the inputs is not an input.
        if inside != folder.resolve() and found.resolve().is_relative_to(inside):
            continue
        yield found


def _fixed_part(pattern: Path) -> Path:
    parts = pattern.parts[:-1]
    fixed = next((number for number, part in enumerate(parts) if glob.has_magic(part)), len(parts))
    return Path(*parts[:fixed])


def _refuse_collisions(jobs: Sequence[Job]) -> None:
    taken: dict[str, Path] = {}
    sources = {_key(job.source): job.source for job in jobs}
    for job in jobs:
        key = _key(job.target)
        if key in sources:
            raise BatchError(f"{job.target} is an input itself; choose another folder with -o")
        if key in taken:
            raise BatchError(f"{taken[key]} and {job.source} would both become {job.target}; use two folders")
        taken[key] = job.source


def _key(path: Path) -> str:
    """Compare paths as the most forgetful file system would: links followed, case ignored."""
    return str(path.resolve()).casefold()
