"""The patch of a JACK client: what a person connected to its ports, so that it can be wired again."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

Wire = tuple[str, str]


class JackPatch:
    """Follows the wires of a client's ports and connects them again when a port or the server comes back.

    A wire is taken out when both of its ports are there without it. One whose other port has gone is kept, and
    connected as soon as that port is there again.

    Args:
        wires: Pairs of our port's short name and the other port's full name.
    """

    def __init__(self, wires: Iterable[Sequence[str]] = ()) -> None:
        self._wires: set[Wire] = {(wire[0], wire[1]) for wire in wires}
        self._waiting = set(self._wires)
        self._unplugged: set[Wire] = set()

    @property
    def wires(self) -> list[Wire]:
        """The wires in order, as a session keeps them."""
        return sorted(self._wires)

    def wait(self) -> None:
        """Note that all other ports have gone, such as with the server."""
        self._waiting, self._unplugged = set(self._wires), set()

    def follow(self, client: Any) -> None:
        """Note what was connected and disconnected since the last call, and connect what waits and is there."""
        ports = {port.shortname: port for port in (*client.inports, *client.outports)}
        present = {(name, peer.name) for name, port in ports.items() for peer in client.get_all_connections(port)}
        missing = self._wires - present
        gone = {wire for wire in missing if wire[0] not in ports or not _exists(client, wire[1])}
        here = missing & self._waiting - gone
        refused = {wire for wire in here if not _connect(client, ports[wire[0]], wire[1])}
        unplugged = missing - gone - here
        # A port that is going loses its wires a moment before its name: so a wire is out when it is so twice.
        self._wires = (self._wires | present) - (unplugged & self._unplugged)
        self._waiting, self._unplugged = gone | refused, unplugged


def _connect(client: Any, port: Any, peer: str) -> bool:
    """Return whether it could be connected; ports of a client that does not play yet can't."""
    try:
        client.connect(*((peer, port) if port.is_input else (port, peer)))
    except Exception:  # As below.
        return False
    return True


def _exists(client: Any, name: str) -> bool:
    try:
        client.get_port_by_name(name)
    except Exception:  # jack.JackError, whose module is loaded only where there is JACK.
        return False
    return True
