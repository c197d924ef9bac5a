"""Which doors a live session opens for whoever turns its knobs: ZeroMQ, OSC, MIDI, and the panel in the browser."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from plugin_host.session.host import LiveHost

if TYPE_CHECKING:
    from plugin_host.midi.controller import MidiControl
    from plugin_host.midi.map import Binding, MidiMap
    from plugin_host.midi.service import MidiDesk

DEFAULT_MAP = "eight-knobs"


class Door(Protocol):
    """A way to the settings from outside."""

    def start(self) -> None:
        """Open it; raise ValueError with one sentence if that can't be."""
        ...

    def stop(self) -> None:
        """Close it."""
        ...


@dataclass(frozen=True)
class DoorWishes:
    """What a person asked for.

    Attributes:
        control: Address of the ZeroMQ requests, "" for none.
        telemetry: Address of the telemetry.
        telemetry_hz: Messages a second on each topic.
        keys: The host's key file, for addresses that others can reach.
        osc: UDP port, or None.
        osc_feedback: UDP port of this machine where a surface is sent what others turn, or None.
        midi: Part of a port's name, "" for the first, "virtual" to offer one, or None.
        midi_map: Name or path of the controller's map.
        panel: Port of the page in the browser, or None.
    """

    control: str = ""
    telemetry: str = ""
    telemetry_hz: float = 30.0
    keys: Path | None = None
    osc: int | None = None
    midi: str | None = None
    midi_map: str = DEFAULT_MAP
    panel: int | None = None
    osc_feedback: int | None = None


def make_doors(wishes: DoorWishes, host: LiveHost, report: Callable[[str], None]) -> list[Door]:
    """Return the doors that were asked for, not yet open; raise ValueError with one sentence if one can't be."""
    doors: list[Door] = []
    if wishes.panel is not None and (not wishes.control or wishes.keys):
        raise ValueError(
            "--panel needs --control at an address of this machine without --keys; else start highband panel"
        )
    midi = _controller(wishes, host, report) if wishes.midi is not None else None
    if wishes.control:
        from plugin_host.control.keys import read_keys
        from plugin_host.control.zmq_server import ZmqControl

        keys = read_keys(wishes.keys, "host") if wishes.keys else None
        control = ZmqControl(
            host.store, host, wishes.control, wishes.telemetry, wishes.telemetry_hz, keys,
            midi and midi[1],
        )  # fmt: skip
        doors.append(control)
        if wishes.panel is not None:
            from plugin_host.session.panel_process import PanelProcess

            doors.append(PanelProcess(lambda: control.address, wishes.panel, report))
    if wishes.osc is not None:
        from plugin_host.control.osc_server import OscControl

        doors.append(OscControl(host.store, host, wishes.osc, wishes.osc_feedback))
    if midi is not None:
        doors.append(midi[0])
    return doors


def _controller(wishes: DoorWishes, host: LiveHost, report: Callable[[str], None]) -> tuple[MidiControl, MidiDesk]:
    """Return the controller and the desk at which other doors see it; what is learned is kept in the map's file."""
    from plugin_host.midi.controller import MidiControl
    from plugin_host.midi.map_file import load_map, map_file, save_map
    from plugin_host.midi.service import MidiDesk

    name = wishes.midi_map
    chosen, target = load_map(name), map_file(name)
    made = MidiControl(host.store, host, host.sound.controls, chosen, wishes.midi or None, report=report)

    def keep(midi_map: MidiMap) -> None:
        save_map(midi_map, target)

    def keep_learned(binding: Binding) -> None:
        try:
            keep(made.surface.midi_map)
        except ValueError as error:
            report(str(error))
        else:
            report(f"{binding.source_text} moves {binding.control} from now on; written to {target}")

    made.surface.on_learned = keep_learned
    return made, MidiDesk(made.surface, lambda: made.port_name, name, keep)
