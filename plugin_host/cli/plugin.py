"""The commands around the DAW plug-in: build, install, list, remove, status, doctor, and the engine's server."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from plugin_host.cli.common.errors import WORK_FAILED, WRONG_USAGE, complain, refusing, stoppable
from plugin_host.cli.common.options import DAW

if TYPE_CHECKING:
    from plugin_host.plugin.instances import Instance
    from plugin_host.plugin.library import Status

_ENGINE = ("absent", "joining", "playing", "refused")
_PLACES = (("osc", "OSC port"), ("panel", "panel"))
_POLICY = ("dry, no engine", "dry, joining", "playing", "dry, late", "dry, refused")

app = typer.Typer()
group = typer.Typer(
    help="Play in any DAW: a VST3, CLAP and LV2 plug-in whose sound is made here.", no_args_is_help=True
)
app.add_typer(group, name="plugin", rich_help_panel=DAW)

StageOption = Annotated[
    str, typer.Option("--stage", metavar="MODULE:CLASS", help="A stage of your own; by default Highband itself.")
]
NameOption = Annotated[str, typer.Option("--name", help="In the DAW's list; by default the class's name.")]
FormatOption = Annotated[
    list[str] | None, typer.Option("--format", help="vst3, clap or lv2; repeat; by default all three.")
]


@group.command()
def build(stage: StageOption = "highband", name: NameOption = "") -> None:
    """Compile the plug-in, without installing it."""
    from plugin_host.plugin.build import build as compile_plugin
    from plugin_host.plugin.product import find_product

    with refusing(WORK_FAILED, ValueError):
        print(compile_plugin(find_product(stage, name)))


@group.command()
def install(stage: StageOption = "highband", name: NameOption = "", format_name: FormatOption = None) -> None:
    """Compile the plug-in and put it where DAWs look: ~/.vst3, ~/.clap, ~/.lv2."""
    from plugin_host.plugin.build import build as compile_plugin
    from plugin_host.plugin.bundles import FORMATS
    from plugin_host.plugin.bundles import install as put
    from plugin_host.plugin.product import PluginError, find_product

    with refusing(WRONG_USAGE, PluginError):
        formats = tuple(format_name or FORMATS)
        if unknown := set(formats) - set(FORMATS):
            raise PluginError(f"there is no format {min(unknown)}; the formats are {', '.join(FORMATS)}")
    with refusing(WORK_FAILED, ValueError):
        product = find_product(stage, name)
        for path in put(product, compile_plugin(product), formats):
            print(path)
    print(f"{product.name} is in your DAW's list after its next scan; docs/daw.md shows how to go on")


@group.command("list")
def list_plugins() -> None:
    """List what is installed."""
    from plugin_host.plugin.bundles import installed

    for one in installed():
        print(f"{one.name:24} {one.format:5} {one.stage:32} {one.path}")


@group.command()
def remove(name: Annotated[str, typer.Argument(help="As highband plugin list shows it.")]) -> None:
    """Remove a plug-in in every format."""
    from plugin_host.plugin.bundles import remove as take_away
    from plugin_host.plugin.product import PluginError

    with refusing(WRONG_USAGE, PluginError):
        gone = take_away(name)
        if not gone:
            raise PluginError(f"no plug-in '{name}' is installed; highband plugin list shows what is")
    for path in gone:
        print(path)


@group.command()
def status(as_json: Annotated[bool, typer.Option("--json", help="One line of JSON an instance.")] = False) -> None:
    """Show the plug-ins that DAWs have open: what plays, latency, late blocks."""
    from plugin_host.plugin.instances import instances
    from plugin_host.plugin.library import Library, Region

    shown = 0
    for instance in instances():
        with refusing(WORK_FAILED, ValueError):
            region = Region(Library(instance.library), instance.path)
            found = region.status()
            region.close()
        print(json.dumps(_figures(instance, found)) if as_json else _line(instance, found))
        shown += 1
    if not shown and not as_json:
        print("no DAW has the plug-in open")


def _figures(instance: Instance, found: Status) -> dict[str, str | int]:
    from plugin_host.plugin.instances import read_note

    note = read_note(instance)
    return {
        "name": instance.name,
        "track": found.track_name,
        "rate": found.rate,
        "channels": found.channels,
        "engine": _ENGINE[found.engine_state % len(_ENGINE)],
        "plays": _POLICY[found.policy % len(_POLICY)],
        "latency": found.buffer + found.chain_latency,
        "blocks": found.calls,
        "late": found.late,
        "dry": found.dry,
        "incomplete": found.incomplete,
        "longest_wait_us": found.longest_wait_ns // 1000,
        "daw": found.plugin_pid,
        "worker": found.engine_pid,
        "control": note.get("control", ""),
        "osc": note.get("osc", 0),
        "panel": f"http://127.0.0.1:{found.panel_port}/" if found.panel_port else "",
    }


def _line(instance: Instance, found: Status) -> str:
    words = _figures(instance, found)
    track = f" ({words['track']})" if words["track"] else ""
    line = (
        f"{words['name']}{track}: {words['plays']}, {found.rate} Hz, {found.channels} ch, "
        f"latency {words['latency']} samples, {found.late} of {found.calls} blocks late"
    )
    line += "".join(f", {word} {words[key]}" for key, word in _PLACES if words[key])
    return line + (f", a bounce lacked {found.incomplete} blocks" if found.incomplete else "")


@group.command()
def doctor() -> None:
    """Say what the plug-in needs and what is missing."""
    from plugin_host.engine.realtime import priority_refusal
    from plugin_host.plugin.build import compiler, headers, missing
    from plugin_host.plugin.bundles import installed
    from plugin_host.plugin.instances import runtime_folder

    absent = missing()
    print(f"compiler: {compiler() or 'missing'}")
    print(f"interfaces: {headers()}")
    for sentence in absent:
        print(f"missing: {sentence}")
    with refusing(WORK_FAILED, ValueError):
        print(f"runtime folder: {runtime_folder()}")
    print(f"real-time priority: {priority_refusal() or 'granted'}")
    print(f"installed: {', '.join(f'{one.name} ({one.format})' for one in installed()) or 'nothing yet'}")
    if absent:
        raise typer.Exit(WORK_FAILED)


@group.command(hidden=True)
def serve(
    idle: Annotated[
        float, typer.Option("--idle", min=0.1, help="End after so many seconds without an instance.")
    ] = 600.0,
) -> None:
    """Run the engine's server; a plug-in starts it by itself."""
    import os

    from plugin_host.plugin.instances import runtime_folder
    from plugin_host.session.plugin_server import LOG, PluginServer, ServerRunsError

    with refusing(WORK_FAILED, ValueError):
        folder: Path = runtime_folder()
    if not sys.stdout.isatty():
        # What a DAW has open stays the DAW's: its files end here, and words go to a file of our own.
        os.closerange(3, 256)
        log = os.open(folder / LOG, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW, 0o600)
        os.dup2(log, 1)
        os.dup2(log, 2)
    with stoppable() as stopped:
        try:
            PluginServer(complain, idle).run(stopped)
        except ServerRunsError:
            raise typer.Exit(0) from None
