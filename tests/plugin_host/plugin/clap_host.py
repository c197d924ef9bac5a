"""A CLAP host of the tests' own: it plays a plug-in block by block, with or without extensions, offline or not."""

from __future__ import annotations

import ctypes
from collections.abc import Mapping, Sequence
from ctypes import (
    CFUNCTYPE,
    POINTER,
    Structure,
    byref,
    c_bool,
    c_char_p,
    c_double,
    c_float,
    c_int16,
    c_int32,
    c_int64,
    c_uint16,
    c_uint32,
    c_uint64,
    c_void_p,
    cast,
)
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Block = NDArray[np.float32]
VALUE, GESTURE_BEGIN, GESTURE_END, TRANSPORT = 5, 7, 8, 9
_HAS_SECONDS, _PLAYING = 4, 16
_SECOND = 1 << 31


def _structure(kind: str, /, **fields: Any) -> Any:
    return type(kind, (Structure,), {"_fields_": list(fields.items())})


Version = _structure("Version", major=c_uint32, minor=c_uint32, revision=c_uint32)
Host = _structure(
    "Host", version=Version, data=c_void_p, name=c_char_p, vendor=c_char_p, url=c_char_p, release=c_char_p,
    get_extension=CFUNCTYPE(c_void_p, c_void_p, c_char_p), request_restart=CFUNCTYPE(None, c_void_p),
    request_process=CFUNCTYPE(None, c_void_p), request_callback=CFUNCTYPE(None, c_void_p),
)  # fmt: skip
Plugin = _structure(
    "Plugin", descriptor=c_void_p, data=c_void_p, init=CFUNCTYPE(c_bool, c_void_p), destroy=CFUNCTYPE(None, c_void_p),
    activate=CFUNCTYPE(c_bool, c_void_p, c_double, c_uint32, c_uint32), deactivate=CFUNCTYPE(None, c_void_p),
    start=CFUNCTYPE(c_bool, c_void_p), stop=CFUNCTYPE(None, c_void_p), reset=CFUNCTYPE(None, c_void_p),
    process=CFUNCTYPE(c_int32, c_void_p, c_void_p), get_extension=CFUNCTYPE(c_void_p, c_void_p, c_char_p),
    on_main_thread=CFUNCTYPE(None, c_void_p),
)  # fmt: skip
Buffer = _structure(
    "Buffer", data32=POINTER(POINTER(c_float)), data64=c_void_p, channels=c_uint32, latency=c_uint32, constant=c_uint64
)
Header = _structure("Header", size=c_uint32, time=c_uint32, space=c_uint16, type=c_uint16, flags=c_uint32)
Value = _structure(
    "Value", header=Header, id=c_uint32, cookie=c_void_p, note=c_int32, port=c_int16, channel=c_int16, key=c_int16,
    value=c_double,
)  # fmt: skip
Transport = _structure(
    "Transport", header=Header, flags=c_uint32, beats=c_int64, seconds=c_int64, tempo=c_double, increase=c_double,
    loop=c_int64 * 4, bar_start=c_int64, bar=c_int32, numerator=c_uint16, denominator=c_uint16,
)  # fmt: skip
_SIZE, _GET = CFUNCTYPE(c_uint32, c_void_p), CFUNCTYPE(c_void_p, c_void_p, c_uint32)
_PUSH = CFUNCTYPE(c_bool, c_void_p, c_void_p)
Inputs = _structure("Inputs", context=c_void_p, size=_SIZE, get=_GET)
Outputs = _structure("Outputs", context=c_void_p, push=_PUSH)
Process = _structure(
    "Process", steady=c_int64, frames=c_uint32, transport=c_void_p, inputs=POINTER(Buffer), outputs=POINTER(Buffer),
    input_count=c_uint32, output_count=c_uint32, in_events=POINTER(Inputs), out_events=POINTER(Outputs),
)  # fmt: skip
_READ = CFUNCTYPE(c_int64, c_void_p, c_void_p, c_uint64)
Stream = _structure("Stream", context=c_void_p, call=_READ)
ParameterInfo = _structure(
    "ParameterInfo", id=c_uint32, flags=c_uint32, cookie=c_void_p, name=ctypes.c_char * 256,
    module=ctypes.c_char * 1024, low=c_double, high=c_double, default=c_double,
)  # fmt: skip
Parameters = _structure(
    "Parameters", count=CFUNCTYPE(c_uint32, c_void_p),
    info=CFUNCTYPE(c_bool, c_void_p, c_uint32, POINTER(ParameterInfo)),
    value=CFUNCTYPE(c_bool, c_void_p, c_uint32, POINTER(c_double)),
    to_text=CFUNCTYPE(c_bool, c_void_p, c_uint32, c_double, c_char_p, c_uint32),
    from_text=CFUNCTYPE(c_bool, c_void_p, c_uint32, c_char_p, POINTER(c_double)),
    flush=CFUNCTYPE(None, c_void_p, POINTER(Inputs), POINTER(Outputs)),
)  # fmt: skip
_State = _structure(
    "State", save=CFUNCTYPE(c_bool, c_void_p, POINTER(Stream)), load=CFUNCTYPE(c_bool, c_void_p, POINTER(Stream))
)
_Render = _structure("Render", hard=CFUNCTYPE(c_bool, c_void_p), set=CFUNCTYPE(c_bool, c_void_p, c_int32))
_Latency = _structure("Latency", get=CFUNCTYPE(c_uint32, c_void_p))
_HostLatency = _structure("HostLatency", changed=CFUNCTYPE(None, c_void_p))
_Factory = _structure(
    "Factory", count=CFUNCTYPE(c_uint32, c_void_p), descriptor=CFUNCTYPE(c_void_p, c_void_p, c_uint32),
    create=CFUNCTYPE(c_void_p, c_void_p, c_void_p, c_char_p),
)  # fmt: skip
_Entry = _structure(
    "Entry", version=Version, init=CFUNCTYPE(c_bool, c_char_p), deinit=CFUNCTYPE(None),
    factory=CFUNCTYPE(c_void_p, c_char_p),
)  # fmt: skip
_Descriptor = _structure("Descriptor", version=Version, id=c_char_p, name=c_char_p)


class ClapHost:
    """One plug-in, active.

    Args:
        library: The .clap file.
        rate: In Hz.
        is_offline: Whether to ask for offline rendering.
        is_bare: Offer the plug-in no extension at all, and use none of its own.

    Attributes:
        wishes: What the plug-in asked of the host: "restart", "callback", "latency".
        moves: Knobs that the plug-in moved: (kind, id, value).
    """

    def __init__(
        self, library: Path, rate: float = 48000.0, *, is_offline: bool = False, is_bare: bool = False
    ) -> None:
        self.rate, self.is_bare = rate, is_bare
        self.wishes: list[str] = []
        self.moves: list[tuple[int, int, float]] = []
        self._host_latency = _HostLatency(_HostLatency._fields_[0][1](lambda host: self.wishes.append("latency")))
        self._host = Host(
            Version(1, 1, 1), None, b"tests", b"", b"", b"1",
            Host._fields_[6][1](self._extension),
            Host._fields_[7][1](lambda host: self.wishes.append("restart")),
            Host._fields_[8][1](lambda host: None),
            Host._fields_[9][1](lambda host: self.wishes.append("callback")),
        )  # fmt: skip
        entry = _Entry.in_dll(ctypes.CDLL(str(library)), "clap_entry")
        assert entry.init(str(library).encode())
        factory = cast(entry.factory(b"clap.plugin-factory"), POINTER(_Factory))
        words = cast(factory.contents.descriptor(factory, 0), POINTER(_Descriptor)).contents
        self.name = words.name.decode()
        self.plugin = cast(factory.contents.create(factory, byref(self._host), words.id), POINTER(Plugin))
        assert self.plugin.contents.init(self.plugin)
        if is_offline:
            self._own("clap.render", _Render).set(self.plugin, 1)
        self._size, self._get, self._push = _SIZE(lambda _: len(self._events)), _GET(self._event), _PUSH(self._pushed)
        self._inputs, self._outputs = Inputs(None, self._size, self._get), Outputs(None, self._push)
        self._events: list[Any] = []
        self.is_open, self.is_active = True, False
        self.activate(rate)

    def activate(self, rate: float) -> None:
        """Activate, again if it was."""
        self.deactivate()
        self.rate = rate
        assert self.plugin.contents.activate(self.plugin, rate, 1, 8192)
        assert self.plugin.contents.start(self.plugin)
        self.is_active = True

    def deactivate(self) -> None:
        if self.is_active:
            self.plugin.contents.stop(self.plugin)
            self.plugin.contents.deactivate(self.plugin)
            self.is_active = False

    def close(self) -> None:
        """Deactivate and destroy the plug-in, once."""
        if self.is_open:
            self.is_open = False
            self.deactivate()
            self.plugin.contents.destroy(self.plugin)

    def _extension(self, host: int, name: bytes) -> int | None:
        if name == b"clap.latency" and not self.is_bare:
            return ctypes.addressof(self._host_latency)
        return None

    def _own(self, name: str, kind: Any) -> Any:
        found = self.plugin.contents.get_extension(self.plugin, name.encode())
        return cast(found, POINTER(kind)).contents

    @property
    def latency(self) -> int:
        return int(self._own("clap.latency", _Latency).get(self.plugin))

    def main_thread(self) -> None:
        self.plugin.contents.on_main_thread(self.plugin)

    # Parameters.

    def parameters(self) -> dict[str, Any]:
        """Return every parameter's information by its name."""
        calls, found = self._own("clap.params", Parameters), {}
        for index in range(calls.count(self.plugin)):
            info = ParameterInfo()
            assert calls.info(self.plugin, index, byref(info))
            found[info.name.decode()] = info
        return found

    def value(self, name: str) -> float:
        found = c_double()
        identity = self.parameters()[name].id
        assert self._own("clap.params", Parameters).value(self.plugin, identity, byref(found))
        return found.value

    def text(self, name: str) -> str:
        text, shown = ctypes.create_string_buffer(512), self.value(name)
        identity = self.parameters()[name].id
        assert self._own("clap.params", Parameters).to_text(self.plugin, identity, shown, text, 512)
        return text.value.decode()

    def position(self, name: str, text: str) -> float:
        found = c_double()
        identity = self.parameters()[name].id
        assert self._own("clap.params", Parameters).from_text(self.plugin, identity, text.encode(), byref(found))
        return found.value

    def event(self, name: str, text: str, time: int = 0) -> Any:
        """Return the event that sets a parameter to what a text says, so many samples into a block."""
        header = Header(ctypes.sizeof(Value), time, 0, VALUE, 0)
        value = float(text) if name == "Buffer" else self.position(name, text)
        return Value(header, self.parameters()[name].id, None, -1, -1, -1, -1, value)

    def flush(self, *events: Any) -> None:
        self._events = list(events)
        self._own("clap.params", Parameters).flush(self.plugin, byref(self._inputs), byref(self._outputs))

    def _event(self, _: int, index: int) -> int:
        return ctypes.addressof(self._events[index])

    def _pushed(self, _: int, event: int) -> bool:
        header = cast(event, POINTER(Header)).contents
        if header.type in (VALUE, GESTURE_BEGIN, GESTURE_END):
            moved = cast(event, POINTER(Value)).contents
            self.moves.append((header.type, moved.id, moved.value if header.type == VALUE else 0.0))
        return True

    # Sound.

    def process(self, block: Block, events: Sequence[Any] = (), sample: int | None = None) -> Block:
        """Play one block, shape (channels, samples); `sample` is its place on a timeline that plays."""
        out = np.full_like(block, 7.0)
        self._events = list(events)
        transport = Transport()
        if sample is not None:
            transport.flags = _HAS_SECONDS | _PLAYING
            transport.seconds = round(sample / self.rate * _SECOND)
        data = Process(
            0, block.shape[1], ctypes.addressof(transport) if sample is not None else None,
            POINTER(Buffer)(_buffer(block)), POINTER(Buffer)(_buffer(out)), 1, 1,
            POINTER(Inputs)(self._inputs), POINTER(Outputs)(self._outputs),
        )  # fmt: skip
        assert self.plugin.contents.process(self.plugin, byref(data)) == 1
        return out

    def play(
        self, sound: Block, sizes: Sequence[int], sample: int | None = None,
        events: Mapping[int, Sequence[Any]] | None = None,
    ) -> Block:  # fmt: skip
        """Play a sound in blocks of these sizes over and over; `events` by the number of their block."""
        blocks: list[Block] = []
        start = 0
        while start < sound.shape[1]:
            size = sizes[len(blocks) % len(sizes)]
            block = np.ascontiguousarray(sound[:, start : start + size])
            now = None if sample is None else sample + start
            blocks.append(self.process(block, (events or {}).get(len(blocks), ()), now))
            start += size
        return np.concatenate(blocks, 1)

    # State.

    def save(self) -> bytes:
        saved = bytearray()

        def write(stream: int, data: int, count: int) -> int:
            # Hosts may take less than they are given.
            part = min(count, 1000)
            saved.extend(ctypes.string_at(data, part))
            return part

        stream = Stream(None, _READ(write))
        assert self._own("clap.state", _State).save(self.plugin, byref(stream))
        return bytes(saved)

    def load(self, state: bytes) -> bool:
        at = 0

        def read(stream: int, data: int, count: int) -> int:
            nonlocal at
            part = state[at : at + min(count, 777)]
            ctypes.memmove(data, part, len(part))
            at += len(part)
            return len(part)

        stream = Stream(None, _READ(read))
        return bool(self._own("clap.state", _State).load(self.plugin, byref(stream)))


def _buffer(block: Block) -> Any:
    rows = (POINTER(c_float) * len(block))(*(cast(row.ctypes.data, POINTER(c_float)) for row in block))
    return Buffer(cast(rows, POINTER(POINTER(c_float))), None, len(block), 0, 0)
