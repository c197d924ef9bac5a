"""The control interfaces of a live session: ZeroMQ, OSC, MIDI, and the panel in the browser."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from plugin_host.session.host import LiveHost

if TYPE_CHECKING:
    from plugin_host.midi.controller import MidiControl
    from plugin_host.midi.map import Binding, MidiMap
    from plugin_host.midi.service import MidiService

DEFAULT_MAP = "eight-knobs"


class ControlInterface(Protocol):
    """A way to the settings from outside the process."""

    def start(self) -> None:
        """Open it; raise ValueError with one sentence if that can't be."""
        ...

    def stop(self) -> None:
        """Close it."""
        ...


@dataclass(frozen=True)
class InterfaceOptions:
    """The requested control interfaces.

    Attributes:
        control: Address of the ZeroMQ requests, "" for none.
        telemetry: Address of the telemetry.
        telemetry_hz: Messages a second on each topic.
        keys: The host's key file, for addresses that others can reach.
        osc: UDP port, or None.
        osc_feedback: UDP port of this machine where a surface is sent what others turn, or None.
        midi: Part of a port's name, "" for the first, "virtual" to offer one, "off" for none yet, or None for no MIDI.
        midi_map: Name or path of the controller's map.
        midi_client: What the MIDI system calls this end of the wire.
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
    midi_client: str = "Highband"


def make_interfaces(options: InterfaceOptions, host: LiveHost, report: Callable[[str], None]) -> list[ControlInterface]:
    """Return the requested interfaces, not yet open; raise ValueError with one sentence if one can't be."""
    interfaces: list[ControlInterface] = []
    if options.panel is not None and (not options.control or options.keys):
        raise ValueError(
            "--panel needs --control at an address of this machine without --keys; else start highband panel"
        )
    midi = _controller(options, host, report) if options.midi is not None else None
    if options.control:
        from plugin_host.control.keys import read_keys
        from plugin_host.control.zmq_server import ZmqControl

        keys = read_keys(options.keys, "host") if options.keys else None
        control = ZmqControl(
            host.store, host, options.control, options.telemetry, options.telemetry_hz, keys,
            midi and midi[1],
        )  # fmt: skip
        interfaces.append(control)
        if options.panel is not None:
            from plugin_host.session.panel_process import PanelProcess

            interfaces.append(PanelProcess(lambda: control.address, options.panel, report))
    if options.osc is not None:
        from plugin_host.control.osc_server import OscControl

        interfaces.append(OscControl(host.store, host, options.osc, options.osc_feedback))
    if midi is not None:
        interfaces.append(midi[0])
    return interfaces


def _controller(
    options: InterfaceOptions, host: LiveHost, report: Callable[[str], None]
) -> tuple[MidiControl, MidiService]:
    """Return the controller and the service for other interfaces; learned bindings are written to the map's file."""
    from plugin_host.midi.controller import MidiControl
    from plugin_host.midi.map_file import load_map, map_file, save_map
    from plugin_host.midi.service import MidiService

    name = options.midi_map
    chosen, target = load_map(name), map_file(name)
    control = MidiControl(
        host.store, host, host.sound.controls, chosen, options.midi or None, report=report, client=options.midi_client
    )

    def save(midi_map: MidiMap) -> None:
        save_map(midi_map, target)

    def keep_learned(binding: Binding) -> None:
        try:
            save(control.surface.midi_map)
        except ValueError as error:
            report(str(error))
        else:
            news = control.surface.midi_map.news_of(binding, control.surface.replaced)
            report(f"{news} from now on; written to {target}")

    control.surface.on_learned = keep_learned
    return control, MidiService(control.surface, lambda: control.port_name, name, save, control.use_port)
