"""The ZeroMQ interface: a ROUTER socket for requests and a PUB socket for telemetry, on one thread beside the audio."""

from __future__ import annotations

import math
import socket
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from contextlib import suppress
from typing import Any

import zmq
import zmq.utils.z85

from plugin_host.control import protocol
from plugin_host.control.address import REQUESTS, TELEMETRY, for_binding, split
from plugin_host.control.dispatch import Content, Dispatch, spectra
from plugin_host.control.host import Controller, Host
from plugin_host.control.keys import Keys
from plugin_host.control.worker import Worker
from plugin_host.settings.changes import SettingsError
from plugin_host.settings.store import SettingsStore

# The socket itself takes a little more than the protocol, so that a message that is too large gets its reply; a frame
# beyond this closes the connection before it fills the memory.
_LARGEST_FRAME = 1 << 20
_MOST_SLOW = 12
# Messages that may wait for one reader before new ones are dropped for it: replies are owed, telemetry is not.
_MOST_REPLIES, _MOST_NEWS = 10_000, 64
# Load figures are for people, who read slower than meters move.
_STATS_SHARE = 4
_ZAP = "inproc://zeromq.zap.01"
# Plain numbers: to join flags takes as long as to send.
_AT_ONCE = int(zmq.NOBLOCK)
_MORE = int(zmq.NOBLOCK | zmq.SNDMORE)


class ControlError(ValueError):
    """The sockets can't be opened; the text is one sentence."""


class ZmqControl:
    """Serves the control protocol until it is stopped.

    The PUB side is an XPUB socket, which any SUB reads: it knows which topics have a reader, and only these are made.
    With no reader the thread sleeps until a request comes, and leaves the interpreter to the audio thread.

    Args:
        store: The settings.
        host: What plays.
        address: Where requests are taken; port 0 lets the system choose.
        telemetry: Where telemetry is published.
        rate_hz: Messages a second on the topics "meters" and "spectra"; "stats" comes at a quarter of it.
        keys: The host's keys; without them only addresses of this machine are allowed.
        midi: The controller, or None.

    Raises:
        AddressError: An address is wrong, or others could reach it and there are no keys.

    Attributes:
        requests, refused, faults: How many requests came, were refused, and met a fault of the host.
    """

    def __init__(
        self,
        store: SettingsStore,
        host: Host,
        address: str = REQUESTS,
        telemetry: str = TELEMETRY,
        rate_hz: float = 30.0,
        keys: Keys | None = None,
        midi: Controller | None = None,
    ) -> None:
        self.address, self.telemetry = (for_binding(place, keys is not None) for place in (address, telemetry))
        self._store, self._host, self._keys, self._midi = store, host, keys, midi
        self._published_midi: Mapping[str, Any] = {}
        self._period_s = 1.0 / min(1000.0, max(0.1, rate_hz))
        self.requests = self.refused = self.faults = 0
        self._numbers = dict.fromkeys(protocol.TOPICS, 0)
        self._wanted, self._read = set[bytes](), set[str]()
        self._ticks = 0
        self._waiting: list[tuple[list[bytes], int | str | None, Future[Content]]] = []
        self._stop, self._ringing = threading.Event(), threading.Lock()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Open the sockets and serve; `address` and `telemetry` then hold the ports that were chosen.

        Raises:
            ControlError: An address is in use or not this machine's.
        """
        self._context = zmq.Context()
        self._zap = self._context.socket(zmq.REP)
        self._zap.bind(_ZAP)
        self._router, self._publisher = self._context.socket(zmq.ROUTER), self._context.socket(zmq.XPUB)
        self._router.sndhwm, self._publisher.sndhwm = _MOST_REPLIES, _MOST_NEWS
        try:
            self.address = self._bind(self._router, self.address)
            self.telemetry = self._bind(self._publisher, self.telemetry)
        except ControlError:
            self._context.destroy(linger=0)
            raise
        self._dispatch = Dispatch(self._store, self._host, split(self.telemetry)[1], self._midi)
        self._changes, self._sequence = self._store.subscribe(), self._store.sequence
        self._worker: Worker[Content] = Worker("highband-slow-request")
        # What wakes the thread from others, where sockets of ZeroMQ belong to one.
        self._bell, self._ringer = socket.socketpair()
        self._stop.clear()
        self._thread = threading.Thread(target=self._serve, name="highband-zmq", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop serving and close the sockets; what is being built for a request is not waited for."""
        if self._thread is None:
            return
        self._stop.set()
        self._wake()
        self._thread.join()
        self._thread = None
        self._store.unsubscribe(self._changes)
        self._worker.end()
        self._context.destroy(linger=0)
        self._bell.close()
        with self._ringing:
            self._ringer.close()

    def _bind(self, socket: zmq.Socket[bytes], address: str) -> str:
        socket.linger, socket.maxmsgsize = 0, _LARGEST_FRAME
        socket.ipv6 = "[" in address
        if self._keys is not None:
            socket.curve_server = True
            socket.curve_secretkey = self._keys.secret.encode()
        try:
            socket.bind(address)
        except zmq.ZMQError as error:
            raise ControlError(
                f"control can't listen on {address}: {error.strerror.lower() if error.strerror else error}; "
                "end the other host or choose another address"
            ) from None
        return socket.getsockopt_string(zmq.LAST_ENDPOINT)

    def _serve(self) -> None:
        poller = zmq.Poller()
        for one in (self._router, self._publisher, self._zap, self._bell):
            poller.register(one, zmq.POLLIN)
        due = time.monotonic()
        while not self._stop.is_set():
            rest_s = max(0.0, due - time.monotonic())
            ready = dict(poller.poll(math.ceil(rest_s * 1000.0) if self._read else None))
            if self._bell.fileno() in ready:
                self._bell.recv(64)
            if self._zap in ready:
                self._authenticate()
            if self._publisher in ready:
                self._note_readers()
            if self._router in ready:
                # One a round: a flood can't hold up the telemetry, and to find nothing more costs an exception.
                self._receive_request()
            self._finish_slow()
            self._publish_changes()
            if self._read and time.monotonic() >= due:
                # After a long wait the missed telemetry is left out, not made up for.
                due = max(due, time.monotonic() - self._period_s) + self._period_s
                self._publish_telemetry()

    def _receive_request(self) -> None:
        try:
            parts = self._router.recv_multipart(zmq.NOBLOCK)
        except zmq.ZMQError:
            return
        self.requests += 1
        # A REQ socket puts an empty part before its message, a DEALER may.
        envelope, rest = (parts[:2], parts[2:]) if parts[1:2] == [b""] else (parts[:1], parts[1:])
        if len(rest) != 1:
            self.refused += 1
            self._reply(envelope, protocol.refuse(None, "bad_message", "a message has one part"))
            return
        self._answer(envelope, rest[0])

    def _answer(self, envelope: list[bytes], data: bytes) -> None:
        try:
            request = protocol.read_request(data)
        except protocol.Refusal as refusal:
            self.refused += 1
            self._reply(envelope, protocol.refuse(refusal.id, refusal.kind, str(refusal)))
            return
        if not self._dispatch.is_slow(request, bool(self._waiting)):
            self._reply(envelope, self._written(request.id, lambda: self._dispatch.answer(request)))
        elif len(self._waiting) >= _MOST_SLOW:
            sentence = "the host is still building what was requested before; try again in a moment"
            self._reply(envelope, protocol.refuse(request.id, "busy", sentence))
        else:
            future = self._worker.submit(lambda: self._dispatch.answer(request))
            self._waiting.append((envelope, request.id, future))
            future.add_done_callback(lambda _: self._wake())

    def _finish_slow(self) -> None:
        for entry in [entry for entry in self._waiting if entry[2].done()]:
            self._waiting.remove(entry)
            envelope, id, future = entry
            self._reply(envelope, self._written(id, future.result))

    def _written(self, id: int | str | None, work: Callable[[], Content]) -> bytes:
        """Do the work and write its reply, whatever happens in it."""
        try:
            return protocol.accept(id, **work())
        except SettingsError as error:
            self.refused += 1
            return protocol.refuse(id, error.kind, str(error))
        except ValueError as error:
            self.refused += 1
            return protocol.refuse(id, "refused", " ".join(str(error).split()))
        except Exception as error:
            self.faults += 1
            return protocol.refuse(id, "internal", f"the host failed at this: {type(error).__name__}")

    def _reply(self, envelope: list[bytes], data: bytes) -> None:
        # Who does not read replies loses them.
        _send(self._router, [*envelope, data])

    def _wake(self) -> None:
        """Wake the thread; from any other, also after the end of it."""
        with self._ringing, suppress(OSError):
            self._ringer.send(b"!")

    def _note_readers(self) -> None:
        # What changed before is not for those who come now.
        self._publish_changes()
        while True:
            try:
                news = self._publisher.recv(zmq.NOBLOCK)
            except zmq.ZMQError:
                return
            prefix = news[1:]
            if not any(topic.encode().startswith(prefix) for topic in protocol.TOPICS):
                continue
            if news[:1] == b"\x01":
                self._wanted.add(prefix)
            elif news[:1] == b"\x00":
                self._wanted.discard(prefix)
            self._read = {topic for topic in protocol.TOPICS if topic.encode().startswith(tuple(self._wanted))}

    def _publish_changes(self) -> None:
        for change in self._changes.take():
            self._sequence = change.sequence
            if "changes" in self._read:
                self._publish("changes", protocol.change(change))

    def _publish_telemetry(self) -> None:
        try:
            if "meters" in self._read:
                self._publish("meters", self._host.meters())
            if "spectra" in self._read:
                self._publish("spectra", spectra(self._host))
            self._ticks += 1
            is_slow_tick = self._ticks % _STATS_SHARE == 0
            if is_slow_tick and "stats" in self._read:
                # A reader that was stopped for long has lost changes, and learns from the number that it has.
                self._publish("stats", {**self._host.stats(), "sequence": self._sequence})
            if self._midi is not None and "midi" in self._read:
                self._publish_midi(self._midi.now(), is_slow_tick)
        except Exception:
            # Telemetry may fail while the host changes its chain; the next one comes in a moment.
            self.faults += 1

    def _publish_midi(self, now: Mapping[str, Any], is_due: bool) -> None:
        """Publish what moved at once, and the same now and then for a reader that came late."""
        if is_due or now != self._published_midi:
            self._published_midi = now
            self._publish("midi", now)

    def _publish(self, topic: str, data: Any) -> None:
        self._numbers[topic] += 1
        message = {"version": protocol.VERSION, "topic": topic, "number": self._numbers[topic], "data": data}
        _send(self._publisher, [topic.encode(), protocol.write(message)])

    def _authenticate(self) -> None:
        """Answer libzmq, which asks for every connection with keys whether the client is known (ZAP, RFC 27)."""
        parts = self._zap.recv_multipart()
        known = (
            self._keys is not None
            and len(parts) == 7
            and parts[5] == b"CURVE"
            and len(parts[6]) == 32
            and zmq.utils.z85.encode(parts[6]) == self._keys.peer.encode()
        )
        status = [b"200", b"OK"] if known else [b"400", b"unknown key"]
        _send(self._zap, [b"1.0", parts[1] if len(parts) > 1 else b"", *status, b"", b""])


def _send(socket: zmq.Socket[bytes], parts: list[bytes]) -> None:
    try:
        for part in parts[:-1]:
            socket.send(part, _MORE)
        socket.send(parts[-1], _AT_ONCE)
    except zmq.ZMQError:
        return
