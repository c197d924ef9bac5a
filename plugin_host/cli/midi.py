"""The commands around MIDI: ports, maps, learn, monitor."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from plugin_host.cli.common import completion
from plugin_host.cli.common.errors import WORK_FAILED, WRONG_USAGE, refuse, refusing, stoppable
from plugin_host.cli.common.options import CONTROL, AddressOption, KeysOption
from plugin_host.cli.common.running import running_host
from plugin_host.control.address import REQUESTS

if TYPE_CHECKING:
    from plugin_host.midi.map import Binding, MidiMap
    from plugin_host.midi.messages import Message
    from plugin_host.midi.ports import MidiPort

app = typer.Typer()
group = typer.Typer(help="Look at MIDI controllers and their maps, and teach a map.", no_args_is_help=True)
app.add_typer(group, name="midi", rich_help_panel=CONTROL)

# Shorter than a person notices, and long enough to leave the processor alone.
_FETCH_S = 0.01
_MOST = 256

PortOption = Annotated[
    str,
    typer.Option("--port", "-p", metavar="NAME", help="Part of a port's name, or virtual; by default the first."),
]
ApiOption = Annotated[
    str | None, typer.Option("--api", metavar="SYSTEM", help="alsa, jack, core or winmm; by default any that answers.")
]
MapOption = Annotated[
    str,
    typer.Option("--map", "-m", help="Map by name, or the path of a .json file.", autocompletion=completion.midi_maps),
]


@group.command()
def ports(api: ApiOption = None) -> None:
    """List the MIDI ports of this machine."""
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    from plugin_host.midi.ports import MidiError, list_ports

    with refusing(WORK_FAILED, MidiError):
        listed = list_ports(api)
    if not listed:
        typer.echo("no MIDI port was found; plug a controller in, or offer a port with --midi virtual")
        return
    table = Table("port", "system", "sends", "receives lights")
    for port in listed:
        table.add_row(escape(port.name), port.api, "yes" if port.sends else "", "yes" if port.receives else "")
    Console().print(table)


@group.command()
def maps(
    name: Annotated[
        str | None, typer.Argument(help="Show this map in full.", autocompletion=completion.midi_maps)
    ] = None,
) -> None:
    """List the controller maps, or show one with what moves which knob."""
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    from plugin_host.midi.map_file import MidiMapError, list_maps, load_map

    if name is not None:
        with refusing(WRONG_USAGE, MidiMapError):
            _print_map(load_map(name))
        return
    table = Table("map", "what it is", "where")
    for found in list_maps():
        about = found.fault if found.midi_map is None else found.midi_map.description or found.midi_map.name
        table.add_row(escape(found.id), escape(about), escape(str(found.file)) if found.file else "shipped")
    Console().print(table)


def _print_map(midi_map: MidiMap) -> None:
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    typer.echo(f"{midi_map.name}\n{midi_map.description}\n")
    table = Table("controller", "knob", "kind")
    for binding in midi_map.bindings:
        table.add_row(binding.source_text, binding.control, binding.kind)
    for program, preset in midi_map.programs.items():
        table.add_row(f"program {program}", escape(preset), "preset")
    Console().print(table)


@group.command()
def use(
    port: Annotated[
        str, typer.Argument(metavar="PORT", help='Part of a port\'s name, "" for the first, virtual, or off.')
    ],
    address: AddressOption = REQUESTS,
    key_file: KeysOption = None,
) -> None:
    """Play a running host from another MIDI port; a plug-in in a DAW gets one so, which its session keeps."""
    with running_host(address, key_file) as host:
        midi = host.ask("midi_port", port=port)["midi"]
    typer.echo(f"the host plays from {midi['port']}" if midi["port"] else "the host plays from no MIDI port now")


@group.command()
def undo(address: AddressOption = REQUESTS, key_file: KeysOption = None) -> None:
    """Put a running host's map back to what it was before its last change, such as a control that was learned."""
    with running_host(address, key_file) as host:
        midi = host.ask("midi_undo")["midi"]
    typer.echo(f"the map {midi['map']} is as it was before")


@group.command()
def learn(
    knob: Annotated[
        str,
        typer.Argument(
            metavar="KNOB", help="Such as mix or bypass; see highband knobs.", autocompletion=completion.knobs
        ),
    ],
    map_name: MapOption = "eight-knobs",
    port_name: PortOption = "",
    api: ApiOption = None,
    seconds: Annotated[float, typer.Option("--seconds", min=0.1, help="Give up after so long.")] = 30.0,
) -> None:
    """Move a control of the controller, and the map remembers that it moves this knob.

    The control that moves most within a second is bound. A map that Highband brought is copied into your own folder
    and the copy is changed. Ctrl-C cancels. Exit status 1 if nothing came.
    """
    from models.extender.controls import control
    from plugin_host.midi.learn import MidiLearn
    from plugin_host.midi.map_file import load_map, map_file
    from plugin_host.midi.messages import Decoder

    with refusing(WRONG_USAGE, ValueError):
        learning = MidiLearn(control(knob))
        midi_map, target = load_map(map_name), map_file(map_name)
    decoder, began = Decoder(), time.monotonic()
    with _listening(port_name or midi_map.port or "", api) as (port, stopped):
        typer.echo(f"move a control of {port.name} for {knob}; Ctrl-C cancels")
        while not learning.done(time.monotonic()):
            if stopped():
                typer.echo("cancelled; the map stays as it is")
                return
            if time.monotonic() - began > seconds and not learning.has_begun:
                refuse(f"nothing came from {port.name}; see what it sends with highband midi monitor", WORK_FAILED)
            for data in port.receive(_MOST):
                for message in decoder.read(data):
                    learning.update(message, time.monotonic())
            time.sleep(_FETCH_S)
    _keep(learning.result(), midi_map, target)


def _keep(binding: Binding | None, midi_map: MidiMap, target: Path) -> None:
    from plugin_host.midi.map_file import MidiMapError, save_map

    if binding is None:
        refuse("nothing came that moves a knob; the map stays as it is", WORK_FAILED)
    with refusing(WORK_FAILED, MidiMapError):
        learned = midi_map.with_binding(binding)
        save_map(learned, target)
    typer.echo(f"{learned.news_of(binding, midi_map)} ({binding.kind}); written to {target}")


@group.command()
def monitor(
    port_name: PortOption = "",
    api: ApiOption = None,
    seconds: Annotated[float | None, typer.Option("--seconds", min=0.0, help="End after so long.")] = None,
) -> None:
    """Print what a controller sends, until Ctrl-C."""
    from plugin_host.midi.messages import Decoder

    decoder, began = Decoder(), time.monotonic()
    with _listening(port_name, api) as (port, stopped):
        typer.echo(f"listening to {port.name}; Ctrl-C ends")
        while not stopped() and (seconds is None or time.monotonic() - began < seconds):
            for data in port.receive(_MOST):
                typer.echo(describe(data, decoder.read(data)))
            time.sleep(_FETCH_S)


@contextmanager
def _listening(wanted: str, api: str | None) -> Iterator[tuple[MidiPort, Callable[[], bool]]]:
    from plugin_host.midi.ports import MidiError, MidiPort, list_ports

    port = MidiPort(wanted, api)
    with refusing(WORK_FAILED, MidiError):
        if not port.look():
            names = ", ".join(one.name for one in list_ports(api) if one.sends) or "none"
            raise MidiError(f"there is no MIDI port '{wanted}'; the ports that send are: {names}")
    try:
        with stoppable() as stopped:
            yield port, stopped
    finally:
        port.close()


def describe(data: Sequence[int], meanings: Sequence[Message]) -> str:
    """Return one line: the bytes, and every meaning that they have."""
    words = " ".join(f"{byte:02x}" for byte in data[:16])
    return f"{words:12} {' | '.join(map(_words, meanings)) or _other(data)}"


def _words(message: Message) -> str:
    from plugin_host.midi.messages import ControlChange, ControlChange14, Note, Nrpn, NrpnStep

    name = f"{message.kind} {message.number}"
    match message:
        case ControlChange(value=value) | ControlChange14(value=value) | Nrpn(value=value) | Note(value=value):
            name += f" = {value}"
        case NrpnStep(step=step):
            name += f" {step:+d}"
    return f"{name} (channel {message.channel})"


def _other(data: Sequence[int]) -> str:
    """Name what moves no knob, such as a pitch wheel."""
    import mido

    try:
        return str(mido.Message.from_bytes(list(data))).removesuffix(" time=0")
    except ValueError:
        return "malformed"
