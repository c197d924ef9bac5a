"""What is told of a batch of renders while it goes on and at its end: to a person, or to a program."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from plugin_host.chain.file_program import Sound
from plugin_host.cli.common.errors import WORK_FAILED, complain
from plugin_host.render.batch import Job, Outcome
from plugin_host.render.render import Rendering

_TELL_EVERY_S = 0.1


class Report:
    """What the person sees of a batch: a bar with the time left, a line for each file, the faults at the end."""

    def __init__(self, jobs: Sequence[Job], sound: Sound, *, picture: bool, quiet: bool) -> None:
        self.rendered = self.skipped = 0
        self._faults: list[str] = []
        self._sound, self._picture, self._quiet = sound, picture, quiet
        self._console = Console(highlight=False, quiet=quiet)
        # Bytes tell the work of a file well enough, and ask for no file to be opened.
        self._sizes = {job: _size_of(job.source) for job in jobs}
        self._bar = Progress(
            TextColumn("{task.description}", markup=False), BarColumn(), TextColumn("{task.percentage:3.0f} %"),
            TimeRemainingColumn(), console=self._console, transient=True,
            disable=quiet or not self._console.is_terminal,
        )  # fmt: skip
        self._total = sum(self._sizes.values())
        self._done = 0.0
        self._task: TaskID = self._bar.add_task("", total=self._total)

    @contextmanager
    def showing(self) -> Iterator[None]:
        """Show the bar meanwhile."""
        with self._bar:
            yield

    def begin(self, job: Job) -> None:
        """Note that a file's turn has come."""
        self._bar.update(self._task, description=job.source.name)

    def progress(self, job: Job, share: float) -> None:
        """Note how much of a file is done, 0..1."""
        self._bar.update(self._task, completed=self._done + share * self._sizes[job])

    def end(self, outcome: Outcome) -> None:
        """Note what became of a file, and draw its picture where that is wished."""
        size = self._sizes[outcome.job]
        if outcome.fault:
            self.fail(outcome.fault)
        if outcome.rendering:
            self.rendered += 1
            self._done += size
            self._console.print(_line(outcome.rendering), soft_wrap=True, markup=False)
        else:
            self.skipped += not outcome.fault
            # What takes no time must not make the rest look fast.
            self._total -= size
        self._bar.update(self._task, completed=self._done, total=self._total)
        if self._picture and not outcome.fault:
            self._draw(outcome)

    def fail(self, sentence: str) -> None:
        """Keep a fault for the end."""
        self._faults.append(sentence)

    def close(self) -> None:
        """Name what went wrong and end with the status that tells it."""
        if self.skipped:
            text = f"{self.rendered} rendered, {self.skipped} done before (--overwrite renders them again)"
            self._console.print(text, soft_wrap=True)
        for fault in self._faults:
            complain(fault)
        if self._faults:
            raise typer.Exit(WORK_FAILED)

    def _draw(self, outcome: Outcome) -> None:
        from plugin_host.files.audio_reader import AudioFileError
        from plugin_host.render.spectrogram import draw

        job, done = outcome.job, outcome.rendering
        target = job.target.with_name(f"{job.target.stem}.spectrogram.png")
        if done is None and target.exists():
            return
        crossover_hz = self._sound.settings.get("crossover") or (done.edge_hz if done else None)
        parts = [self._sound.preset, self._sound.artifact, _figures(done) if done else ""]
        try:
            caption = ", ".join(part for part in parts if part)
            draw(job.source, job.target, target, crossover_hz=crossover_hz, caption=caption)
        except AudioFileError as error:
            self.fail(str(error))


class JsonReport(Report):
    """What a program sees of a batch: one JSON object a line on the output, with `file` in each.

    `share` 0..1 comes while a file is rendered; then, once, either `fault`, or `target` with the figures of the
    rendering, or `target` alone where it was done before.
    """

    def __init__(self, jobs: Sequence[Job], sound: Sound, *, picture: bool, quiet: bool) -> None:
        super().__init__(jobs, sound, picture=picture, quiet=True)
        self._told_at = 0.0

    def progress(self, job: Job, share: float) -> None:
        """Tell how much of a file is done, ten times a second at most."""
        super().progress(job, share)
        now = time.monotonic()
        if now - self._told_at >= _TELL_EVERY_S:
            self._told_at = now
            _tell(file=str(job.source), share=round(share, 4))

    def end(self, outcome: Outcome) -> None:
        """Tell what became of a file."""
        super().end(outcome)
        job, done = outcome.job, outcome.rendering
        if outcome.fault:
            _tell(file=str(job.source), fault=outcome.fault)
            return
        figures = asdict(done) | {"speed": round(done.speed, 1)} if done else {}
        _tell(**figures | {"file": str(job.source), "target": str(job.target)})


def _tell(**told: Any) -> None:
    typer.echo(json.dumps(told, default=str))


def _line(done: Rendering) -> str:
    notes = [f"{done.target}: {_figures(done)}, {done.speed:.0f} x real time"]
    if done.clipped:
        notes.append(f"{_samples(done.clipped)} beyond full scale and clipped; --bits 32f keeps what is beyond it")
    if done.mended:
        notes.append(f"{_samples(done.mended)} NaN or infinite in the input and became silence")
    return "; ".join(notes)


def _samples(count: int) -> str:
    return "1 sample was" if count == 1 else f"{count} samples were"


def _figures(done: Rendering) -> str:
    minutes, seconds = divmod(done.seconds, 60)
    edge = f", true bandwidth {done.edge_hz / 1000:.1f} kHz" if done.edge_hz is not None else ""
    depth = "32-bit float" if done.bits == "32f" else f"{done.bits} bit"
    return f"{minutes:.0f}:{seconds:04.1f}, {done.rate / 1000:g} kHz, {depth}{edge}"


def _size_of(path: Path) -> int:
    try:
        return max(1, path.stat().st_size)
    except OSError:
        return 1
