"""The command that looks at files before anything is rendered: inspect."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

from plugin_host.cli.common.errors import INTERRUPTED, WORK_FAILED, WRONG_USAGE, complain, refuse
from plugin_host.cli.common.options import SHOW, JsonFlag

if TYPE_CHECKING:
    from plugin_host.render.inspect.measure import Inspection

app = typer.Typer()
# Of full scale; less is inaudible.
_MUCH_DC = 0.003
_WIDE = 240


@app.command(rich_help_panel=SHOW, no_args_is_help=True)
def inspect(
    inputs: Annotated[list[str], typer.Argument(metavar="FILES...", help="Files, folders, globs.")],
    picture: Annotated[
        bool, typer.Option("--picture", help="Draw each as NAME.inspect.png beside it: spectrogram and bandwidth.")
    ] = False,
    jobs: Annotated[
        int | None, typer.Option("--jobs", "-j", min=1, help="Processes at once; by default one core is left.")
    ] = None,
    as_json: JsonFlag = False,
) -> None:
    """Measure files: true bandwidth and its likely cause, clipping, DC, noise floor, loudness, provenance.

    The verdict says whether a file would gain by a generated band, is full-band, or dull by nature, so that a library
    can be sorted before anything is rendered. JSON has one object a line, with the bandwidth every ten seconds. Exit
    status: 0 all were read, 1 some could not be.
    """
    from plugin_host.render.batch.plan import expand
    from plugin_host.render.batch.template import default_jobs
    from plugin_host.render.inspect.many import inspect_all

    paths = list(dict.fromkeys(path for text in inputs for path, _ in expand(text)))
    if not paths:
        refuse("there is no audio in what was named; name files, folders or globs", WRONG_USAGE)
    found: list[Inspection] = []
    faults: list[str] = []
    try:
        for path, result in inspect_all(paths, jobs or default_jobs(), picture):
            if isinstance(result, str):
                faults.append(result)
                if as_json:
                    typer.echo(json.dumps({"path": path, "fault": result}))
            elif as_json:
                typer.echo(json.dumps(asdict(result), default=str))
            else:
                found.append(result)
    except KeyboardInterrupt:
        raise typer.Exit(INTERRUPTED) from None
    if not as_json:
        _print_table(found)
    for fault in faults:
        complain(fault)
    if faults:
        raise typer.Exit(WORK_FAILED)


def _print_table(found: Sequence[Inspection]) -> None:
    from rich.console import Console
    from rich.table import Table

    columns = ("file", "verdict", "bandwidth", "cause", "LUFS", "true peak", "noise floor", "notes")
    table = Table(*columns, box=None, pad_edge=False)
    for one in found:
        cause = one.cause
        moves = sorted(edge for edge in one.edges_hz if edge is not None)
        spread = f" ({moves[0] / 1000:.1f} to {moves[-1] / 1000:.1f})" if moves and moves[-1] > 1.05 * moves[0] else ""
        words = cause.detail if cause.kind == "none" else f"{cause.kind} {cause.detail}".rstrip()
        levels = [one.lufs, one.true_peak_db, one.noise_floor_db]
        figures = ["-inf" if level is None else f"{level:.1f}" for level in levels]
        bandwidth = "" if cause.verdict == "too little sound" else f"{cause.edge_hz / 1000:.2f} kHz{spread}"
        table.add_row(escape(str(one.path)), cause.verdict, bandwidth, words, *figures, escape(_notes(one)))
    console = Console()
    # A file or a pipe has no width that a table must fit into.
    console.print(table) if console.is_terminal else Console(width=_WIDE).print(table)


def _notes(one: Inspection) -> str:
    notes = list(one.notes)
    if one.clipped:
        notes.append(f"{one.clipped} samples clipped")
    if one.dc > _MUCH_DC:
        notes.append(f"DC {one.dc:.3f}")
    if one.provenance:
        origin = one.provenance
        band = origin.get("generated_from_hz")
        what = f"above {band / 1000:.2f} kHz generated" if isinstance(band, int | float) else "nothing generated"
        notes.append(f"{what} by Highband {origin.get('highband')} with {origin.get('artifact')}")
    return ", ".join(notes)
