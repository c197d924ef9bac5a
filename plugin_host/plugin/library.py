"""The engine's end of the shared memory, in the plug-in's own library: layout and waking exist once, in C++."""

from __future__ import annotations

import ctypes
from ctypes import c_bool, c_char, c_char_p, c_double, c_int64, c_size_t, c_uint32, c_uint64, c_void_p
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from plugin_host.plugin.product import PluginError

ABSENT, JOINING, PLAYING, REFUSED = 0, 1, 2, 3
KNOB, SEEK = 0, 1
_MOST_EVENTS = 256
_ROOM, _TEXT_ROOM = 1024, 1 << 20


class Event(ctypes.Structure):
    """A knob's new value or a jump of the timeline, from one sample on."""

    _fields_ = [("position", c_uint64), ("kind", c_uint32), ("knob", c_uint32), ("value", c_double)]


class Taken(ctypes.Structure):
    """What `Region.take` got; see `Taken` in engine.hpp."""

    _fields_ = [
        ("position", c_uint64), ("count", c_uint32), ("events", c_uint32), ("is_offline", c_uint32),
        ("has_lost", c_uint32),
    ]  # fmt: skip


class Status(ctypes.Structure):
    """An instance's figures; see `HighbandStatus` in engine.cpp."""

    @property
    def track_name(self) -> str:
        """The host's name for the track that the plug-in is on, on one line; "" where it says none."""
        return " ".join(self.track.decode(errors="replace").split())

    _fields_ = [
        *((name, c_uint64) for name in ("calls", "late", "dry", "longest_wait_ns", "incomplete", "resyncs")),
        ("heartbeat_age_ns", c_int64),
        *(
            (name, c_uint32)
            for name in (
                "rate", "channels", "plugin_pid", "engine_pid", "engine_state", "policy", "buffer", "chain_latency",
                "offline", "playing", "closed", "is_same_table", "is_panel_wanted", "panel_port",
            )
        ),
        ("stage", c_char * 256), ("path", c_char * 1024), ("name", c_char * 64), ("track", c_char * 256),
    ]  # fmt: skip


class News(ctypes.Structure):
    """What the engine looks at again and again; see `HighbandNews` in engine.cpp.

    `track` is a number that changes with the track's name.
    """

    _fields_ = [
        ("late", c_uint64),
        *((name, c_uint32) for name in ("closed", "is_panel_wanted", "panel_port", "track")),
    ]  # fmt: skip


_TYPES = {
    "folder": (c_bool, [c_char_p, c_size_t, c_char_p, c_size_t]),
    "open": (c_void_p, [c_char_p, c_char_p, c_size_t]),
    "close": (None, [c_void_p]),
    "status": (None, [c_void_p, ctypes.POINTER(Status)]),
    "attach": (None, [c_void_p, c_uint32]),
    "timeline": (c_int64, [c_void_p]),
    "set_state": (None, [c_void_p, c_uint32]),
    "set_panel": (None, [c_void_p, c_uint32]),
    "poll": (None, [c_void_p, c_uint32, ctypes.POINTER(News)]),
    "turn": (None, [c_void_p, c_uint32, c_double]),
    "take": (
        c_bool,
        [c_void_p, c_void_p, c_uint32, c_uint32, c_int64, ctypes.POINTER(Taken), ctypes.POINTER(Event), c_uint32],
    ),
    "give": (None, [c_void_p, c_void_p, c_uint32, c_uint32]),
    "knobs": (c_uint32, [c_void_p, ctypes.POINTER(c_double), c_uint32]),
    "session": (c_int64, [c_void_p, c_char_p, c_size_t, ctypes.POINTER(c_uint32)]),
    "write_document": (None, [c_void_p, c_char_p, c_size_t]),
    "write_reason": (None, [c_void_p, c_char_p, c_size_t]),
    "to_value": (c_double, [c_uint32, c_double]),
    "to_position": (c_double, [c_uint32, c_double]),
    "to_text": (None, [c_uint32, c_double, c_char_p, c_size_t]),
    "from_text": (c_bool, [c_uint32, c_char_p, ctypes.POINTER(c_double)]),
}


# Waits, and so leaves the interpreter to other threads; to give that away and get it back costs the others more than
# they do.
_WAITS = "take"


class Library:
    """A plug-in's library, loaded; its functions are attributes without the prefix `highband_`.

    Raises:
        PluginError: It is none of this version; one sentence.
    """

    def __init__(self, path: Path) -> None:
        try:
            loaded, waits = ctypes.PyDLL(str(path)), ctypes.CDLL(str(path))
            for name, (result, arguments) in _TYPES.items():
                function = getattr(waits if name == _WAITS else loaded, f"highband_{name}")
                function.restype, function.argtypes = result, arguments
                setattr(self, name, function)
        except (OSError, AttributeError) as error:
            raise PluginError(f"{path} can't be used: {error}; run highband plugin install") from None

    def __getattr__(self, name: str) -> ctypes._NamedFuncPointer:
        raise AttributeError(name)


class Region:
    """One instance's shared memory, seen by its engine.

    Raises:
        PluginError: It is no region of this version.
    """

    def __init__(self, library: Library, path: Path) -> None:
        error = ctypes.create_string_buffer(_ROOM)
        self._library = library
        self._handle = library.open(str(path).encode(), error, _ROOM)
        if not self._handle:
            raise PluginError(error.value.decode(errors="replace"))
        self._taken, self._events = Taken(), (Event * _MOST_EVENTS)()
        self._seen = c_uint32(0)
        self._news = News()
        self._text: ctypes.Array[c_char] | None = None

    def close(self) -> None:
        """Let go of the memory."""
        handle, self._handle = self._handle, None
        if handle:
            self._library.close(handle)

    def status(self) -> Status:
        """Return the figures of now."""
        found = Status()
        self._library.status(self._handle, ctypes.byref(found))
        return found

    def attach(self, latency_samples: int) -> int:
        """Begin to play with this chain's latency; returns the sample of the timeline at which it begins."""
        self._library.attach(self._handle, latency_samples)
        return self.timeline()

    def timeline(self) -> int:
        """Return the sample of the timeline that comes next."""
        return int(self._library.timeline(self._handle))

    def set_state(self, state: int) -> None:
        """Say what the engine does: ABSENT, JOINING, PLAYING or REFUSED."""
        self._library.set_state(self._handle, state)

    def set_panel(self, port: int) -> None:
        """Say at which port of this machine the instance's panel is, 0 where none runs."""
        self._library.set_panel(self._handle, port)

    def poll(self, latency_samples: int) -> News:
        """Give a sign of life with this chain's latency; returns the news, the same object at every call."""
        self._library.poll(self._handle, latency_samples, self._news)
        return self._news

    def allocate(self, channels: int, samples: int, wait_s: float) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Return the arrays (channels, samples) that `take` fills and `give` reads; `take` waits so long."""
        arrays = np.zeros((2, channels, samples), np.float32)
        # Addresses and places are converted once: a thread that has just slept pays for each step more than ever.
        taken, given = (c_void_p(array.ctypes.data) for array in arrays)
        handle, size = c_void_p(self._handle), c_uint32(samples)
        self._take = partial(
            self._library.take, handle, taken, size, size, c_int64(round(wait_s * 1e9)), self._taken, self._events,
            c_uint32(_MOST_EVENTS),
        )  # fmt: skip
        self._give = partial(self._library.give, handle, given, size)
        return arrays[0], arrays[1]

    def take(self) -> Taken | None:
        """Wait for samples, and return how many came; None if there are none so long."""
        return self._taken if self._take() else None

    def events(self, count: int) -> list[Event]:
        """Return what holds from the first of the samples that were taken last."""
        return self._events[:count]

    def give(self, count: int) -> None:
        """Return so many samples of each channel."""
        self._give(count)

    def turn(self, knob: int, value: float) -> None:
        """Show the host that a knob was turned on this side."""
        self._library.turn(self._handle, knob, value)

    def knobs(self, count: int) -> list[float]:
        """Return where the host has the knobs."""
        values = (c_double * count)()
        self._library.knobs(self._handle, values, count)
        return list(values)

    def session(self) -> str | None:
        """Return what the session says, if that is new."""
        if self._text is None:
            self._text = ctypes.create_string_buffer(_TEXT_ROOM)
        count = self._library.session(self._handle, self._text, _TEXT_ROOM, ctypes.byref(self._seen))
        return None if count < 0 else ctypes.string_at(self._text, count).decode(errors="replace")

    def write_document(self, text: str) -> None:
        """Write what the session should keep; raise PluginError if it has no room for that."""
        data = text.encode()
        if len(data) > _TEXT_ROOM:
            raise PluginError("the chain is too large for the DAW's session: save it as a preset")
        self._library.write_document(self._handle, data, len(data))

    def write_reason(self, sentence: str) -> None:
        """Write why the engine does not play, or what is to be known; "" for nothing."""
        data = sentence.encode()
        self._library.write_reason(self._handle, data, len(data))
