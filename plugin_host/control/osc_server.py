"""The OSC interface: UDP messages of this machine move the same settings.

`/parameter/extender/amount -3.0`, `/parameter/after/0/threshold_db "-6 dB"`, `/preset "old-tape"`, `/bypass 1`. What
others turn can be sent back to a surface, by the same addresses; `/snapshot 1` asks for all of it.
"""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
from collections.abc import Iterator
from typing import Any

from pythonosc.osc_message import OscMessage
from pythonosc.osc_message_builder import OscMessageBuilder

from plugin_host.control import host as hosts
from plugin_host.control.host import Host
from plugin_host.settings.changes import Change
from plugin_host.settings.store import SettingsStore

PORT = 9403
ORIGIN = "osc"
# The knobs of the model have no stage in their ids.
_MODEL = "extender"
_LARGEST_PACKET = 65536
_DEEPEST = 8
# What a setting may be written in; python-osc only logs what it does not know.
_TYPES = frozenset(b"ifdhsTF")
_LOOK_UP_S = 0.2
# A surface shows moves at 40 Hz; what came between is overtaken.
_FEEDBACK_S = 0.025


class OscError(ValueError):
    """The port can't be opened; the text is one sentence."""


class OscControl:
    """Listens on one UDP port of this machine until it is stopped; time tags of bundles are ignored.

    Args:
        store: The settings.
        host: Loads presets.
        port: 0 lets the system choose.
        feedback: UDP port of this machine where a surface listens, or None.

    Attributes:
        port: The port, once started.
        messages, bad: How many messages were done, and how many packets or messages were ignored.
    """

    def __init__(self, store: SettingsStore, host: Host, port: int = PORT, feedback: int | None = None) -> None:
        self._store, self._host, self.port, self._feedback = store, host, port, feedback
        self._wants_all = threading.Event()
        self._feedback_thread: threading.Thread | None = None
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
        self._stop.clear()
        self._thread = threading.Thread(target=self._listen, name="highband-osc", daemon=True)
        self._thread.start()
        if self._feedback is not None:
            self._wants_all.set()
            self._feedback_thread = threading.Thread(
                target=self._send_feedback, args=(self._feedback,), name="highband-osc-out", daemon=True
            )
            self._feedback_thread.start()

    def stop(self) -> None:
        """Stop listening."""
        if self._thread is None:
            return
        self._stop.set()
        # Wakes the thread, which waits for a packet.
        self._socket.sendto(b"", ("127.0.0.1", self.port))
        for thread in (self._thread, self._feedback_thread):
            if thread is not None:
                thread.join()
        self._thread = self._feedback_thread = None
        self._socket.close()

    def receive(self, packet: bytes) -> None:
        """Do what a packet requests; a wrong one is counted and ignored."""
        try:
            for one in _messages(packet):
                self._do(*_read(one))
                self.messages += 1
        except Exception:
            # Whatever foreign bytes do to the parser, the next packet is read.
            self.bad += 1

    def _listen(self) -> None:
        while True:
            with contextlib.suppress(OSError):
                packet = self._socket.recv(_LARGEST_PACKET)
                if self._stop.is_set():
                    return
                self.receive(packet)

    def _send_feedback(self, port: int) -> None:
        """Send what others turned, the newest of each knob."""
        changes = self._store.subscribe()
        try:
            while not self._stop.is_set():
                waiting = changes.take(_LOOK_UP_S)
                values = dict(pair for change in waiting for pair in _of_others(change))
                if self._wants_all.is_set() or changes.missed:
                    self._wants_all.clear()
                    changes.missed = 0
                    values = self._store.targets()
                for knob, value in values.items():
                    self._send(knob, value, port)
                self._stop.wait(_FEEDBACK_S)
        finally:
            self._store.unsubscribe(changes)

    def _send(self, knob: str, value: float, port: int) -> None:
        message = OscMessageBuilder(address_of(knob))
        message.add_arg(value, OscMessageBuilder.ARG_TYPE_FLOAT)
        with contextlib.suppress(OSError):
            self._socket.sendto(message.build().dgram, ("127.0.0.1", port))

    def _do(self, address: str, value: float | str) -> None:
        if address == "/preset":
            hosts.load_preset(self._store, self._host, str(value), ORIGIN)
        elif address == "/snapshot":
            self._wants_all.set()
        elif address == "/bypass":
            self._store.request("bypass", value, ORIGIN)
        else:
            self._store.request(_knob(address), value, ORIGIN)


def address_of(knob: str) -> str:
    """Return where a knob is found."""
    stage = "" if "." in knob else f"{_MODEL}/"
    return f"/parameter/{stage}{knob.replace('.', '/')}"


def _of_others(change: Change) -> list[tuple[str, float]]:
    """Return what a surface does not know already: a fader that is sent its own moves fights the hand."""
    return [] if change.origin == ORIGIN else [(accepted.name, accepted.value) for accepted in change.accepted]


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
