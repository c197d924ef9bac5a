"""The commands that hold a stage to its laws: verify, check."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from plugin_host.cli.common.errors import WORK_FAILED, WRONG_USAGE, refuse, refusing
from plugin_host.cli.common.first_use import announce_compiling
from plugin_host.cli.common.options import PROVE, ArtifactOption, PresetOption, SetOption

if TYPE_CHECKING:
    from rich.table import Table

    from plugin_host.checks.suite import Report

app = typer.Typer()


@app.command(rich_help_panel=PROVE, no_args_is_help=True)
def verify(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Any audio file.")],
    preset: PresetOption = None,
    settings: SetOption = None,
    artifact: ArtifactOption = None,
    blocks: Annotated[
        str, typer.Option("--blocks", help="Block sizes, with commas between; 'random' for random ones.")
    ] = "1,17,64,128,256,480,512,1024,random",
    seconds: Annotated[float, typer.Option("--seconds", min=0.001, max=600.0, help="How much of the file.")] = 5.0,
    against: Annotated[
        Path | None, typer.Option("--against", metavar="INPUT", help="Prove that FILE, an output, holds this input.")
    ] = None,
) -> None:
    """Play the start of a file in blocks of several sizes and compare with playing it whole.

    Prints the worst difference for each size; exit status 1 if one is above 0.00001 of full scale.

    With --against, FILE is an output and is compared with its input: below the band that its tags call generated both
    must be the same, to 90 dB or to the rounding of its depth; exit status 1 if they are not.
    """
    if against is not None:
        _prove_untouched(file, against)
        return
    from rich.console import Console
    from rich.table import Table

    from plugin_host.chain.file_program import choose
    from plugin_host.files.audio_reader import AudioFileError
    from plugin_host.render.verify import TOLERANCE, compare, load

    with refusing(WRONG_USAGE, ValueError):
        sizes = [_block_size(word) for word in blocks.split(",")]
        announce_compiling()
        sound = choose(preset, settings or [], artifact)
        stage = sound.stage
    with refusing(WORK_FAILED, AudioFileError):
        samples, rate = load(file, seconds)
    table = Table("block", "samples compared", "worst difference", "at", "")
    holds = True
    with refusing(WORK_FAILED, ValueError):
        for row in compare(stage, sound.settings, samples, rate, sizes):
            holds = holds and row.holds
            where = f"{row.worst_at / rate:.4f} s" if row.worst else ""
            verdict = "equal" if row.holds else "DIFFERS"
            table.add_row(str(row.block or "random"), str(row.compared), f"{row.worst:.2g}", where, verdict)
    Console().print(table)
    if not holds:
        refuse(f"{sound.artifact} in blocks differs from the whole by more than {TOLERANCE:g}", WORK_FAILED)


def _prove_untouched(output: Path, against: Path) -> None:
    from plugin_host.files.audio_reader import AudioFileError
    from plugin_host.render.inspect.untouched import prove

    with refusing(WORK_FAILED, AudioFileError):
        proof = prove(output, against)
    figures = (
        f"below {proof.below_hz:.0f} Hz {output} differs from {against} by {proof.difference_db:.1f} dBFS "
        f"(the input has {proof.input_db:.1f}, {proof.allowed_db:.1f} are allowed)"
    )
    if not proof.holds:
        refuse(f"{figures}; {proof.reason or 'one of the two was changed since'}", WORK_FAILED)
    typer.echo(f"untouched: {figures}")


def _block_size(word: str) -> int:
    if word.strip() == "random":
        return 0
    if not word.strip().isdecimal() or not 1 <= int(word) <= 1 << 20:
        raise ValueError(f"'{word}' is not a block size; give numbers from 1 to 1048576 or random, with commas between")
    return int(word)


@app.command(rich_help_panel=PROVE, no_args_is_help=True)
def check(
    name: Annotated[
        str,
        typer.Argument(
            metavar="STAGE|PRESET", help="An artifact, a preset (name or path), or module:Class, importable."
        ),
    ],
    level: Annotated[
        int | None, typer.Option("--level", "-l", min=1, max=10, help="Only this level; by default 1 to 9.")
    ] = None,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Of everything that is random in it.")] = 0,
    minutes: Annotated[float, typer.Option("--minutes", min=0.01, max=1440.0, help="Of level 10.")] = 10.0,
    artifact: Annotated[
        str | None, typer.Option("--artifact", "-a", help="The model in a preset's chain; by default the preset's.")
    ] = None,
) -> None:
    """Hold a stage to ten levels of laws: yours, a shipped artifact, or a preset's whole chain.

    From "silence stays silent" over "blocks equal whole" to "knobs jump without a click"; models/stage.py says what a
    stage is. Level 10 plays for minutes beside a busy thread and runs only on request. One line for each law that is
    broken; exit status 1 if there is one.
    """
    from rich.console import Console

    from plugin_host.checks.suite import levels, run
    from plugin_host.checks.target import find_subject

    with refusing(WRONG_USAGE, ValueError):
        chosen = levels(level)
        announce_compiling()
        subject = find_subject(name, artifact)
    console = Console(highlight=False)
    reports: list[Report] = []
    with console.status("") as status:
        for one in chosen:
            status.update(f"level {one.number}: {one.title}")
            reports.append(run(one, subject, seed, minutes))
    console.print(_table(reports))
    faults = [f"level {report.level.number}: {one.law}: {one.fault}" for report in reports for one in report.faults]
    for fault in faults:
        console.print(fault, markup=False, soft_wrap=True)
    if faults:
        raise typer.Exit(WORK_FAILED)


def _table(reports: Sequence[Report]) -> Table:
    from rich.markup import escape
    from rich.table import Table

    table = Table("", "level", "", "laws", "figures")
    for report in reports:
        sign = "[red]fails[/]" if report.faults else "[green]holds[/]"
        kept = f"{len(report.verdicts) - len(report.faults)} of {len(report.verdicts)}"
        # The figures are many; these levels exist for theirs.
        figures = "\n".join(report.notes) if report.level.number in (1, 9, 10) else ""
        table.add_row(str(report.level.number), report.level.title, sign, kept, escape(figures))
    return table
