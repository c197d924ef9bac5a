"""The commands that play files through the model: render, verify, demo."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import typer
from rich.console import Console
from rich.table import Table

from plugin_host.cli.errors import INTERRUPTED, WORK_FAILED, WRONG_USAGE, refuse, refusing, stoppable

if TYPE_CHECKING:
    from plugin_host.render.batch import Job

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
    as_json: bool,
) -> None:
    """Render files; see the help of `highband render`."""
    with stoppable() as stopped:
        from plugin_host.chain.file_program import choose
        from plugin_host.cli.render_report import JsonReport, Report
        from plugin_host.render.batch import Batch, plan
        from plugin_host.render.render import RenderStopped

        with refusing(WRONG_USAGE, ValueError):
            planned = plan(inputs, output, f".{format_name}" if format_name else None)
            _refuse_floats_in_flac(planned.jobs, bits)
            sound = choose(preset, assignments, artifact, automation)
        batch = Batch(sound.stage, sound.settings, bits, sound.identity, overwrite)
        kind = JsonReport if as_json else Report
        report = kind(planned.jobs, sound, picture=picture, quiet=quiet)
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
    from plugin_host.chain.file_program import choose
    from plugin_host.files.audio_reader import AudioFileError
    from plugin_host.render.verify import TOLERANCE, compare, load

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
    from plugin_host.chain.file_program import choose
    from plugin_host.render.demo import run

    with refusing(WORK_FAILED, ValueError):
        for line in run(folder, choose(None, [], artifact)):
            typer.echo(line)


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
    from models.artifact.manifest import list_artifacts
    from plugin_host.bench.render import bench

    with refusing(WORK_FAILED, ValueError, OSError):
        bench(list(artifacts) or [info.name for info in list_artifacts()], minutes, Console())
