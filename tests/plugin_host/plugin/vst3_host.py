"""A VST3 host of the tests' own: one plug-in with a component handler and a timer, as a DAW's main thread has them."""

from __future__ import annotations

import ctypes
import uuid
from collections.abc import Sequence
from ctypes import CFUNCTYPE, POINTER, Structure, c_char_p, c_double, c_int32, c_uint32, c_uint64, c_void_p, cast
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Block = NDArray[np.float32]
BEGIN, PERFORM, END, RESTART = "begin", "perform", "end", "restart"
_OK, _NO_INTERFACE, _STEREO = 0, -1, 3
_COMPONENT, _PROCESSOR = "E831FF31-F2D5-4301-928E-BBEE25697802", "42043F99-B7DA-453C-A569-E79D9AAEC33D"
_CONTROLLER, _RUN_LOOP = "DCD7BBE3-7742-448D-A874-AACC979C759E", "18C35366-9776-4F1A-9C5B-83857A871389"
_APPLICATION = "58E595CC-DB2D-4969-8B6A-AF8C36A664E5"
_INFO_LISTENER = "0F194781-8D98-4ADA-BBA0-C1EFC011D8D0"
_QUERY, _COUNT = CFUNCTYPE(c_int32, c_void_p, c_void_p, POINTER(c_void_p)), CFUNCTYPE(c_uint32, c_void_p)


class Setup(Structure):
    """How blocks will come."""

    _fields_ = [("mode", c_int32), ("size", c_int32), ("block", c_int32), ("rate", c_double)]


class Buffers(Structure):
    """A bus."""

    _fields_ = [("channels", c_int32), ("silence", c_uint64), ("rows", c_void_p)]


class Data(Structure):
    """A block."""

    _fields_ = [
        ("mode", c_int32), ("size", c_int32), ("frames", c_int32), ("ins", c_int32), ("outs", c_int32),
        ("inputs", POINTER(Buffers)), ("outputs", POINTER(Buffers)), ("in_changes", c_void_p),
        ("out_changes", c_void_p), ("in_events", c_void_p), ("out_events", c_void_p), ("context", c_void_p),
    ]  # fmt: skip


def call(thing: c_void_p | int, place: int, result: Any, *arguments: tuple[Any, Any]) -> Any:
    """Call a method by its place in an object's table, each argument with its type."""
    table = cast(cast(thing, POINTER(c_void_p))[0], POINTER(c_void_p))
    method = CFUNCTYPE(result, c_void_p, *(kind for kind, _ in arguments))(table[place])
    return method(thing, *(value for _, value in arguments))


class Vst3Host:
    """One plug-in, active, stereo.

    Args:
        library: The .so file of the bundle.
        is_offline: Whether each block says that it is of a bounce.
        name: The host's; with one it lends no timer.

    Attributes:
        edits: What the plug-in did on the main thread: (kind, id, value).
        timer_ms: How often it wishes to be called there.
    """

    def __init__(self, library: Path, rate: float = 48000.0, *, is_offline: bool = False, name: str = "") -> None:
        self.rate, self.is_offline, self.name, self.timer_ms = rate, is_offline, name, 0
        self.edits: list[tuple[str, int, float]] = []
        self._kept: list[Any] = []
        self._timer: int | None = None
        self._handler = self._table(
            CFUNCTYPE(c_int32, c_void_p, c_uint32)(lambda _, knob: self._edit(BEGIN, knob)),
            CFUNCTYPE(c_int32, c_void_p, c_uint32, c_double)(lambda _, knob, value: self._edit(PERFORM, knob, value)),
            CFUNCTYPE(c_int32, c_void_p, c_uint32)(lambda _, knob: self._edit(END, knob)),
            CFUNCTYPE(c_int32, c_void_p, c_int32)(lambda _, flags: self._edit(RESTART, flags)),
        )
        nothing = CFUNCTYPE(c_int32, c_void_p, c_void_p)(lambda _, handler: _OK)
        self._loop = self._table(
            nothing, nothing,
            CFUNCTYPE(c_int32, c_void_p, c_void_p, c_uint64)(lambda _, handler, ms: self._register(handler, ms)),
            CFUNCTYPE(c_int32, c_void_p, c_void_p)(lambda _, handler: self._register(None)),
        )  # fmt: skip
        say_name = CFUNCTYPE(c_int32, c_void_p, c_void_p)(lambda _, room: self._say_name(room))
        self._application = self._table(say_name, nothing)
        loaded = ctypes.CDLL(str(library))
        loaded.GetPluginFactory.restype = c_void_p
        factory = loaded.GetPluginFactory()
        info = ctypes.create_string_buffer(512)
        assert call(factory, 5, c_int32, (c_int32, 0), (c_void_p, ctypes.addressof(info))) == _OK
        self._component = self._made(factory, info.raw[:16])
        self._processor = self._queried(_PROCESSOR)
        self._controller = self._queried(_CONTROLLER)
        assert call(self._component, 3, c_int32, (c_void_p, self._loop)) == _OK
        assert call(self._controller, 16, c_int32, (c_void_p, self._handler)) == _OK
        self.is_open = True
        self.activate(rate)
        assert self.latency, "as a host asks once a plug-in is active"

    def activate(self, rate: float) -> None:
        """Begin at a rate, again if it was active."""
        self.rate = rate
        self._activate(False)
        setup = Setup(2 * self.is_offline, 0, 8192, rate)
        assert call(self._processor, 7, c_int32, (c_void_p, ctypes.addressof(setup))) == _OK
        self._activate(True)

    def close(self) -> None:
        """Deactivate and let the plug-in go, once."""
        if self.is_open:
            self.is_open = False
            self._activate(False)
            call(self._component, 4, c_int32)
            for thing in (self._controller, self._processor, self._component):
                call(thing, 2, c_uint32)

    @property
    def latency(self) -> int:
        return int(call(self._processor, 6, c_uint32))

    @property
    def has_timer(self) -> bool:
        return self._timer is not None

    def position(self, knob: int) -> float:
        return float(call(self._controller, 14, c_double, (c_uint32, knob)))

    def rename_track(self, name: str) -> None:
        """Say which channel of the mixer the plug-in is on."""

        def get_string(_: int, key: bytes, out: int, size: int) -> int:
            if key != b"channel name":
                return _NO_INTERFACE
            text = (name + "\0").encode("utf-16-le")
            ctypes.memmove(out, text, min(len(text), size))
            return _OK

        unused = CFUNCTYPE(c_int32)(lambda: _NO_INTERFACE)
        strings = CFUNCTYPE(c_int32, c_void_p, c_char_p, c_void_p, c_uint32)(get_string)
        attributes = self._table(*[unused] * 5, strings, unused, unused)
        assert call(self._queried(_INFO_LISTENER), 3, c_int32, (c_void_p, attributes)) == _OK

    def tick(self) -> None:
        """Let the plug-in's timer ring."""
        assert self._timer is not None
        call(self._timer, 3, None)

    def process(self, block: Block, moves: Sequence[tuple[int, float]] = ()) -> Block:
        """Play one block of shape (2, samples), at whose beginning parameters go to positions: (id, position)."""
        out = np.full_like(block, 7.0)
        buses = [Buffers(2, 0, cast(_rows(rows), c_void_p)) for rows in (block, out)]
        data = Data(
            2 * self.is_offline, 0, block.shape[1], 1, 1, ctypes.pointer(buses[0]), ctypes.pointer(buses[1]),
            self._changes(moves) if moves else None,
        )  # fmt: skip
        assert call(self._processor, 9, c_int32, (c_void_p, ctypes.addressof(data))) == _OK
        return out

    def _changes(self, moves: Sequence[tuple[int, float]]) -> int:
        """Return moves as a host gives them: an object with a queue of one point for each parameter."""

        def point(position: float) -> Any:
            def get(_: int, index: int, offset: Any, value: Any) -> int:
                offset[0], value[0] = 0, position
                return _OK

            return CFUNCTYPE(c_int32, c_void_p, c_int32, POINTER(c_int32), POINTER(c_double))(get)

        identity, count = CFUNCTYPE(c_uint32, c_void_p), CFUNCTYPE(c_int32, c_void_p)
        queues = [
            self._table(identity(lambda _, knob=knob: knob), count(lambda _: 1), point(position))
            for knob, position in moves
        ]
        queue = CFUNCTYPE(c_void_p, c_void_p, c_int32)(lambda _, index: queues[index])
        return self._table(count(lambda _: len(queues)), queue)

    def _activate(self, is_on: bool) -> None:
        call(self._component, 11, c_int32, (ctypes.c_uint8, is_on))
        call(self._processor, 8, c_int32, (ctypes.c_uint8, is_on))

    def _made(self, factory: int, identity: bytes) -> int:
        made = c_void_p()
        words = (ctypes.create_string_buffer(identity), ctypes.create_string_buffer(uuid.UUID(_COMPONENT).bytes))
        arguments = [(c_void_p, ctypes.addressof(word)) for word in words]
        assert call(factory, 6, c_int32, *arguments, (c_void_p, ctypes.addressof(made))) == _OK
        return int(made.value or 0)

    def _queried(self, interface: str) -> int:
        found, identity = c_void_p(), ctypes.create_string_buffer(uuid.UUID(interface).bytes)
        arguments = (c_void_p, ctypes.addressof(identity)), (c_void_p, ctypes.addressof(found))
        assert call(self._component, 0, c_int32, *arguments) == _OK
        return int(found.value or 0)

    def _table(self, *methods: Any) -> int:
        """Return an object of our own with these methods behind those of every object."""
        rows = (_QUERY(self._offer), _COUNT(lambda _: 1), _COUNT(lambda _: 1), *methods)
        table = (c_void_p * len(rows))(*(cast(row, c_void_p).value for row in rows))
        thing = (c_void_p * 1)(ctypes.addressof(table))
        self._kept += [rows, table, thing]
        return ctypes.addressof(thing)

    def _offer(self, _: int, identity: int, found: Any) -> int:
        offered = {_APPLICATION: self._application} if self.name else {_RUN_LOOP: self._loop}
        wanted = str(uuid.UUID(bytes=ctypes.string_at(identity, 16))).upper()
        found[0] = offered.get(wanted)
        return _OK if wanted in offered else _NO_INTERFACE

    def _say_name(self, room: int) -> int:
        text = (self.name + "\0").encode("utf-16-le")
        ctypes.memmove(room, text, len(text))
        return _OK

    def _edit(self, kind: str, identity: int, value: float = 0.0) -> int:
        self.edits.append((kind, identity, value))
        return _OK

    def _register(self, handler: int | None, ms: int = 0) -> int:
        self._timer, self.timer_ms = handler, ms
        return _OK


def _rows(block: Block) -> Any:
    return (c_void_p * len(block))(*(row.ctypes.data for row in block))
