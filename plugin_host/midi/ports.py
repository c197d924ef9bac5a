"""The MIDI ports of this machine: listed, opened by part of their name, and found again when they come back.

The only module that imports rtmidi, where it is used: without it, everything but MIDI works.

Messages are fetched and never called back: closing a port while rtmidi calls into Python was tried and stops the
whole program, as each of the two waits for what the other holds. So no Python runs on the MIDI system's threads at all.
"""

from __future__ import annotations

import contextlib
import os
import sys
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

CLIENT = "Highband"
VIRTUAL = "virtual"
# rtmidi's own queue: bounded, and large enough for seconds of a controller gone wild.
_QUEUE = 65536
_API_NAMES = {"alsa": "API_LINUX_ALSA", "jack": "API_UNIX_JACK", "core": "API_MACOSX_CORE", "winmm": "API_WINDOWS_MM"}


class MidiError(ValueError):
    """MIDI can't be had; the text is one sentence that says what to do."""


@dataclass(frozen=True)
class PortInfo:
    """A port that can be opened.

    Attributes:
        api: "alsa", "jack", "core" or "winmm".
        name: As the system names it; any part of it will do to choose it.
        sends: Whether messages come from there.
        receives: Whether it can be sent lights and faders.
    """

    api: str
    name: str
    sends: bool
    receives: bool


def list_ports(api: str | None = None) -> list[PortInfo]:
    """Return the ports of this machine, but not Highband's own.

    Args:
        api: Only those of one MIDI system; by default of all that answer.

    Raises:
        MidiError: rtmidi is missing, or no MIDI system answers.
    """
    found: list[PortInfo] = []
    answered = False
    for name in _apis(api):
        with _opened(name, "MidiIn") as senders, _opened(name, "MidiOut") as receivers:
            if senders is None or receivers is None:
                continue
            answered = True
            sending, receiving = _names(senders), _names(receivers)
        for port in filter(None, dict.fromkeys([*sending, *receiving])):
            found.append(PortInfo(name, port, port in sending, port in receiving))
    if not answered:
        raise MidiError("no MIDI system answers; start JACK, or on Linux load ALSA's sequencer with modprobe snd-seq")
    return found


def _rtmidi() -> Any:
    try:
        import rtmidi
    except ImportError as error:
        raise MidiError(f"MIDI needs the package python-rtmidi ({error}); pip install python-rtmidi") from None
    return rtmidi


def _apis(api: str | None) -> list[str]:
    rtmidi = _rtmidi()
    compiled = rtmidi.get_compiled_api()
    known = [name for name, constant in _API_NAMES.items() if getattr(rtmidi, constant, None) in compiled]
    if api is None:
        return [name for name in known if _may_answer(name)]
    if api not in known:
        raise MidiError(f"there is no MIDI system '{api}' here; choose one of {', '.join(known)}")
    return [api]


def _may_answer(api: str) -> bool:
    """Look for a system's socket or device first, as the libraries complain at length where there is none."""
    if sys.platform == "linux" and api == "alsa":
        return Path("/dev/snd/seq").exists()
    if sys.platform == "linux" and api == "jack":
        return any(Path("/dev/shm").glob(f"jack_{os.environ.get('JACK_DEFAULT_SERVER', 'default')}_*_0"))
    return True


def _new(api: str, direction: str, client: str = CLIENT) -> Any:
    """Make a client; raise OSError where the system does not answer."""
    rtmidi = _rtmidi()
    system = getattr(rtmidi, _API_NAMES[api])
    if direction == "MidiIn":
        return rtmidi.MidiIn(system, name=client, queue_size_limit=_QUEUE)
    return rtmidi.MidiOut(system, name=client)


@contextlib.contextmanager
def _opened(api: str, direction: str) -> Iterator[Any | None]:
    try:
        client = _new(api, direction)
    except OSError:
        yield None
        return
    try:
        yield client
    finally:
        client.delete()


def _names(client: Any) -> list[str]:
    """Return the names of the ports in the system's order, ours and ALSA's loop among them left empty."""
    return [name if _is_foreign(name) else "" for name in client.get_ports()]


def _is_foreign(name: str) -> bool:
    return not name.startswith((f"{CLIENT}:", f"{CLIENT}-", "Midi Through:"))


def _find(names: Sequence[str], wanted: str) -> int | None:
    exact = [index for index, name in enumerate(names) if name == wanted != ""]
    parts = [index for index, name in enumerate(names) if name and wanted.casefold() in name.casefold()]
    return next(iter(exact + parts), None)


class MidiPort:
    """A controller's port, in and out, found by part of its name and found again when it comes back.

    Args:
        wanted: Part of its name; "" for the first there is; "virtual" to offer one that others connect to.
        api: "alsa", "jack", "core" or "winmm"; by default the first that has the port.
        client: What the MIDI system calls this end of the wire.

    Attributes:
        name: The full name of the open port, or "".
    """

    def __init__(self, wanted: str, api: str | None = None, client: str = CLIENT) -> None:
        self._wanted, self._api, self._client = wanted, api, client
        self._in: Any = None
        self._out: Any = None
        self._lock = threading.Lock()
        self.name = ""

    def look(self) -> bool:
        """Open the port if it is there, close it if it has gone; return whether it was opened just now.

        Raises:
            MidiError: rtmidi is missing.
        """
        with self._lock:
            if self._in is not None:
                if not self._is_there():
                    self._close()
                return False
            return any(self._open(api) for api in _apis(self._api))

    def _is_there(self) -> bool:
        try:
            return self._wanted == VIRTUAL or self.name in _names(self._in)
        except OSError:
            return False

    def _open(self, api: str) -> bool:
        try:
            self._in = _new(api, "MidiIn", self._client)
            if self._wanted == VIRTUAL:
                self._in.open_virtual_port("in")
                self.name = f"{self._client} (virtual, {api})"
            else:
                names = _names(self._in)
                index = _find(names, self._wanted)
                if index is None:
                    self._close()
                    return False
                self._in.open_port(index, "in")
                self.name = names[index]
            self._open_out(api)
        except OSError:
            # It went while it was opened, or the system went; the next look shows it.
            self._close()
            return False
        return True

    def _open_out(self, api: str) -> None:
        self._out = _new(api, "MidiOut", self._client)
        if self._wanted == VIRTUAL:
            self._out.open_virtual_port("out")
            return
        names = _names(self._out)
        index = _find(names, self.name)
        if index is None and self._wanted:
            index = _find(names, self._wanted)
        if index is None:
            self._out.delete()
            self._out = None
        else:
            self._out.open_port(index, "out")

    def receive(self, most: int) -> list[Sequence[int]]:
        """Return the bytes of the messages that wait, oldest first; the rest stays for the next call."""
        events: list[Sequence[int]] = []
        with self._lock:
            while self._in is not None and len(events) < most and (event := self._in.get_message()) is not None:
                events.append(event[0])
        return events

    def send(self, data: bytes) -> None:
        """Send one message; nothing happens where there is no port that takes it."""
        with self._lock:
            if self._out is not None:
                with contextlib.suppress(OSError):
                    self._out.send_message(data)

    def close(self) -> None:
        """Close the port; `look` opens it again."""
        with self._lock:
            self._close()

    def _close(self) -> None:
        if self._in is not None:
            self._in.delete()
        if self._out is not None:
            self._out.delete()
        self._in = self._out = None
        self.name = ""
