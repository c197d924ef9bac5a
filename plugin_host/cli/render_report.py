"""What is printed of a batch of renders while it goes on and at its end: for a person, or for a program."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from plugin_host.cli.common.errors import WORK_FAILED, complain

if TYPE_CHECKING:
    from plugin_host.render.batch.batch import Outcome
    from plugin_host.render.batch.plan import Job, Plan
    from plugin_host.render.figures import Rendering

_REPORT_EVERY_S = 0.1


class Report:
    """What the person sees of a batch: a bar of the whole, a line for each file, the faults at the end.

    Attributes:
        count: Files of the batch.
        rendered, skipped: How many were rendered, and how many were done before.
    """

    def __init__(self, planned: Plan, *, quiet: bool, endless: bool = False) -> None:
        self.count = len(planned)
        self._endless = endless
        self.rendered = self.skipped = 0
        self._ended = 0
        self._faults: list[str] = []
        self._console = Console(highlight=False, quiet=quiet)
        self._bar = Progress(
            TextColumn("{task.description}", markup=False), BarColumn(), TextColumn("{task.percentage:3.0f} %"),
            TimeRemainingColumn(), console=self._console, transient=True,
            disable=quiet or not self._console.is_terminal,
        )  # fmt: skip
        # Bytes measure the work of a file well enough, and no file has to be opened for them.
        self._total = float(planned.total_bytes)
        self._done = self._seconds = 0.0
        self._shares: dict[Job, float] = {}
        self._began = time.monotonic()
        self._task: TaskID = self._bar.add_task("", total=self._total)

    @property
    def left(self) -> int:
        """Files that are neither rendered nor found to be bad nor done before."""
        return self.count - self._ended

    @contextmanager
    def showing(self) -> Iterator[None]:
        """Show the bar meanwhile."""
        with self._bar:
            try:
                yield
            finally:
                with _printing():
                    self._bar.stop()

    def begin(self, job: Job) -> None:
        """Note that a file's turn has come."""
        self._shares[job] = 0.0
        self._show()

    def progress(self, job: Job, share: float) -> None:
        """Note how much of a file is done, 0..1."""
        self._shares[job] = share
        self._show()

    def end(self, outcome: Outcome) -> None:
        """Note what became of a file."""
        self._shares.pop(outcome.job, None)
        self._ended += 1
        if outcome.fault:
            self.fail(outcome.fault)
        if outcome.rendering:
            self.rendered += 1
            self._done += outcome.job.size
            self._seconds += outcome.rendering.seconds
            count = f"[{self._ended}/{self.count}] " if self.count > 1 else ""
            self._say(count + _line(outcome.rendering))
        else:
            self.skipped += not outcome.fault
            # A file that costs no time must not shorten the estimate for the rest.
            self._total -= outcome.job.size
        self._show()

    def fail(self, sentence: str) -> None:
        """Keep a fault for the end, or name it at once where there is no end."""
        if self._endless:
            complain(sentence)
        else:
            self._faults.append(sentence)

    def close(self) -> None:
        """Sum up, name what went wrong and end with the status that says so."""
        failed = f", {len(self._faults)} failed" if self._faults else ""
        if self.skipped:
            text = f"{self.rendered} rendered{failed}, {self.skipped} done before (--overwrite renders them again)"
            self._say(text)
        elif self.rendered > 1:
            speed = f"{_minutes(self._seconds)} in {_minutes(self._took_s)}, {self._speed}"
            self._say(f"{self.rendered} rendered{failed}: {speed}")
        for fault in self._faults:
            complain(fault)
        if self._faults:
            raise typer.Exit(WORK_FAILED)

    def _say(self, text: str) -> None:
        with _printing():
            self._console.print(text, soft_wrap=True, markup=False)

    @property
    def _took_s(self) -> float:
        return max(time.monotonic() - self._began, 1e-3)

    @property
    def _speed(self) -> str:
        return f"{self._seconds / self._took_s:.0f} x real time"

    def _show(self) -> None:
        names = ", ".join(os.path.basename(job.source) for job in list(self._shares)[:2])
        more = f" and {len(self._shares) - 2} more" if len(self._shares) > 2 else ""
        parts = [f"{self._ended} of {self.count}", self._speed if self._seconds else "", names + more]
        done = self._done + sum(share * job.size for job, share in self._shares.items())
        text = ", ".join(part for part in parts if part)
        self._bar.update(self._task, description=text, completed=done, total=max(self._total, done, 1.0))


class JsonReport(Report):
    """What a program sees of a batch: one JSON object a line on the output, with `file` in each.

    `share` 0..1 comes while a file is rendered; then, once, either `fault`, or `target` with the figures of the
    rendering, or `target` alone where it was done before.
    """

    def __init__(self, planned: Plan, *, quiet: bool, endless: bool = False) -> None:
        super().__init__(planned, quiet=True, endless=endless)
        self._reported_at = 0.0

    def progress(self, job: Job, share: float) -> None:
        """Print how much of a file is done, ten times a second at most."""
        super().progress(job, share)
        now = time.monotonic()
        if now - self._reported_at >= _REPORT_EVERY_S:
            self._reported_at = now
            _print(file=job.source, share=round(share, 4))

    def end(self, outcome: Outcome) -> None:
        """Print what became of a file."""
        super().end(outcome)
        job, done = outcome.job, outcome.rendering
        if outcome.fault:
            _print(file=job.source, fault=outcome.fault)
            return
        figures = asdict(done) | {"speed": round(done.speed, 1)} if done else {}
        _print(**figures | {"file": job.source, "target": job.target})


@contextmanager
def _printing() -> Iterator[None]:
    """Print nothing more where that fails: a terminal that was closed, or a full disk, is no reason to stop."""
    try:
        yield
    except BrokenPipeError:
        # A program that was to read it.
        raise
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _print(**values: Any) -> None:
    with _printing():
        typer.echo(json.dumps(values, default=str))


def _line(done: Rendering) -> str:
    return "; ".join([f"{done.target}: {done.figures}, {done.speed:.0f} x real time", *done.warnings])


def _minutes(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
