"""The commands that render files: render, demo."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from plugin_host.cli.common.errors import INTERRUPTED, WORK_FAILED, WRONG_USAGE, complain, refuse, refusing, stoppable
from plugin_host.cli.common.first_use import announce_compiling, is_compiled
from plugin_host.cli.common.options import EXAMPLES, RENDER, ArtifactOption, PresetOption, SetOption
from plugin_host.render.batch.template import start_template

if TYPE_CHECKING:
    from plugin_host.cli.render_report import Report
    from plugin_host.render.batch.batch import Batch
    from plugin_host.render.batch.plan import Plan

app = typer.Typer()
# A file of less is no long one, however it is coded.
_SMALL_BYTES = 1_000_000

BitsChoice = Literal["16", "24", "32f"]
Inputs = Annotated[
    list[str] | None, typer.Argument(metavar="IN...", help="Files, folders, globs; WAV, FLAC, AIFF, OGG, MP3.")
]
ListOption = Annotated[
    Path | None, typer.Option("--from", metavar="LIST", help="A text file that lists more inputs, one a line.")
]
JobsOption = Annotated[
    int | None, typer.Option("--jobs", "-j", min=1, help="Processes that render at once; by default one core is left.")
]
LoudnessOption = Annotated[
    str | None,
    typer.Option("--loudness", metavar="-16LUFS", help="Bring each output to this integrated loudness (BS.1770)."),
]
TruePeakOption = Annotated[
    str | None,
    typer.Option("--true-peak", metavar="-1dBTP", help="Limit each output to this peak, between samples too."),
]
AlbumFlag = Annotated[
    bool, typer.Option("--album", help="Bring all outputs of a folder to --loudness together, by one gain.")
]
EngineOption = Annotated[
    str | None,
    typer.Option("--engine", metavar="dask://HOST:PORT", help="Render on the workers of a Dask scheduler instead."),
]
ReportOption = Annotated[
    Path | None,
    typer.Option("--report", metavar="FILE", help="Write what the folder's journal holds as .csv or .json at the end."),
]
Output = Annotated[
    str, typer.Option("--output", "-o", metavar="OUT", help="An audio file; a folder for several inputs.")
]
AutomationOption = Annotated[
    Path | None,
    typer.Option(
        "--automation", metavar="FILE", help="Knob moves that highband live recorded; give it the preset too."
    ),
]
BitsOption = Annotated[BitsChoice | None, typer.Option("--bits", "-b", help="Depth; by default the input's.")]
FormatOption = Annotated[
    Literal["wav", "flac", "mp3", "opus", "m4a"] | None,
    typer.Option("--format", "-f", help="By default FLAC stays FLAC and all else becomes WAV."),
]
OverwriteFlag = Annotated[
    bool, typer.Option("--overwrite", help="Render again what is done; replace files made elsewhere.")
]
PictureFlag = Annotated[
    bool, typer.Option("--picture", help="Write the spectrograms before and after as a PNG beside each output.")
]
QuietFlag = Annotated[bool, typer.Option("--quiet", "-q", help="Print only what went wrong.")]
JsonFlag = Annotated[bool, typer.Option("--json", help="Print progress and results as JSON, one line each.")]


@app.command(rich_help_panel=RENDER, epilog=EXAMPLES, no_args_is_help=True)
def render(
    output: Output,
    inputs: Inputs = None,
    listed: ListOption = None,
    preset: PresetOption = None,
    settings: SetOption = None,
    artifact: ArtifactOption = None,
    automation: AutomationOption = None,
    bits: BitsOption = None,
    format_name: FormatOption = None,
    overwrite: OverwriteFlag = False,
    loudness: LoudnessOption = None,
    true_peak: TruePeakOption = None,
    album: AlbumFlag = False,
    picture: PictureFlag = False,
    jobs: JobsOption = None,
    cluster: EngineOption = None,
    report_file: ReportOption = None,
    quiet: QuietFlag = False,
    as_json: JsonFlag = False,
) -> None:
    """Render files through the model, and through the effects of a preset.

    The output is as long as the input and aligned to the sample. The sample rate stays from 44.1 kHz on and becomes
    48 kHz below it; tags stay where the format has them. Integer depths are not dithered, so that what the model
    leaves alone stays bit for bit.

    Several files are rendered at once, a core is left free, and any number of jobs gives the same bits. Stop with
    Ctrl-C at any time and run the same command again: what is done is skipped by the content of its input, nothing
    half done is left. A bad file never stops the others; it is named at the end, like each file of a folder that looks
    like audio and is left out. Exit status: 0 all done, 1 something failed, 2 wrong usage, 130 stopped.
    """
    with stoppable() as stopped:
        if not cluster and _may_be_many(inputs, listed) and is_compiled():
            start_template(jobs)
        from plugin_host.chain.file_program import choose
        from plugin_host.cli.render_report import JsonReport, Report
        from plugin_host.render.batch.batch import Batch, journal_path
        from plugin_host.render.batch.cluster import chosen_engine
        from plugin_host.render.batch.journal import Journal
        from plugin_host.render.batch.plan import plan
        from plugin_host.render.batch.report import check_report_file, write_report
        from plugin_host.render.loudness import LoudnessTarget

        with refusing(WRONG_USAGE, ValueError):
            check_report_file(report_file)
            planned = plan(_all_inputs(inputs, listed), output, f".{format_name}" if format_name else None)
            _refuse_floats_in_flac(planned, bits)
            level = LoudnessTarget.from_text(loudness, true_peak)
            _refuse_album_alone(album, loudness)
            build = partial(choose, preset, settings or [], artifact, automation)
            announce_compiling()
            sound = build()
            if sound.warning:
                complain(sound.warning)
            journal = Journal(journal_path(output))
        with journal:
            with refusing(WRONG_USAGE, ValueError):
                engine = chosen_engine(cluster, sound, build, jobs, planned)
            batch = Batch(sound, journal, engine, bits, level, overwrite, picture, album)
            report = (JsonReport if as_json else Report)(planned, quiet=quiet)
            _run(batch, planned, report, stopped)
            with refusing(WORK_FAILED, ValueError):
                write_report(journal, report_file)
    report.close()


@app.command(rich_help_panel=RENDER, no_args_is_help=True)
def watch(
    folder: Annotated[Path, typer.Argument(metavar="IN", help="A folder, with all below it.", file_okay=False)],
    output: Annotated[Path, typer.Argument(metavar="OUT", help="A folder that takes the outputs.", file_okay=False)],
    preset: PresetOption = None,
    settings: SetOption = None,
    artifact: ArtifactOption = None,
    bits: BitsOption = None,
    format_name: FormatOption = None,
    loudness: LoudnessOption = None,
    true_peak: TruePeakOption = None,
    jobs: JobsOption = None,
    settle_s: Annotated[
        float, typer.Option("--settle", min=0.1, help="Seconds in which a complete file stays as it is.")
    ] = 3.0,
    quiet: QuietFlag = False,
    as_json: JsonFlag = False,
) -> None:
    """Render what appears in a folder, as soon as it is complete; Ctrl-C or SIGTERM ends.

    An output appears only when it is whole. After a restart the journal in OUT knows what is done; a file that changes
    is rendered anew, and one that can't be read is named once, and tried again when it changes. Print what changes in
    a running host with highband changes.
    """
    with stoppable() as stopped:
        from plugin_host.chain.file_program import choose
        from plugin_host.cli.render_report import JsonReport, Report
        from plugin_host.render.batch.batch import Batch, journal_path
        from plugin_host.render.batch.journal import Journal
        from plugin_host.render.batch.plan import Plan
        from plugin_host.render.batch.watch import watch as appearing
        from plugin_host.render.batch.workers import standing_engine
        from plugin_host.render.loudness import LoudnessTarget

        with refusing(WRONG_USAGE, ValueError):
            level = LoudnessTarget.from_text(loudness, true_peak)
            build = partial(choose, preset, settings or [], artifact)
            announce_compiling()
            sound = build()
            journal = Journal(journal_path(output))
        report = (JsonReport if as_json else Report)(Plan(), quiet=quiet, endless=True)
        with journal, standing_engine(sound, build, jobs) as engine, refusing(WORK_FAILED, ValueError):
            batch = Batch(sound, journal, engine, bits, level)
            suffix = f".{format_name}" if format_name else None
            for outcome in appearing(folder, output, batch, settle_s=settle_s, stopped=stopped, suffix=suffix):
                report.end(outcome)


def _may_be_many(inputs: Sequence[str] | None, listed: Path | None) -> bool:
    """Return whether the inputs may be worth more than one process; a small file is done before another is there."""
    return listed is not None or len(inputs or ()) > 1 or any(not _is_small_file(path) for path in inputs or ())


def _is_small_file(path: str) -> bool:
    try:
        status = os.stat(path)
    except OSError:
        return False
    return stat.S_ISREG(status.st_mode) and status.st_size < _SMALL_BYTES


def _all_inputs(inputs: Sequence[str] | None, listed: Path | None) -> Iterator[str]:
    from plugin_host.render.batch.plan import BatchError, read_list

    if not inputs and listed is None:
        raise BatchError("there is nothing to render; name files or folders, or a list with --from")
    yield from inputs or ()
    if listed is not None:
        yield from read_list(listed)


def _run(batch: Batch, planned: Plan, report: Report, stopped: Callable[[], bool]) -> None:
    from plugin_host.render.batch.plan import BatchError
    from plugin_host.render.stopped import RenderStopped

    for fault in planned.faults:
        report.fail(fault)
    try:
        with report.showing(), refusing(WORK_FAILED, ValueError), refusing(WRONG_USAGE, BatchError):
            for outcome in batch.run(planned, begun=report.begin, progress=report.progress, stopped=stopped):
                report.end(outcome)
    except (RenderStopped, KeyboardInterrupt):
        refuse(f"stopped with {report.left} of {report.count} left; run the same command to go on", INTERRUPTED)


def _refuse_floats_in_flac(planned: Plan, bits: BitsChoice | None) -> None:
    if bits == "32f" and planned.makes(".flac"):
        raise ValueError("FLAC can't hold 32-bit floats; choose --bits 24 or --format wav")


def _refuse_album_alone(album: bool, loudness: str | None) -> None:
    if album and loudness is None:
        raise ValueError("--album has no loudness to bring the files to; give it too, such as --loudness -16LUFS")


@app.command(rich_help_panel=RENDER)
def demo(
    folder: Annotated[Path, typer.Option("--output", "-o", metavar="FOLDER", help="Takes the files.")] = Path("demo"),
    artifact: ArtifactOption = None,
) -> None:
    """Make a bundled clip dull, make it bright again, and print how near it came."""
    from plugin_host.chain.file_program import choose
    from plugin_host.render.demo import run

    announce_compiling()
    with refusing(WORK_FAILED, ValueError):
        for line in run(folder, choose(None, [], artifact)):
            typer.echo(line)
