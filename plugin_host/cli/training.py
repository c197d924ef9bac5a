"""The commands that need the training floor: evaluate, train, export."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import typer

from plugin_host.cli.errors import INTERRUPTED, WORK_FAILED, WRONG_USAGE, refuse, refusing


def evaluate(
    folder: Path,
    artifacts: Sequence[str],
    rates: Sequence[int],
    split: str | None,
    category: str | None,
    limit: int | None,
    seconds: float,
    visqol: bool,
    out: Path | None,
    source: str | None,
    assignments: Sequence[str],
    picture: Path | None,
) -> None:
    """Judge artifacts on clean recordings; see the help of `highband evaluate`."""
    if not folder.is_dir():
        refuse(f"{folder} is not a folder; name a folder of clean recordings", WRONG_USAGE)
    from plugin_host.chain.file_program import read_assignment

    with refusing(WRONG_USAGE, ValueError):
        changes = dict(map(read_assignment, assignments))
    with _working():
        from models.artifact.manifest import list_artifacts
        from models.training.evaluation.evaluate import command

        names = list(artifacts) or [info.name for info in list_artifacts()]
        command(folder, names, list(rates), split, category, limit, seconds, visqol, out, source, changes, picture)


def train(run_file: Path, folder: Path) -> None:
    """Train as a run file says; see the help of `highband train`."""
    _refuse_missing(run_file)
    with _working():
        from models.training.exciter import train as waveform_loop
        from models.training.exciter.run import is_waveform_run
        from models.training.predictor import train as loop

        learned = is_waveform_run(run_file)
        home = (waveform_loop if learned else loop).command(run_file, folder)
    further = f"make an artifact of it with: highband export {run_file}"
    if learned:
        further += ", and compare it with: python -m models.training.evaluation.comparison OUT.json"
    typer.echo(f"trained: {home}; {further}")


def export(run_file: Path, folder: Path, target: Path | None, figures: Path | None) -> None:
    """Make an artifact of a trained run; see the help of `highband export`."""
    _refuse_missing(run_file)
    with _working():
        from models.artifact.manifest import FOLDER
        from models.training.exciter import export as export_learned
        from models.training.exciter.run import is_waveform_run
        from models.training.predictor import export

        maker = export_learned if is_waveform_run(run_file) else export
        made = maker.command(run_file, folder, target or FOLDER, figures)
    typer.echo(f"exported: {made}; play it with: highband render IN -o OUT --artifact {made}")


def prove(artifact: str) -> None:
    """Renew an artifact's proof; see the help of `highband prove`."""
    with _working():
        from models.training.predictor.export import prove as renew

        made = renew(artifact)
    typer.echo(f"proved: {made}")


def _refuse_missing(run_file: Path) -> None:
    if not run_file.is_file():
        refuse(f"{run_file} is not a file; name the .toml file of a run", WRONG_USAGE)


@contextmanager
def _working() -> Iterator[None]:
    """Turn what can go wrong in long work into one sentence."""
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
