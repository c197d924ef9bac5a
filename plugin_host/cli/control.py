"""The commands that talk to a running host: clients of the control protocol like any other."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import typer
from rich.console import Console
from rich.table import Table

from plugin_host.cli.errors import INTERRUPTED, WORK_FAILED, WRONG_USAGE, refuse, refusing
from plugin_host.control.address import AddressError
from plugin_host.control.client import Client, HostError, NoHostError
from plugin_host.control.keys import KeyFileError, make_keys, read_keys
from plugin_host.control.protocol import TOPICS

# Long enough for a busy host, short enough that nobody wonders what the command is doing.
_PATIENCE_S = 1.5
# Four steps of a tenth of a second make a first figure.
_MEASURING_S = 1.5


def set_knobs(assignments: Sequence[str], address: str, key_file: Path | None) -> None:
    """Turn knobs; see the help of `highband set`."""
    values = dict(map(_assignment, assignments))
    with _host(address, key_file) as host:
        _print_settings(host.set_many(values)["settings"])


def get(knob: str | None, address: str, key_file: Path | None, as_json: bool) -> None:
    """Show settings; see the help of `highband get`."""
    with _host(address, key_file) as host:
        settings = host.ask("get", knob=knob)["settings"]
    if as_json:
        typer.echo(json.dumps(settings))
    else:
        _print_settings(settings)


def status(address: str, key_file: Path | None, as_json: bool) -> None:
    """Show what is played; see the help of `highband status`."""
    with _host(address, key_file) as host:
        stats, snapshot = host.ask("stats")["stats"], host.snapshot()
    if as_json:
        whole = {name: snapshot[name] for name in ("sequence", "slot", "settings", "chain")}
        typer.echo(json.dumps({"stats": stats, **whole}))
        return
    table = Table("what", "value", show_header=False)
    for stage in snapshot["chain"]:
        table.add_row(f"stage {stage.get('name')}", f"{stage.get('latency_samples')} samples of latency")
    for name, value in _flat(stats):
        table.add_row(name, value)
    table.add_row("slot", snapshot["slot"])
    Console().print(table)
    _print_settings(snapshot["settings"])


def watch(topics: Sequence[str], address: str, key_file: Path | None, as_json: bool, seconds: float | None) -> None:
    """Print telemetry; see the help of `highband watch`."""
    for topic in topics:
        if topic not in TOPICS:
            refuse(f"there is no topic '{topic}'; the topics are {', '.join(TOPICS)}", WRONG_USAGE)
    with _host(address, key_file) as host:
        try:
            for message in host.watch(topics, seconds):
                _print_news(message, as_json)
        except KeyboardInterrupt:
            raise typer.Exit(INTERRUPTED) from None


def load(preset: str, address: str, key_file: Path | None) -> None:
    """Play a preset; see the help of `highband load`."""
    with _host(address, key_file) as host:
        host.ask("get")  # A host that is not there is told at once, and not after the time that building may take.
        host.load_preset(preset)
    typer.echo(f"the host plays {preset}")


def compare(what: Literal["wet", "dry", "off", "show"], address: str, key_file: Path | None) -> None:
    """Choose what is heard in a comparison; see the help of `highband compare`."""
    with _host(address, key_file) as host:
        if what != "show":
            host.set_many({"compare.match": float(what != "off"), "bypass": float(what == "dry")})
        found = host.ask("stats")["stats"]["match"]
        patience = time.monotonic() + _MEASURING_S
        while found["on"] and found["offset_db"] is None and time.monotonic() < patience:
            time.sleep(0.1)
            found = host.ask("stats")["stats"]["match"]
    typer.echo(_comparison(found))


def _comparison(found: Mapping[str, Any]) -> str:
    if not found["on"]:
        return "not comparing; start with highband compare dry and highband compare wet"
    if found["offset_db"] is None:
        return "comparing; nothing is loud enough yet to be matched"
    lower = f"{found['turned_down']} is turned down" if found["turned_down"] else "both are equally loud"
    return (
        f"wet {found['wet_lufs']:.1f} LUFS, dry {found['dry_lufs']:.1f} LUFS, wet {found['offset_db']:+.1f} dB: {lower}"
    )


def step_back(way: Literal["undo", "redo"], address: str, key_file: Path | None) -> None:
    """Go a step through the history; see the help of `highband undo`."""
    with _host(address, key_file) as host:
        _print_settings(host.ask(way)["settings"])


def keys(folder: Path) -> None:
    """Make a pair of key files; see the help of `highband keys`."""
    with refusing(WORK_FAILED, KeyFileError):
        host_file, client_file = make_keys(folder)
    typer.echo(f"{host_file} stays with the host\n{client_file} goes, by a safe way, to who may control it")


@contextlib.contextmanager
def _host(address: str, key_file: Path | None) -> Iterator[Client]:
    with refusing(WRONG_USAGE, AddressError, KeyFileError):
        known = None if key_file is None else read_keys(key_file, "client")
        client = Client(address, known, origin="command line", timeout_s=_PATIENCE_S)
    with client, refusing(WORK_FAILED, HostError, NoHostError):
        yield client


def _assignment(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals:
        refuse(f"'{text}' is not of the form knob=value, such as amount=-3", WRONG_USAGE)
    return name.strip(), value.strip()


def _print_settings(settings: Mapping[str, Mapping[str, Any]]) -> None:
    width = max(map(len, settings), default=0)
    for name, setting in settings.items():
        typer.echo(f"{name:{width}}  {setting['text']}")


def _print_news(message: Mapping[str, Any], as_json: bool) -> None:
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
