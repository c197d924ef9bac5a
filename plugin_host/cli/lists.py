"""The commands that show what there is: presets, artifacts, knobs."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import typer
from rich.console import Console
from rich.table import Table

from models.extender import controls as knobs
from plugin_host.cli.errors import WORK_FAILED, WRONG_USAGE, refuse, refusing

if TYPE_CHECKING:
    from plugin_host.preset.file import Preset


def show_presets(name: str | None) -> None:
    """List the presets, or show one."""
    from plugin_host.preset.file import PresetError, list_presets, load_preset

    if name is not None:
        with refusing(WRONG_USAGE, PresetError):
            _show_preset(load_preset(name))
        return
    table = Table("preset", "what it does", "artifact")
    for preset in list_presets():
        table.add_row(preset.id, preset.description, preset.artifact or "")
    Console().print(table)


def show_artifacts() -> None:
    """List the trained models."""
    from models.artifact.manifest import list_artifacts

    with refusing(WORK_FAILED, ValueError):
        found = list_artifacts()
    if not found:
        refuse("no artifact is installed; install Highband again, or train one with highband train", WORK_FAILED)
    table = Table("artifact", "what it is", "weights", "latency")
    for heading in ("figures", "licence"):
        # Folded where the window is narrow; a licence or a split cut short says nothing.
        table.add_column(heading, overflow="fold")
    for info in found:
        figures = "\n".join(f"{name} {_figure(value)}" for name, value in info.metrics.items())
        table.add_row(info.name, info.about, f"{info.weights:,}", f"{info.latency_ms:g} ms", figures, info.licence)
    Console().print(table)


def show_knobs() -> None:
    """List the knobs with their ranges."""
    table = Table("knob", "range", "default", "what it does")
    for control in knobs.CONTROLS:
        table.add_row(control.id, control.range_text(), control.to_text(control.default), control.about)
    Console().print(table)


def _show_preset(preset: Preset) -> None:
    typer.echo(f"{preset.name}\n{preset.description}\n")
    typer.echo(f"artifact  {preset.artifact or 'any'}")
    for place, nodes in (("before", preset.before), ("after", preset.after)):
        for node in nodes:
            typer.echo(f"{place:9} {node.title}")
    table = Table("knob", "value", "default")
    for control in knobs.CONTROLS:
        value = preset.settings.get(control.id, control.default)
        table.add_row(control.id, control.to_text(value), control.to_text(control.default))
    Console().print(table)


def _figure(value: object) -> str:
    return f"{value:.3g}" if isinstance(value, float) else value if isinstance(value, str) else json.dumps(value)
