"""The commands of the training floor: evaluate, train, export, prove."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from plugin_host.cli.common import completion
from plugin_host.cli.common.errors import INTERRUPTED, WORK_FAILED, WRONG_USAGE, refuse, refusing
from plugin_host.cli.common.options import PROVE, TRAIN, SetOption

app = typer.Typer()

RunFile = Annotated[Path, typer.Argument(metavar="RUN.toml", help="What differs from the defaults.")]
RunsOption = Annotated[Path, typer.Option("--runs", help="Folder of checkpoints and logs.")]
JudgedOption = Annotated[
    list[str] | None,
    typer.Option(
        "--artifact", "-a", help="Trained model; repeat for several; by default all.",
        autocompletion=completion.artifacts,
    ),
]  # fmt: skip
RatesOption = Annotated[
    list[int] | None,
    typer.Option("--rate", "-r", help="Degrade to this many Hz; repeat; by default 8, 12, 16, 24 kHz."),
]


@app.command(rich_help_panel=PROVE, no_args_is_help=True)
def evaluate(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="Clean recordings, with a manifest or without.")],
    artifacts: JudgedOption = None,
    rates: RatesOption = None,
    split: Annotated[str | None, typer.Option("--split", help="Only this split of the manifest.")] = None,
    category: Annotated[str | None, typer.Option("--category", help="Only this category of the manifest.")] = None,
    source: Annotated[str | None, typer.Option("--source", help="Only sources whose name begins so.")] = None,
    limit: Annotated[int | None, typer.Option("--limit", min=1, help="At most so many clips, evenly spread.")] = None,
    seconds: Annotated[float, typer.Option("--seconds", min=0.0, help="Only the start of each clip; 0 for all.")] = 0.0,
    visqol: Annotated[bool, typer.Option("--visqol/--no-visqol", help="ViSQOL is the slowest measure.")] = True,
    settings: SetOption = None,
    out: Annotated[Path | None, typer.Option("--output", "-o", help="Write all figures into this JSON file.")] = None,
    picture: Annotated[
        Path | None, typer.Option("--picture", help="Draw the ten worst clips, before, after and clean, as this PNG.")
    ] = None,
) -> None:
    """Degrade clean recordings, restore them, and print LSD, ViSQOL and SI-SDR beside plain resampling."""
    if not folder.is_dir():
        refuse(f"{folder} is not a folder; name a folder of clean recordings", WRONG_USAGE)
    from plugin_host.chain.file_program import read_assignment

    with refusing(WRONG_USAGE, ValueError):
        changes = dict(map(read_assignment, settings or []))
    with _working():
        from models.artifact.manifest import list_artifacts
        from models.training.evaluation.evaluate import command

        names = artifacts or [info.name for info in list_artifacts()]
        rates = rates or [8000, 12000, 16000, 24000]
        command(folder, names, rates, split, category, limit, seconds, visqol, out, source, changes, picture)


@app.command(rich_help_panel=TRAIN, no_args_is_help=True)
def train(
    source: Annotated[
        Path, typer.Argument(metavar="RUN.toml|FOLDER", help="What differs from the defaults, or recordings.")
    ],
    folder: RunsOption = Path("runs"),
    artifact: Annotated[str, typer.Option("--artifact", "-a", help="Model that a folder's run starts from.")] = "live",
) -> None:
    """Train a model as a run file says; run it again to go on from its last checkpoint.

    A folder of recordings trains a shipped model further on them: their bandwidths are measured, one recording in ten
    is kept for validation, and the run file is written into the folder of runs.
    """
    run_file = source
    if not source.is_dir():
        _refuse_missing(run_file)
    with _working():
        if source.is_dir():
            from models.training.folder_run import write_run

            run_file = write_run(source, folder, artifact)
        from models.training.exciter import train as waveform_loop
        from models.training.exciter.run import is_waveform_run
        from models.training.predictor import train as loop

        learned = is_waveform_run(run_file)
        home = (waveform_loop if learned else loop).command(run_file, folder)
    further = f"make an artifact of it with: highband export {run_file}"
    if learned:
        further += ", and compare it with: python -m scripts.studies.comparison OUT.json"
    typer.echo(f"trained: {home}; {further}")


@app.command(rich_help_panel=TRAIN, no_args_is_help=True)
def export(
    run_file: RunFile,
    folder: RunsOption = Path("runs"),
    target: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="Folder of the new artifact; by default beside the shipped ones."),
    ] = None,
    figures: Annotated[
        Path | None, typer.Option("--figures", help="File of 'highband evaluate -o' whose means go into the manifest.")
    ] = None,
) -> None:
    """Write an artifact of a trained run: weights, the fine envelope fitted to them (a minute), graph and proof."""
    _refuse_missing(run_file)
    with _working():
        from models.artifact.manifest import FOLDER
        from models.training.exciter import export as export_learned
        from models.training.exciter.run import is_waveform_run
        from models.training.predictor import export

        exporter = export_learned if is_waveform_run(run_file) else export
        written = exporter.command(run_file, folder, target or FOLDER, figures)
    typer.echo(f"exported: {written}; play it with: highband render IN -o OUT --artifact {written}")


@app.command(rich_help_panel=TRAIN, no_args_is_help=True)
def prove(
    artifact: Annotated[
        str, typer.Argument(help="Name or folder of a trained model.", autocompletion=completion.artifacts)
    ],
) -> None:
    """Renew a model's proof, after the program's sound was changed on purpose."""
    with _working():
        from models.training.predictor.export import prove as renew

        folder = renew(artifact)
    typer.echo(f"proved: {folder}")


def _refuse_missing(run_file: Path) -> None:
    if not run_file.is_file():
        refuse(f"{run_file} is not a file; name the .toml file of a run", WRONG_USAGE)


@contextmanager
def _working() -> Iterator[None]:
    """Report what can go wrong in long work in one sentence."""
    try:
        with _with_training_libraries(), refusing(WORK_FAILED, ValueError, OSError):
            yield
    except KeyboardInterrupt:
        refuse("stopped; run the same command to go on", INTERRUPTED)


@contextmanager
def _with_training_libraries() -> Iterator[None]:
    try:
        yield
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] in ("models", "dsp", "plugin_host"):
            raise
        refuse(f"{error.name} is missing; install it with: pip install 'highband[train]'", WORK_FAILED)
