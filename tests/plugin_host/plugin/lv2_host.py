"""An LV2 host of the tests' own: one plug-in, which may ask the host to turn a knob, in either way that there is."""

from __future__ import annotations

import ctypes
import struct
from ctypes import CFUNCTYPE, POINTER, Structure, c_char_p, c_double, c_float, c_int, c_uint32, c_void_p
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.extender.controls import CONTROLS, defaults

Block = NDArray[np.float32]
# The ports of the stereo plug-in behind two audio ports in and out, and the time.
BUFFER, FREE_WHEELING, LATENCY, ENGINE, ENABLED, PANEL, FIRST_KNOB = range(5, 12)
KNOBS = [control.id for control in CONTROLS if control.id != "bypass"]
_CHANGE_REQUEST = b"http://kx.studio/ns/lv2ext/control-input-port-change-request"
_AUTOMATE, _ROOM = b"http://ardour.org/lv2/automate#", 16384


def initial_ports() -> dict[int, float]:
    """Return what the control ports hold at first, by index."""
    values = {BUFFER: 256.0, FREE_WHEELING: 0.0, LATENCY: 0.0, ENGINE: 0.0, ENABLED: 1.0, PANEL: 0.0}
    return values | {FIRST_KNOB + place: defaults()[name] for place, name in enumerate(KNOBS)}


class Feature(Structure):
    """What a host can do."""

    _fields_ = [("uri", c_char_p), ("data", c_void_p)]


class Map(Structure):
    """Numbers for names."""

    _fields_ = [("handle", c_void_p), ("map", CFUNCTYPE(c_uint32, c_void_p, c_char_p))]


class Request(Structure):
    """Turns a knob at the plug-in's wish."""

    _fields_ = [("handle", c_void_p), ("change", CFUNCTYPE(c_int, c_void_p, c_uint32, c_float))]


class Descriptor(Structure):
    """A plug-in in its library."""

    _fields_ = [
        ("uri", c_char_p),
        ("instantiate", CFUNCTYPE(c_void_p, c_void_p, c_double, c_char_p, POINTER(POINTER(Feature)))),
        ("connect", CFUNCTYPE(None, c_void_p, c_uint32, c_void_p)), ("activate", CFUNCTYPE(None, c_void_p)),
        ("run", CFUNCTYPE(None, c_void_p, c_uint32)), ("deactivate", CFUNCTYPE(None, c_void_p)),
        ("cleanup", CFUNCTYPE(None, c_void_p)), ("extension", c_void_p),
    ]  # fmt: skip


class Lv2Host:
    """The stereo plug-in of a bundle, active.

    Args:
        library: The .so file of the bundle.
        values: What its control ports hold, by index.
        moves: The port at which the plug-in writes Ardour's events; without one the host offers to take requests.

    Attributes:
        ports: The control ports, by index; a host shows and records them.
        requests: What the plug-in asked for: (kind, port, value), in order; a request has no kind.
    """

    def __init__(self, library: Path, values: dict[int, float], moves: int = 0, rate: float = 48000.0) -> None:
        self.ports = {port: c_float(value) for port, value in values.items()}
        self.requests: list[tuple[str, int, float]] = []
        self._names: dict[bytes, int] = {}
        self._map = Map(None, Map._fields_[1][1](lambda _, uri: self._names.setdefault(uri, len(self._names) + 1)))
        self._request = Request(None, Request._fields_[1][1](self._turn))
        known = [(b"http://lv2plug.in/ns/ext/urid#map", self._map), (_CHANGE_REQUEST, self._request)]
        if moves:
            known.pop()
        self._features = [Feature(uri, ctypes.addressof(data)) for uri, data in known]
        # The list ends with an empty place.
        offered = (POINTER(Feature) * 3)(*map(ctypes.pointer, self._features))
        describe = ctypes.CDLL(str(library)).lv2_descriptor
        describe.restype = POINTER(Descriptor)
        self._calls: Any = describe(0).contents
        self._handle = self._calls.instantiate(None, rate, b"", offered)
        for port, value in self.ports.items():
            self._calls.connect(self._handle, port, ctypes.byref(value))
        self._moves = ctypes.create_string_buffer(_ROOM) if moves else None
        if self._moves:
            self._calls.connect(self._handle, moves, self._moves)
        self._calls.activate(self._handle)
        self.is_open = True

    def _turn(self, _: int, port: int, value: float) -> int:
        self.requests.append(("", port, value))
        return 0

    def process(self, block: Block) -> Block:
        """Play one block of shape (2, samples)."""
        out = np.full_like(block, 7.0)
        for port, row in enumerate((*block, *out)):
            self._calls.connect(self._handle, port, row.ctypes.data)
        if self._moves:
            struct.pack_into("<II", self._moves, 0, _ROOM - 8, 0)
        self._calls.run(self._handle, block.shape[1])
        if self._moves:
            self._read_moves(self._moves.raw)
        return out

    def _read_moves(self, sequence: bytes) -> None:
        """Read Ardour's events: objects with a port's index and a value."""
        names = {number: name for name, number in self._names.items()}
        size, kind = struct.unpack_from("<II", sequence)
        assert names[kind] == b"http://lv2plug.in/ns/ext/atom#Sequence"
        at, end = 16, 8 + size
        while at < end:
            time, length, kind, _, name = struct.unpack_from("<qIIII", sequence, at)
            assert (time, names[kind]) == (0, b"http://lv2plug.in/ns/ext/atom#Object")
            first, _, _, _, port, second, _, _, _, value = struct.unpack_from("<4IixxxxIIIIf", sequence, at + 24)
            assert [names[key].removeprefix(_AUTOMATE) for key in (first, second)] == [b"parameter", b"value"]
            self.requests.append((names[name].removeprefix(_AUTOMATE).decode(), port, value))
            at += 16 + length
        assert at == end

    def close(self) -> None:
        """Let the plug-in go, once."""
        if self.is_open:
            self.is_open = False
            self._calls.deactivate(self._handle)
            self._calls.cleanup(self._handle)
