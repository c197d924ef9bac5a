"""The options and help texts of the commands around MIDI; imports nothing heavy."""

from __future__ import annotations

from typing import Annotated

import typer

_CONTROL = "Control a running host"

PortOption = Annotated[
    str,
    typer.Option("--port", "-p", metavar="NAME", help="Part of a port's name, or virtual; by default the first."),
]
ApiOption = Annotated[
    str | None, typer.Option("--api", metavar="SYSTEM", help="alsa, jack, core or winmm; by default any that answers.")
]
MapOption = Annotated[str, typer.Option("--map", "-m", help="Map by name, or the path of a .json file.")]


def register(app: typer.Typer) -> None:
    """Add the commands to the command line."""
    group = typer.Typer(help="Look at MIDI controllers and their maps, and teach a map.", no_args_is_help=True)
    for command in (ports, maps, learn, monitor):
        group.command()(command)
    app.add_typer(group, name="midi", rich_help_panel=_CONTROL)


def ports(api: ApiOption = None) -> None:
    """List the MIDI ports of this machine."""
    from plugin_host.cli import midi as commands_midi

    commands_midi.ports(api)


def maps(name: Annotated[str | None, typer.Argument(help="Show this map in full.")] = None) -> None:
    """List the controller maps, or show one with what moves which knob."""
    from plugin_host.cli import midi as commands_midi

    commands_midi.maps(name)


def learn(
    knob: Annotated[str, typer.Argument(metavar="KNOB", help="Such as mix or bypass; see highband knobs.")],
    midi_map: MapOption = "eight-knobs",
    port: PortOption = "",
    api: ApiOption = None,
    seconds: Annotated[float, typer.Option("--seconds", min=0.1, help="Give up after so long.")] = 30.0,
) -> None:
    """Turn a control of the controller, and the map remembers that it moves this knob.

    What moves most within a second is taken. A map that Highband brought is copied into your own folder and the copy
    is taught. Ctrl-C cancels. Exit status 1 if nothing was heard.
    """
    from plugin_host.cli import midi as commands_midi

    commands_midi.learn(knob, midi_map, port, api, seconds)


def monitor(
    port: PortOption = "",
    api: ApiOption = None,
    seconds: Annotated[float | None, typer.Option("--seconds", min=0.0, help="End after so long.")] = None,
) -> None:
    """Print what a controller sends, until Ctrl-C."""
    from plugin_host.cli import midi as commands_midi

    commands_midi.monitor(port, api, seconds)
