"""Many files through one stage: what is done already, what is to do, what went wrong."""

from __future__ import annotations

import hashlib
import os
import shutil
from array import array
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache
from importlib.metadata import version
from pathlib import Path

from platformdirs import user_state_path

from plugin_host.chain.file_program import Sound
from plugin_host.files.audio_error import reason
from plugin_host.files.suffixes import OUTPUT_SUFFIXES, Bits
from plugin_host.render.batch.album import Albums
from plugin_host.render.batch.journal import JOURNAL_NAME, Journal
from plugin_host.render.batch.plan import Job, Plan
from plugin_host.render.batch.storage import exists, is_remote
from plugin_host.render.batch.task import PICTURE_SUFFIX, Engine, Result, Task, key_of, sound_digest
from plugin_host.render.batch.workers import Begun, Inline, Progress
from plugin_host.render.figures import Rendering
from plugin_host.render.loudness import LoudnessTarget
from plugin_host.render.stopped import RenderStopped, Stopped

# Of the work on a file of an album, what it takes to find out how loud it is.
_MEASURED_SHARE = 0.75


@dataclass(frozen=True)
class Outcome:
    """What became of one job: a rendering, or a fault in one sentence, or neither where it was done before."""

    job: Job
    rendering: Rendering | None = None
    fault: str = ""


def journal_path(place: Path | str) -> Path:
    """Return where the journal lies: in the output's folder, or in the person's own for outputs elsewhere."""
    if is_remote(str(place)):
        name = hashlib.sha256(str(place).rstrip("/").encode()).hexdigest()[:16]
        return user_state_path("highband") / "journals" / name / JOURNAL_NAME
    output = Path(place)
    is_file = output.suffix.lower() in OUTPUT_SUFFIXES and not output.is_dir()
    return (output.parent if is_file else output) / JOURNAL_NAME


@dataclass(frozen=True)
class Batch:
    """Jobs with all that decides their sound.

    Attributes:
        sound: The stage, the settings, and what else decides the sound.
        journal: Notes what is done.
        engine: Renders; if it is another than this process, the longest first, so that all workers end together.
        bits: Depth of the outputs; by default each input's.
        loudness: Where the outputs are brought to; by default they stay.
        overwrite: Render again what is there, and replace files that were not made here.
        picture: Draw the spectrograms before and after beside each output.
        album: Bring all outputs of a folder to the loudness together, by one gain.
    """

    sound: Sound
    journal: Journal
    engine: Engine
    bits: Bits | None = None
    loudness: LoudnessTarget | None = None
    overwrite: bool = False
    picture: bool = False
    album: bool = False
    _levels: dict[str, LoudnessTarget] = field(default_factory=dict, init=False)

    @cached_property
    def _digests(self) -> Callable[[LoudnessTarget | None], str]:
        return lru_cache(
            lambda loudness: sound_digest(
                self.sound.settings, self.sound.identity, bits=self.bits, loudness=loudness, version=version("highband")
            )
        )

    def _loudness(self, job: Job) -> LoudnessTarget | None:
        return self._levels.get(os.path.dirname(job.target), self.loudness) if self._levels else self.loudness

    def _digest(self, job: Job) -> str:
        """Return a hash of all that decides an output but the content of its input."""
        return self._digests(self._loudness(job))

    def run(
        self,
        plan: Plan,
        *,
        begun: Begun = lambda job: None,
        progress: Progress = lambda job, share: None,
        stopped: Stopped = lambda: False,
    ) -> Iterator[Outcome]:
        """Render the jobs and yield what became of each; one bad file never stops the rest.

        Args:
            plan: The jobs; those that are settled without a render are dropped from it.
            begun: Called when a job's turn has come.
            progress: Called with the share of a job that is done, 0..1.
            stopped: Asked before each block whether to stop.

        Raises:
            RenderStopped: `stopped` said so; what is complete stays and is skipped by the next run.
        """
        share = 0.0
        if self.album and self.loudness is not None:
            share = _MEASURED_SHARE
            yield from self._measure_albums(plan, begun, _scaled(progress, 0.0, share), stopped)
        settled = array("q")
        for number, job in plan.jobs():
            if stopped():
                raise RenderStopped
            if outcome := self._settle(job):
                settled.append(number)
                yield outcome
        plan.drop(settled)
        jobs = (job for _, job in plan.jobs(longest_first=self._is_parallel))
        for task, result in self._run(map(self._task, jobs), begun, _scaled(progress, share, 1.0), stopped):
            yield self._conclude(task, result)

    def _measure_albums(self, plan: Plan, begun: Begun, progress: Progress, stopped: Stopped) -> Iterator[Outcome]:
        assert self.loudness is not None
        albums = Albums(self.sound, self.journal, self.loudness)
        jobs = albums.unknown(plan, longest_first=self._is_parallel)
        tasks = (replace(self._task(job), measures=True, done_key=None) for job in jobs)
        for task, result in self._run(tasks, begun, progress, stopped):
            if fault := albums.conclude(task, result):
                yield Outcome(task.job, fault=fault)
        plan.drop(albums.failed)
        self._levels.update(albums.levels())

    @property
    def _is_parallel(self) -> bool:
        return not isinstance(self.engine, Inline)

    def _run(
        self, tasks: Iterator[Task], begun: Begun, progress: Progress, stopped: Stopped
    ) -> Iterator[tuple[Task, Result]]:
        """Yield what became of each task; give up those that are in hand where all ends before."""
        in_hand: dict[str, Task] = {}
        try:
            for task, result in self.engine.run(_noted(tasks, in_hand), begun, progress, stopped):
                del in_hand[task.staging]
                yield task, result
        finally:
            for task in in_hand.values():
                self.journal.give_up(task.job)

    def _settle(self, job: Job) -> Outcome | None:
        """Return the outcome of a job that needs no render, by names and times alone."""
        if self.overwrite or not exists(job.target):
            return None
        if not self.journal.is_ours(job.target):
            sentence = f"{job.target} is there and was not made here; pass --overwrite to replace it"
            return Outcome(job, fault=sentence)
        input_digest = self.journal.input_digest(job.source)
        is_same = input_digest and key_of(input_digest, self._digest(job)) == self.journal.key_of(job.target)
        return Outcome(job) if is_same and self._has_picture(job) else None

    def _has_picture(self, job: Job) -> bool:
        return not self.picture or exists(os.path.splitext(job.target)[0] + PICTURE_SUFFIX)

    def _task(self, job: Job) -> Task:
        key, staging = self.journal.before(job.target)
        done_key = key if not self.overwrite and self._has_picture(job) else None
        if not staging:
            staging = os.path.join(os.path.dirname(job.target), f".highband-{os.urandom(8).hex()}")
        self.journal.start(job, staging)
        return Task(job, staging, self._digest(job), done_key, self.bits, self._loudness(job), self.picture)

    def _conclude(self, task: Task, result: Result) -> Outcome:
        job = task.job
        if result.input_digest:
            self.journal.note_input(job.source, result.input_digest, result.input_trace)
        if result.fault:
            self.journal.fail(job, result.fault)
            return Outcome(job, fault=result.fault)
        if result.staged is None:
            self.journal.forget(job)
            return Outcome(job)
        try:
            if is_remote(job.target):
                self.journal.note_uploaded(job, result.staged)
            else:
                self.journal.complete(job, result.staged)
        except OSError as error:
            shutil.rmtree(task.staging, ignore_errors=True)
            fault = f"{job.target} can't be written: {reason(error)}"
            self.journal.fail(job, fault)
            return Outcome(job, fault=fault)
        return Outcome(job, result.rendering)


def _noted(tasks: Iterator[Task], in_hand: dict[str, Task]) -> Iterator[Task]:
    for task in tasks:
        in_hand[task.staging] = task
        yield task


def _scaled(progress: Progress, start: float, end: float) -> Progress:
    """Return progress that goes from one share to another."""
    return lambda job, share: progress(job, start + (end - start) * share)
