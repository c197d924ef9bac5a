"""A CLAP host of the tests' own: it plays a plug-in block by block, with or without extensions, offline or not."""

from __future__ import annotations

import ctypes
from collections.abc import Mapping, Sequence
from ctypes import (
    POINTER,
    byref,
    c_double,
    c_float,
    cast,
)
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tests.plugin_host.plugin.clap_abi import (
    GET,
    PUSH,
    READ,
    SIZE,
    Buffer,
    Descriptor,
    Entry,
    Factory,
    Header,
    Host,
    HostLatency,
    HostTrack,
    Inputs,
    Latency,
    Outputs,
    ParameterInfo,
    Parameters,
    Plugin,
    Process,
    Render,
    State,
    Stream,
    Track,
    Transport,
    Value,
    Version,
)

Block = NDArray[np.float32]
VALUE, GESTURE_BEGIN, GESTURE_END, TRANSPORT = 5, 7, 8, 9
_HAS_SECONDS, _PLAYING = 4, 16
_SECOND = 1 << 31


class ClapHost:
    """One plug-in, active.

    Args:
        library: The .clap file.
        rate: In Hz.
        is_offline: Whether to ask for offline rendering.
        is_bare: Offer the plug-in no extension at all, and use none of its own.
        track: The name of the track that it is put on.

    Attributes:
        wishes: What the plug-in asked of the host: "restart", "callback", "latency".
        moves: Knobs that the plug-in moved: (kind, id, value).
    """

    def __init__(
        self, library: Path, rate: float = 48000.0, *, is_offline: bool = False, is_bare: bool = False, track: str = ""
    ) -> None:
        self.rate, self.is_bare, self.track = rate, is_bare, track
        self.wishes: list[str] = []
        self.moves: list[tuple[int, int, float]] = []
        self._host_latency = HostLatency(HostLatency._fields_[0][1](lambda host: self.wishes.append("latency")))
        self._host_track = HostTrack(HostTrack._fields_[0][1](self._say_track))
        self._host = Host(
            Version(1, 1, 1), None, b"tests", b"", b"", b"1",
            Host._fields_[6][1](self._extension),
            Host._fields_[7][1](lambda host: self.wishes.append("restart")),
            Host._fields_[8][1](lambda host: None),
            Host._fields_[9][1](lambda host: self.wishes.append("callback")),
        )  # fmt: skip
        entry = Entry.in_dll(ctypes.CDLL(str(library)), "clap_entry")
        assert entry.init(str(library).encode())
        factory = cast(entry.factory(b"clap.plugin-factory"), POINTER(Factory))
        words = cast(factory.contents.descriptor(factory, 0), POINTER(Descriptor)).contents
        self.name = words.name.decode()
        self.plugin = cast(factory.contents.create(factory, byref(self._host), words.id), POINTER(Plugin))
        assert self.plugin.contents.init(self.plugin)
        if is_offline:
            self._own("clap.render", Render).set(self.plugin, 1)
        self._size, self._get, self._push = SIZE(lambda _: len(self._events)), GET(self._event), PUSH(self._pushed)
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
        if self.is_bare:
            return None
        offered = {b"clap.latency": self._host_latency, b"clap.track-info/1": self._host_track}
        return ctypes.addressof(offered[name]) if name in offered else None

    def _say_track(self, host: int, info: Any) -> bool:
        info.contents.flags, info.contents.name = 1, self.track.encode()
        return bool(self.track)

    def rename_track(self, name: str) -> None:
        """Give the plug-in's track another name, as a person does."""
        self.track = name
        self._own("clap.track-info/1", Track).changed(self.plugin)

    def _own(self, name: str, kind: Any) -> Any:
        found = self.plugin.contents.get_extension(self.plugin, name.encode())
        return cast(found, POINTER(kind)).contents

    @property
    def latency(self) -> int:
        return int(self._own("clap.latency", Latency).get(self.plugin))

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
        value = float(text) if name in ("Buffer", "Panel") else self.position(name, text)
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

        stream = Stream(None, READ(write))
        assert self._own("clap.state", State).save(self.plugin, byref(stream))
        return bytes(saved)

    def load(self, state: bytes) -> bool:
        at = 0

        def read(stream: int, data: int, count: int) -> int:
            nonlocal at
            part = state[at : at + min(count, 777)]
            ctypes.memmove(data, part, len(part))
            at += len(part)
            return len(part)

        stream = Stream(None, READ(read))
        return bool(self._own("clap.state", State).load(self.plugin, byref(stream)))


def _buffer(block: Block) -> Any:
    rows = (POINTER(c_float) * len(block))(*(cast(row.ctypes.data, POINTER(c_float)) for row in block))
    return Buffer(cast(rows, POINTER(POINTER(c_float))), None, len(block), 0, 0)
