"""The patch of a JACK client: what a person connected to its ports, so that it can be wired again."""

from __future__ import annotations

import math
import time
from collections.abc import Iterable, Sequence
from typing import Any

Wire = tuple[str, str]


# A program that comes back may connect itself, and fails where that is done already.
_GRACE_S = 1.0


class JackPatch:
    """Follows the wires of a client's ports and connects them again when a port or the server comes back.

    A wire is taken out when both of its ports are there without it. One whose other port has gone is kept, and
    connected a moment after that port is there again.

    Args:
        wires: Pairs of our port's short name and the other port's full name.
    """

    def __init__(self, wires: Iterable[Sequence[str]] = ()) -> None:
        self._wires: set[Wire] = {(wire[0], wire[1]) for wire in wires}
        self._unplugged: set[Wire] = set()
        # Wires whose other port has gone, with the second since which it is there again.
        self._waiting = dict.fromkeys(self._wires, math.inf)

    @property
    def wires(self) -> list[Wire]:
        """The wires in order, as a session keeps them."""
        return sorted(self._wires)

    def restore(self, client: Any) -> None:
        """Connect the wires of a client that is new to the server; those whose other port is missing wait for it."""
        self._waiting, self._unplugged = dict.fromkeys(self._wires, -math.inf), set()
        self.follow(client, time.monotonic())

    def follow(self, client: Any, now: float) -> None:
        """Note what was connected and disconnected since the last call, and connect what waits and is there.

        Args:
            client: A `jack.Client` that is active.
            now: Seconds of the steady clock.
        """
        ports = {port.shortname: port for port in (*client.inports, *client.outports)}
        present = {(name, peer.name) for name, port in ports.items() for peer in client.get_all_connections(port)}
        missing = self._wires - present
        gone = {wire for wire in missing if wire[0] not in ports or not _exists(client, wire[1])}
        unplugged = missing - gone - self._waiting.keys()
        self._waiting = dict.fromkeys(gone, math.inf) | {
            wire: min(now, since)
            for wire, since in self._waiting.items()
            if wire in missing - gone and not (now - since >= _GRACE_S and _connect(client, ports[wire[0]], wire[1]))
        }
        # A port that is going loses its wires a moment before its name: so a wire is out when it is so twice.
        self._wires = (self._wires | present) - (unplugged & self._unplugged)
        self._unplugged = unplugged


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
