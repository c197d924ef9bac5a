"""The commands that play files through the model: render, verify, demo."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn
from rich.table import Table

from plugin_host.interrupt import stoppable
from plugin_host.refusal import INTERRUPTED, WORK_FAILED, WRONG_USAGE, complain, refuse, refusing

if TYPE_CHECKING:
    from plugin_host.batch import Job, Outcome
    from plugin_host.render import Rendering
    from plugin_host.sound import Sound

BitsChoice = Literal["16", "24", "32f"]


def render(
    inputs: Sequence[str],
    output: Path,
    *,
    preset: str | None,
    assignments: Sequence[str],
    artifact: str | None,
    automation: Path | None,
    bits: BitsChoice | None,
    format_name: Literal["wav", "flac"] | None,
    overwrite: bool,
    picture: bool,
    quiet: bool,
) -> None:
    """Render files; see the help of `highband render`."""
    with stoppable() as stopped:
        from plugin_host.batch import Batch, plan
        from plugin_host.render import RenderStopped
        from plugin_host.sound import choose

        with refusing(WRONG_USAGE, ValueError):
            planned = plan(inputs, output, f".{format_name}" if format_name else None)
            _refuse_floats_in_flac(planned.jobs, bits)
            sound = choose(preset, assignments, artifact, automation)
        batch = Batch(sound.stage, sound.settings, bits, sound.identity, overwrite)
        report = _Report(planned.jobs, sound, picture=picture, quiet=quiet)
        for fault in planned.faults:
            report.fail(fault)
        try:
            with report.showing():
                for outcome in batch.run(planned.jobs, begun=report.begin, progress=report.progress, stopped=stopped):
                    report.end(outcome)
        except (RenderStopped, KeyboardInterrupt):
            left = len(planned.jobs) - report.rendered - report.skipped
            refuse(f"stopped with {left} of {len(planned.jobs)} left; run the same command to go on", INTERRUPTED)
    report.close()


def verify(
    file: Path, *, preset: str | None, assignments: Sequence[str], artifact: str | None, blocks: str, seconds: float
) -> None:
    """Compare blocks with the whole; see the help of `highband verify`."""
    from plugin_host.audio_file import AudioFileError
    from plugin_host.sound import choose
    from plugin_host.verify import TOLERANCE, compare, load

    with refusing(WRONG_USAGE, ValueError):
        sizes = [_block_size(word) for word in blocks.split(",")]
        sound = choose(preset, assignments, artifact)
    with refusing(WORK_FAILED, AudioFileError):
        samples, rate = load(file, seconds)
    table = Table("block", "samples compared", "worst difference", "at", "")
    holds = True
    with refusing(WORK_FAILED, ValueError):
        for row in compare(sound.stage, sound.settings, samples, rate, sizes):
            holds = holds and row.holds
            where = f"{row.worst_at / rate:.4f} s" if row.worst else ""
            verdict = "equal" if row.holds else "DIFFERS"
            table.add_row(str(row.block or "random"), str(row.compared), f"{row.worst:.2g}", where, verdict)
    Console().print(table)
    if not holds:
        refuse(f"{sound.artifact} in blocks differs from the whole by more than {TOLERANCE:g}", WORK_FAILED)


def demo(folder: Path, *, artifact: str | None) -> None:
    """Render the bundled clip; see the help of `highband demo`."""
    from plugin_host.demo import run
    from plugin_host.sound import choose

    with refusing(WORK_FAILED, ValueError):
        for line in run(folder, choose(None, [], artifact)):
            typer.echo(line)


class _Report:
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
        with self._bar:
            yield

    def begin(self, job: Job) -> None:
        self._bar.update(self._task, description=job.source.name)

    def progress(self, job: Job, share: float) -> None:
        self._bar.update(self._task, completed=self._done + share * self._sizes[job])

    def end(self, outcome: Outcome) -> None:
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
        from plugin_host.audio_file import AudioFileError
        from plugin_host.picture import draw

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


def _line(done: Rendering) -> str:
    notes = [f"{done.target}: {_figures(done)}, {done.speed:.0f} x real time"]
    if done.clipped:
        notes.append(f"{done.clipped} samples were beyond full scale and clipped; --bits 32f keeps them")
    if done.mended:
        notes.append(f"{done.mended} samples of the input were not numbers and became silence")
    return "; ".join(notes)


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


def _refuse_floats_in_flac(jobs: Sequence[Job], bits: BitsChoice | None) -> None:
    if bits == "32f" and any(job.target.suffix.lower() == ".flac" for job in jobs):
        raise ValueError("FLAC can't hold 32-bit floats; choose --bits 24 or --format wav")


def _block_size(word: str) -> int:
    if word.strip() == "random":
        return 0
    if not word.strip().isdecimal() or not 1 <= int(word) <= 1 << 20:
        raise ValueError(f"'{word}' is not a block size; give numbers from 1 to 1048576 or random, with commas between")
    return int(word)


def bench_render(artifacts: Sequence[str], minutes: float) -> None:
    """Measure rendering; see the help of `highband bench render`."""
    from models.artifact import list_artifacts
    from plugin_host.bench_render import bench

    with refusing(WORK_FAILED, ValueError, OSError):
        bench(list(artifacts) or [info.name for info in list_artifacts()], minutes, Console())
