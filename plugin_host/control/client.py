"""A client of the control protocol: what another program needs to turn the knobs of a running host."""

from __future__ import annotations

import json
import time
from collections.abc import Generator, Mapping, Sequence
from typing import Any, Self

import zmq

from plugin_host.control.address import REQUESTS, beside, split
from plugin_host.control.keys import Keys
from plugin_host.control.protocol import TOPICS, VERSION
from plugin_host.control.request import SLOW, STEPS

Value = float | str
# What takes longer has hung: plug-ins of a hundred megabytes load within it.
_BUILDING_S = 60.0


class HostError(RuntimeError):
    """The host refused; the text is its sentence.

    Attributes:
        kind: The stable name of the error, such as "unknown_knob".
    """

    def __init__(self, kind: str, sentence: str) -> None:
        super().__init__(sentence)
        self.kind = kind


class NoHostError(ConnectionError):
    """Nobody answers at the address; the text is one sentence."""


class Client:
    """A connection to a running host; one thread at a time may use it.

        with Client() as host:
            host.set("amount", "-3 dB")
            print(host.get("amount")["text"])

    Args:
        address: The host's address for requests.
        keys: The client's keys, where the host is on another machine.
        origin: Name under which the host publishes this client's changes.
        timeout_s: How long to wait for a reply.
    """

    def __init__(
        self, address: str = REQUESTS, keys: Keys | None = None, origin: str = "client", timeout_s: float = 2.0
    ) -> None:
        split(address)
        self._address, self._keys, self._origin, self._timeout_s = address, keys, origin, timeout_s
        self._context = zmq.Context()
        # A DEALER, unlike a REQ socket, goes on after a reply that never came.
        self._socket = self._connected(zmq.DEALER, address)
        self._id = 0

    def __repr__(self) -> str:
        return f"<Client of {self._address}>"

    def ask(self, do: str, timeout_s: float | None = None, **fields: Any) -> dict[str, Any]:
        """Send one request and return its reply.

        Args:
            do: The command, such as "set".
            timeout_s: How long to wait, where it is more than usual.
            fields: What the command needs; a field that is None is left out.

        Raises:
            HostError: The host refused.
            NoHostError: There was no reply in time.
        """
        id = self._send(do, {name: value for name, value in fields.items() if value is not None})
        patience_s = self._timeout_s if timeout_s is None else timeout_s
        reply = self._reply_to((id,), patience_s)
        if reply is None and do in SLOW | STEPS:
            reply = self._slow_reply(id, do, patience_s)
        if reply is None:
            raise self._nobody()
        if not reply.get("ok"):
            raise HostError(str(reply.get("error")), str(reply.get("sentence")))
        return reply

    def _send(self, do: str, fields: Mapping[str, Any]) -> int:
        self._id += 1
        request = {"version": VERSION, "id": self._id, "do": do, "origin": self._origin, **fields}
        try:
            self._socket.send_multipart([b"", json.dumps(request).encode()], zmq.NOBLOCK)
        except zmq.Again:
            raise self._nobody() from None
        return self._id

    def _slow_reply(self, id: int, do: str, patience_s: float) -> dict[str, Any] | None:
        """Wait for a reply as long as the host answers anything at all."""
        reply = self._reply_to((id, self._send("slots", {})), patience_s)
        if reply is None or reply.get("id") == id:
            return reply
        reply = self._reply_to((id,), max(_BUILDING_S, patience_s))
        if reply is None:
            raise HostError("working", f"the host is still working on {do}; its changes come as they are done")
        return reply

    def get(self, knob: str) -> dict[str, Any]:
        """Return a knob's setting: value, text, position."""
        setting: dict[str, Any] = self.ask("get", knob=knob)["settings"][knob]
        return setting

    def settings(self) -> dict[str, dict[str, Any]]:
        """Return every knob's setting by id."""
        found: dict[str, dict[str, Any]] = self.ask("get")["settings"]
        return found

    def set(self, knob: str, value: Value, gesture: str | None = None) -> dict[str, Any]:
        """Move a knob to a value in its unit or a text; moves under one gesture are one step of undo."""
        return self.ask("set", knob=knob, value=value, gesture=gesture)

    def set_many(self, values: Mapping[str, Value], gesture: str | None = None) -> dict[str, Any]:
        """Move several knobs at the same sample, or none of them."""
        return self.ask("set_many", values=dict(values), gesture=gesture)

    def load_preset(self, name: str) -> dict[str, Any]:
        """Play a preset; building its chain may take seconds."""
        return self.ask("load_preset", name=name)

    def undo(self) -> dict[str, Any]:
        """Take the last step back."""
        return self.ask("undo")

    def redo(self) -> dict[str, Any]:
        """Do the last undone step again."""
        return self.ask("redo")

    def snapshot(self) -> dict[str, Any]:
        """Return the whole state: settings, slot, chain, number of the last change."""
        return self.ask("snapshot")

    def watch(
        self, topics: Sequence[str] = TOPICS, timeout_s: float | None = None
    ) -> Generator[dict[str, Any], None, None]:
        """Yield telemetry as it comes: messages with topic, number and data.

        Of meters, spectra and stats only the newest is yielded where the reader is slow; every change is. The first
        message comes a moment after the call, so take a snapshot after it.

        Args:
            topics: Any of "meters", "spectra", "stats", "changes".
            timeout_s: End where nothing came for so long; None goes on for ever.
        """
        socket = self._connected(zmq.SUB, beside(self._address, int(self.ask("describe")["telemetry_port"])))
        # Changes first: who has the first message of another topic then misses none that come after it.
        for topic in sorted(topics, key=lambda topic: topic != "changes"):
            socket.subscribe(topic)
        try:
            while socket.poll(None if timeout_s is None else round(timeout_s * 1000.0)):
                yield from _newest(socket)
        finally:
            socket.close()

    def close(self) -> None:
        """Close the connection."""
        self._context.destroy(linger=0)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _connected(self, kind: int, address: str) -> zmq.Socket[bytes]:
        socket: zmq.Socket[bytes] = self._context.socket(kind)
        socket.linger, socket.ipv6 = 0, "[" in address
        if self._keys is not None:
            socket.curve_publickey, socket.curve_secretkey = self._keys.public.encode(), self._keys.secret.encode()
            socket.curve_serverkey = self._keys.peer.encode()
        socket.connect(address)
        return socket

    def _reply_to(self, ids: Sequence[int], timeout_s: float) -> dict[str, Any] | None:
        """Return the first reply to one of these requests, or None where it does not come in time."""
        end = time.monotonic() + timeout_s
        while (rest_s := end - time.monotonic()) > 0.0:
            if self._socket.poll(max(1, round(rest_s * 1000.0))):
                reply = json.loads(self._socket.recv_multipart()[-1])
                # A reply that came too late for an earlier request is none for this one.
                if isinstance(reply, dict) and reply.get("id") in (*ids, None):
                    return reply
        return None

    def _nobody(self) -> NoHostError:
        keys = " (or it does not know these keys)" if self._keys is not None else ""
        return NoHostError(f"no host answers at {self._address}{keys}; start one with highband live")


def _newest(socket: zmq.Socket[bytes]) -> list[dict[str, Any]]:
    """Take all that waits: every change, and of the other topics the last message."""
    changes: list[dict[str, Any]] = []
    latest: dict[str, dict[str, Any]] = {}
    while True:
        try:
            parts = socket.recv_multipart(zmq.NOBLOCK)
        except zmq.Again:
            return [*changes, *latest.values()]
        message = json.loads(parts[-1])
        if message["topic"] == "changes":
            changes.append(message)
        else:
            latest[message["topic"]] = message
