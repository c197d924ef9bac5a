"""The commands that talk to a running host: clients of the control protocol like any other."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from plugin_host.cli.common import completion
from plugin_host.cli.common.errors import INTERRUPTED, WORK_FAILED, WRONG_USAGE, refuse, refusing
from plugin_host.cli.common.options import CONTROL, AddressOption, JsonFlag, KeysOption
from plugin_host.cli.common.running import running_host
from plugin_host.control.address import REQUESTS

if TYPE_CHECKING:
    pass

app = typer.Typer()

# Four steps of a tenth of a second make a first figure.
_MEASURING_S = 1.5


@app.command("set", rich_help_panel=CONTROL)
def set_knobs(
    assignments: Annotated[
        list[str],
        typer.Argument(
            metavar="KNOB=VALUE...", help="Such as amount=-3dB tone=40.", autocompletion=completion.assignments
        ),
    ],
    address: AddressOption = REQUESTS,
    key_file: KeysOption = None,
) -> None:
    """Turn knobs of a running host, all at the same sample or none."""
    from plugin_host.chain.file_program import split_assignment

    with refusing(WRONG_USAGE, ValueError):
        values = dict(map(split_assignment, assignments))
    with running_host(address, key_file) as host:
        _print_settings(host.set_many(values)["settings"])


@app.command(rich_help_panel=CONTROL)
def get(
    knob: Annotated[
        str | None, typer.Argument(help="One knob; by default all.", autocompletion=completion.knobs)
    ] = None,
    address: AddressOption = REQUESTS,
    key_file: KeysOption = None,
    as_json: JsonFlag = False,
) -> None:
    """Show where the knobs of a running host stand."""
    with running_host(address, key_file) as host:
        settings = host.ask("get", knob=knob)["settings"]
    if as_json:
        typer.echo(json.dumps(settings))
    else:
        _print_settings(settings)


@app.command(rich_help_panel=CONTROL)
def status(address: AddressOption = REQUESTS, key_file: KeysOption = None, as_json: JsonFlag = False) -> None:
    """Show what a running host plays: chain, latency in parts, load, interruptions."""
    from rich.console import Console
    from rich.table import Table

    from plugin_host.cli.common.status import controller
    from plugin_host.cli.common.status import lines as status_lines

    with running_host(address, key_file) as host:
        stats, midi, snapshot = host.ask("stats")["stats"], host.ask("midi")["midi"], host.snapshot()
    if as_json:
        whole = {name: snapshot[name] for name in ("sequence", "slot", "settings", "chain")}
        typer.echo(json.dumps({"stats": stats, **whole}))
        return
    table = Table("what", "value", show_header=False)
    for name, text in (*status_lines(stats), *controller(midi)):
        table.add_row(name, text)
    table.add_row("slot", snapshot["slot"])
    Console().print(table)
    _print_settings(snapshot["settings"])


@app.command(rich_help_panel=CONTROL)
def changes(
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
    from plugin_host.control.protocol import TOPICS

    chosen = topics or ["changes"]
    for topic in chosen:
        if topic not in TOPICS:
            refuse(f"there is no topic '{topic}'; the topics are {', '.join(TOPICS)}", WRONG_USAGE)
    with running_host(address, key_file) as host:
        try:
            for message in host.watch(chosen, seconds):
                _print_message(message, as_json)
        except KeyboardInterrupt:
            raise typer.Exit(INTERRUPTED) from None


@app.command(rich_help_panel=CONTROL)
def load(
    preset: Annotated[
        str,
        typer.Argument(metavar="PRESET", help="By name; see highband presets.", autocompletion=completion.presets),
    ],
    address: AddressOption = REQUESTS,
    key_file: KeysOption = None,
) -> None:
    """Load a preset into a running host."""
    with running_host(address, key_file) as host:
        host.load_preset(preset)
    typer.echo(f"the host plays {preset}")


@app.command(rich_help_panel=CONTROL)
def compare(
    mode: Annotated[
        Literal["wet", "dry", "off", "show"],
        typer.Argument(metavar="[wet|dry|off]", help="Play the processed sound, or the input; off ends it."),
    ] = "show",
    address: AddressOption = REQUESTS,
    key_file: KeysOption = None,
) -> None:
    """Compare the processed sound with the input equally loud, or show how loud both are.

    The louder one is turned down, by the gated loudness (ITU-R BS.1770) of the last 3 seconds. It acts on the
    output while one compares, and on no preset.
    """
    with running_host(address, key_file) as host:
        if mode != "show":
            host.set_many({"compare.match": float(mode != "off"), "bypass": float(mode == "dry")})
        match = host.ask("stats")["stats"]["match"]
        patience = time.monotonic() + _MEASURING_S
        while match["on"] and match["offset_db"] is None and time.monotonic() < patience:
            time.sleep(0.1)
            match = host.ask("stats")["stats"]["match"]
    typer.echo(_comparison(match))


def _comparison(match: Mapping[str, Any]) -> str:
    if not match["on"]:
        return "not comparing; start with highband compare dry and highband compare wet"
    if match["offset_db"] is None:
        return "comparing; nothing is loud enough yet to be matched"
    lower = f"{match['turned_down']} is turned down" if match["turned_down"] else "both are equally loud"
    return (
        f"wet {match['wet_lufs']:.1f} LUFS, dry {match['dry_lufs']:.1f} LUFS, wet {match['offset_db']:+.1f} dB: {lower}"
    )


@app.command(rich_help_panel=CONTROL)
def undo(address: AddressOption = REQUESTS, key_file: KeysOption = None) -> None:
    """Take back the last change of a running host."""
    with running_host(address, key_file) as host:
        _print_settings(host.ask("undo")["settings"])


@app.command(rich_help_panel=CONTROL)
def redo(address: AddressOption = REQUESTS, key_file: KeysOption = None) -> None:
    """Do again what was undone."""
    with running_host(address, key_file) as host:
        _print_settings(host.ask("redo")["settings"])


@app.command(rich_help_panel=CONTROL)
def keys(
    folder: Annotated[
        Path, typer.Argument(metavar="FOLDER", help="Receives highband-host.key and highband-client.key.")
    ],
) -> None:
    """Write a pair of key files, by which other machines control a host."""
    from plugin_host.control.keys import KeyFileError, make_keys

    with refusing(WORK_FAILED, KeyFileError):
        host_file, client_file = make_keys(folder)
    typer.echo(f"{host_file} stays with the host\n{client_file} goes, by a safe way, to who may control it")


def _print_settings(settings: Mapping[str, Mapping[str, Any]]) -> None:
    width = max(map(len, settings), default=0)
    for name, setting in settings.items():
        typer.echo(f"{name:{width}}  {setting['text']}")


def _print_message(message: Mapping[str, Any], as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(message))
        return
    data = message["data"]
    if message["topic"] == "changes":
        moved = ", ".join(f"{name} {setting['text']}" for name, setting in data["settings"].items())
        typer.echo(f"{data['sequence']} {data['origin']}, {data['cause']}: {moved or 'slot ' + data['slot']}")
    else:
        typer.echo(f"{message['topic']}: " + ", ".join(f"{name} {value}" for name, value in _flat(data)))


def _flat(value: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, str]]:
    """Yield nested values as lines, with the names of all levels."""
    for name, part in value.items():
        if isinstance(part, Mapping):
            yield from _flat(part, f"{above}{name} ")
        else:
            yield f"{above}{name}", _word(part)


def _word(value: Any) -> str:
    if isinstance(value, list):
        return " ".join(map(_word, value)) or "none"
    return f"{value:.4g}" if isinstance(value, float) else "none" if value is None else str(value)
