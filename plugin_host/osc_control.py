"""The OSC door: UDP messages of this machine onto the same settings.

`/parameter/extender/amount -3.0`, `/parameter/after/0/threshold_db "-6 dB"`, `/preset "old-tape"`, `/bypass 1`.
"""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Iterator
from typing import Any

from pythonosc.osc_message import OscMessage

from plugin_host import host as hosts
from plugin_host.host import Host
from plugin_host.settings import SettingsStore

PORT = 9403
ORIGIN = "osc"
# The knobs of the model have no stage in their ids.
_MODEL = "extender"
_LARGEST_PACKET = 65536
_DEEPEST = 8
# What a setting may be written in; python-osc only logs what it does not know.
_TYPES = frozenset(b"ifdhsTF")
_LOOK_UP_S = 0.2


class OscError(ValueError):
    """The port can't be opened; the text is one sentence."""


class OscControl:
    """Listens on one UDP port of this machine until it is stopped; time tags of bundles are ignored.

    Args:
        store: The settings.
        host: Loads presets.
        port: 0 lets the system choose.

    Attributes:
        port: The port, once started.
        messages, bad: How many messages were done, and how many packets or messages were ignored.
    """

    def __init__(self, store: SettingsStore, host: Host, port: int = PORT) -> None:
        self._store, self._host, self.port = store, host, port
        self.messages = self.bad = 0
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Open the port and listen; raise OscError if it is in use."""
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            self._socket.bind(("127.0.0.1", self.port))
        except OSError:
            self._socket.close()
            raise OscError(f"UDP port {self.port} is in use; end the other host or choose another port") from None
        self.port = self._socket.getsockname()[1]
        self._socket.settimeout(_LOOK_UP_S)
        self._stop.clear()
        self._thread = threading.Thread(target=self._listen, name="highband-osc", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop listening."""
        if self._thread is None:
            return
        self._stop.set()
        self._thread.join()
        self._thread = None
        self._socket.close()

    def take(self, packet: bytes) -> None:
        """Do what a packet asks for; what is wrong in it is counted and ignored."""
        try:
            for one in _messages(packet):
                self._do(*_read(one))
                self.messages += 1
        except Exception:
            # Whatever a stranger's bytes do to the parser, the next packet is heard.
            self.bad += 1

    def _listen(self) -> None:
        while not self._stop.is_set():
            try:
                packet = self._socket.recv(_LARGEST_PACKET)
            except OSError:
                continue
            self.take(packet)

    def _do(self, address: str, value: float | str) -> None:
        if address == "/preset":
            hosts.load_preset(self._store, self._host, str(value), ORIGIN)
        elif address == "/bypass":
            self._store.request("bypass", value, ORIGIN)
        else:
            self._store.request(_knob(address), value, ORIGIN)


def _messages(packet: bytes, depth: int = 0) -> Iterator[bytes]:
    """Yield the messages of a packet, in bundles within bundles too."""
    if not packet.startswith(b"#bundle\0"):
        yield packet
        return
    if depth >= _DEEPEST:
        raise ValueError("bundles are nested too deeply")
    place = 16
    while place < len(packet):
        (size,) = struct.unpack_from(">i", packet, place)
        part = packet[place + 4 : place + 4 + size]
        if size <= 0 or len(part) < size:
            raise ValueError("a part of the bundle is cut off")
        yield from _messages(part, depth + 1)
        place += 4 + size


def _read(message: bytes) -> tuple[str, float | str]:
    tags = message[message.index(b",") :].split(b"\0", 1)[0]
    if not message.startswith(b"/") or len(tags) != 2 or tags[1] not in _TYPES:
        raise ValueError("a message has an address and one number, text or switch")
    parsed = OscMessage(message)
    value: Any = parsed.params[0]
    return parsed.address, value if isinstance(value, str) else float(value)


def _knob(address: str) -> str:
    """Return the id of the knob at /parameter/<stage>/<control>."""
    root, *parts = address.removeprefix("/").split("/")
    if root != "parameter" or not parts:
        raise ValueError("there is nothing at this address")
    return ".".join(parts[1:] if parts[0] == _MODEL else parts)
