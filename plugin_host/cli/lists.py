"""The commands that show what there is: presets, artifacts, knobs."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated

import typer

from plugin_host.cli.common import completion
from plugin_host.cli.common.errors import WORK_FAILED, WRONG_USAGE, refuse, refusing
from plugin_host.cli.common.options import SHOW

if TYPE_CHECKING:
    from plugin_host.preset.file import Preset

app = typer.Typer()


@app.command(rich_help_panel=SHOW)
def presets(
    name: Annotated[
        str | None, typer.Argument(help="Show this preset in full.", autocompletion=completion.presets)
    ] = None,
) -> None:
    """List the presets, or show one with its knobs and effects."""
    from rich.console import Console
    from rich.table import Table

    from plugin_host.preset.file import PresetError, list_presets, load_preset

    if name is not None:
        with refusing(WRONG_USAGE, PresetError):
            _print_preset(load_preset(name))
        return
    table = Table("preset", "what it does", "artifact")
    for preset in list_presets():
        table.add_row(preset.id, preset.description, preset.artifact or "")
    Console().print(table)


@app.command(rich_help_panel=SHOW)
def artifacts() -> None:
    """List the trained models with their size, latency, figures and licence."""
    from rich.console import Console
    from rich.table import Table

    from models.artifact.manifest import list_artifacts

    with refusing(WORK_FAILED, ValueError):
        infos = list_artifacts()
    if not infos:
        refuse("no artifact is installed; install Highband again, or train one with highband train", WORK_FAILED)
    table = Table("artifact", "what it is", "weights", "latency")
    for heading in ("figures", "licence"):
        # Folded where the window is narrow; a licence or a split cut short says nothing.
        table.add_column(heading, overflow="fold")
    for info in infos:
        figures = "\n".join(f"{name} {_figure(value)}" for name, value in info.metrics.items())
        table.add_row(info.name, info.about, f"{info.weights:,}", f"{info.latency_ms:g} ms", figures, info.licence)
    Console().print(table)


@app.command(rich_help_panel=SHOW)
def knobs() -> None:
    """List the knobs with their ranges and defaults."""
    from rich.console import Console
    from rich.table import Table

    from models.extender.controls import CONTROLS

    table = Table("knob", "range", "default", "what it does")
    for control in CONTROLS:
        table.add_row(control.id, control.range_text(), control.to_text(control.default), control.about)
    Console().print(table)


def _print_preset(preset: Preset) -> None:
    from rich.console import Console
    from rich.table import Table

    from models.extender.controls import CONTROLS

    typer.echo(f"{preset.name}\n{preset.description}\n")
    typer.echo(f"artifact  {preset.artifact or 'any'}")
    for place, nodes in (("before", preset.before), ("after", preset.after)):
        for node in nodes:
            typer.echo(f"{place:9} {node.title}")
    table = Table("knob", "value", "default")
    for control in CONTROLS:
        value = preset.settings.get(control.id, control.default)
        table.add_row(control.id, control.to_text(value), control.to_text(control.default))
    Console().print(table)


def _figure(value: object) -> str:
    return f"{value:.3g}" if isinstance(value, float) else value if isinstance(value, str) else json.dumps(value)
