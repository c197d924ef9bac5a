"""The options and help texts of the commands that talk to a running host; imports nothing heavy."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from plugin_host.control.address import REQUESTS

_CONTROL = "Control a running host"

AddressOption = Annotated[
    str, typer.Option("--address", envvar="HIGHBAND_ADDRESS", metavar="tcp://HOST:PORT", help="Where the host listens.")
]
KeysOption = Annotated[
    Path | None,
    typer.Option("--keys", envvar="HIGHBAND_KEYS", metavar="FILE", help="highband-client.key, for another machine."),
]
JsonFlag = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]


def register(app: typer.Typer) -> None:
    """Add the commands to the command line."""
    app.command("set", rich_help_panel=_CONTROL)(set_knobs)
    for command in (get, status, watch, load, compare, undo, redo, keys):
        app.command(rich_help_panel=_CONTROL)(command)


def set_knobs(
    assignments: Annotated[list[str], typer.Argument(metavar="KNOB=VALUE...", help="Such as amount=-3dB tone=40.")],
    address: AddressOption = REQUESTS,
    key_file: KeysOption = None,
) -> None:
    """Turn knobs of a running host, all at the same sample or none."""
    from plugin_host.cli import control as commands_control

    commands_control.set_knobs(assignments, address, key_file)


def get(
    knob: Annotated[str | None, typer.Argument(help="One knob; by default all.")] = None,
    address: AddressOption = REQUESTS,
    key_file: KeysOption = None,
    as_json: JsonFlag = False,
) -> None:
    """Show where the knobs of a running host stand."""
    from plugin_host.cli import control as commands_control

    commands_control.get(knob, address, key_file, as_json)


def status(address: AddressOption = REQUESTS, key_file: KeysOption = None, as_json: JsonFlag = False) -> None:
    """Show what a running host plays: chain, latency in parts, load, interruptions."""
    from plugin_host.cli import control as commands_control

    commands_control.status(address, key_file, as_json)


def watch(
    topics: Annotated[
        list[str] | None, typer.Argument(metavar="[TOPIC...]", help="changes (the default), meters, spectra, stats.")
    ] = None,
    address: AddressOption = REQUESTS,
    key_file: KeysOption = None,
    as_json: JsonFlag = False,
    seconds: Annotated[
        float | None, typer.Option("--seconds", min=0.0, help="End where nothing came for so long; by default never.")
    ] = None,
) -> None:
    """Print what changes in a running host, as it happens; Ctrl-C ends."""
    from plugin_host.cli import control as commands_control

    commands_control.watch(topics or ["changes"], address, key_file, as_json, seconds)


def load(
    preset: Annotated[str, typer.Argument(metavar="PRESET", help="By name; see highband presets.")],
    address: AddressOption = REQUESTS,
    key_file: KeysOption = None,
) -> None:
    """Let a running host play a preset."""
    from plugin_host.cli import control as commands_control

    commands_control.load(preset, address, key_file)


def compare(
    what: Annotated[
        Literal["wet", "dry", "off", "show"],
        typer.Argument(metavar="[wet|dry|off]", help="Hear the processed sound, or the input; off ends it."),
    ] = "show",
    address: AddressOption = REQUESTS,
    key_file: KeysOption = None,
) -> None:
    """Compare the processed sound with the input equally loud, or tell how loud both are.

    The louder one is turned down, by the gated loudness (ITU-R BS.1770) of the last 3 seconds. It acts on what is
    heard while one compares, and on no preset.
    """
    from plugin_host.cli import control as commands_control

    commands_control.compare(what, address, key_file)


def undo(address: AddressOption = REQUESTS, key_file: KeysOption = None) -> None:
    """Take back the last change of a running host."""
    from plugin_host.cli import control as commands_control

    commands_control.step_back("undo", address, key_file)


def redo(address: AddressOption = REQUESTS, key_file: KeysOption = None) -> None:
    """Do again what was undone."""
    from plugin_host.cli import control as commands_control

    commands_control.step_back("redo", address, key_file)


def keys(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="Takes highband-host.key and highband-client.key.")],
) -> None:
    """Make a pair of key files, which let other machines control a host."""
    from plugin_host.cli import control as commands_control

    commands_control.keys(folder)
