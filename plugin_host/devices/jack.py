"""The JACK server as a device: an insert of the graph, as PortAudio never returns from a server that died."""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import numpy as np

from plugin_host.devices.device import MOST_CHANNELS, DeviceError, DeviceOptions, NoDeviceError, ReconnectingDevice
from plugin_host.devices.jack_patch import JackPatch, Wire
from plugin_host.devices.jack_thread import JackThread
from plugin_host.engine.engine import Engine, Frames

_SAMPLE = np.dtype(np.float32)
_LONGEST_PERIOD = 8192
# The server counts samples in 32 bits.
_CLOCK_TURNS = 1 << 32
_NAME = "highband"


def jack_module() -> Any:
    """Return the module jack, silenced; raise DeviceError where the library is missing."""
    try:
        import jack
    except OSError:
        raise DeviceError("JACK is missing; install it (Debian and Ubuntu: apt install libjack-jackd2-0)") from None
    # The library writes straight to the terminal.
    jack.set_error_function(lambda text: None)
    jack.set_info_function(lambda text: None)
    return jack


def has_server() -> bool:
    """Whether a JACK server answers; starts none."""
    try:
        module = jack_module()
        client = module.Client(f"{_NAME}-look", no_start_server=True)
    except DeviceError:
        return False
    except module.JackError:
        return False
    client.close()
    return True


class JackDevice(ReconnectingDevice):
    """A client of the JACK server whose process callback is the engine's; the period is the server's.

    Its ports appear when it plays, with latencies that the graph can count on, and are wired again as they were when
    the server comes back.

    Args:
        options: `input` and `output` name a client to connect to (or a part of its ports' names), "none" leaves the
            ports alone; by default they are connected to the sound card.
        patch: The wires of an earlier session, instead of what `options` names; see `JackPatch`.

    Raises:
        DeviceError: There is no server, or it runs at a rate that was not requested.
    """

    name = "JACK"
    subject = "the JACK server"
    # An engine with this maximum is served any period in pieces.
    _longest_block = 2048

    def __init__(self, options: DeviceOptions, patch: Sequence[Sequence[str]] | None = None) -> None:
        super().__init__()
        self._options = options
        self._client: Any = None
        self._is_shut_down = False
        # The server's sample at which the next cycle should begin, and the transport's while it rolls.
        self._due: int | None = None
        self._timeline: int | None = None
        self._patch = JackPatch(patch or ())
        self._is_patched = patch is not None
        self.inputs = self.outputs = options.channels or MOST_CHANNELS
        # Channel by channel in memory, as ports and chain have them; frames first to the engine, as from any device.
        self._in = np.zeros((self.inputs, _LONGEST_PERIOD), np.float32).T
        self._out = np.zeros((self.outputs, _LONGEST_PERIOD), np.float32).T
        self._look()

    @property
    def latency_samples(self) -> int:
        """One period, which is what a loop through the server measures."""
        return self.block

    @property
    def client_name(self) -> str:
        """What the server calls us; its ports are `<name>:in_1`, `<name>:out_1` and so on."""
        return str(self._client.name)

    @property
    def patch(self) -> list[Wire]:
        """The wires as they are now, or were when the server went."""
        return self._patch.wires

    def poll(self) -> str | None:
        """Look after the server, the wires and the latency that the graph counts on."""
        news = super().poll()
        if not self._is_lost:
            self._patch.follow(self._client, time.monotonic())
            self._declare_latency()
        return news

    def _declare_latency(self) -> None:
        if self._engine is not None:
            self._latency.declare(self._engine.latency_samples)

    def _is_active(self) -> bool:
        return not self._is_shut_down

    def _open(self, engine: Engine) -> None:
        module = jack_module()
        try:
            # Ports that appear while nobody plays them could not be connected yet.
            self._client.activate()
            self._register(self._client)
            self._connect(module)
        except module.JackError as error:
            raise DeviceError(f"the JACK server refuses: {' '.join(str(error).split())}") from None

    def _close(self) -> None:
        """Leave the server."""
        client, self._client = self._client, None
        if client is not None:
            if not self._is_shut_down:
                self._thread.end()
            with suppress(jack_module().JackError):
                client.close()

    def _look(self) -> None:
        """Become a client, not yet active."""
        # The doctor looks for a server without what compiled code needs.
        from plugin_host.devices.jack_latency import PortLatency

        module = jack_module()
        try:
            client = module.Client(_NAME, no_start_server=True)
        except module.JackError:
            raise NoDeviceError("no JACK server answers; start one, such as: jackd -d alsa -r 48000 -p 128") from None
        # No other callbacks in Python: the server waits for their answers, while MIDI's library holds the interpreter
        # and waits for the server. So the period and what was lost are read off each cycle.
        self._client, self._thread = client, JackThread(module, client, self._process)
        self.rate, self.block = int(client.samplerate), int(client.blocksize)
        wish = self._options.rate
        if wish not in (None, self.rate):
            self._close()
            raise DeviceError(f"the JACK server runs at {self.rate} Hz; start it with -r {wish}, or leave --rate out")
        client.set_shutdown_callback(self._forget_server)
        self._due = self._timeline = None
        self._is_shut_down = False
        self._inports, self._outports = list[Any](), list[Any]()
        # By the library's own names: `get_array` asks for the period again and looks numpy up again for every port,
        # which costs a thread that has just slept 20 us a cycle.
        self._buffer_of, self._view_of = module._lib.jack_port_get_buffer, module._ffi.buffer
        self._query, self._place = module._lib.jack_transport_query, module._ffi.new("jack_position_t*")
        self._rolling = module._lib.JackTransportRolling
        self._latency = PortLatency(client, module._ffi, self.inputs + self.outputs)

    def _register(self, client: Any) -> None:
        inports = [client.inports.register(f"in_{number + 1}") for number in range(self.inputs)]
        outports = [client.outports.register(f"out_{number + 1}") for number in range(self.outputs)]
        self._latency.use_ports(inports, outports)
        self._declare_latency()
        self._inports, self._outports = inports, outports

    def _connect(self, module: Any) -> None:
        """Wire the ports as they were, or at first as the options say."""
        if self._is_patched:
            self._patch.restore(self._client)
            return
        sources = self._partners(self._options.input, is_output=True)
        sinks = self._partners(self._options.output, is_input=True)
        for source, port in zip(sources, self._inports, strict=False):
            with suppress(module.JackErrorCode):
                self._client.connect(source, port)
        for port, sink in zip(self._outports, sinks, strict=False):
            with suppress(module.JackErrorCode):
                self._client.connect(port, sink)
        self._is_patched = True

    def _partners(self, wish: str | None, **direction: bool) -> list[Any]:
        if wish == "none":
            return []
        if wish is None:
            return list(self._client.get_ports(is_audio=True, is_physical=True, **direction))
        found = [
            port for port in self._client.get_ports(re.escape(wish), is_audio=True, **direction)
            if not self._client.owns(port)
        ]  # fmt: skip
        if not found:
            raise DeviceError(f"JACK has no port {wish}; jack_lsp lists them")
        return found

    # On the server's threads.

    def _process(self, frames: int) -> None:
        engine = self._engine
        if engine is None or frames > _LONGEST_PERIOD:
            for port in self._outports:
                self._samples(port, frames).fill(0.0)
            return
        indata, outdata = self._in[:frames], self._out[:frames]
        for number, port in enumerate(self._inports):
            indata[:, number] = self._samples(port, frames)
        self._follow_transport(engine, frames)
        engine.callback(indata, outdata, self._has_lost(frames))
        for number, port in enumerate(self._outports):
            self._samples(port, frames)[:] = outdata[:, number]

    def _follow_transport(self, engine: Engine, frames: int) -> None:
        """Begin at the transport's place where it starts to roll or jumps; what repeats in time follows the song."""
        client = self._client
        if client is None or self._query(client._ptr, self._place) != self._rolling:
            self._timeline = None
            return
        start = int(self._place.frame)
        if start != self._timeline:
            engine.seek(start, forget=False)
        self._timeline = start + frames

    def _samples(self, port: Any, frames: int) -> Frames:
        """Return the memory of a port in this cycle."""
        return np.frombuffer(self._view_of(self._buffer_of(port._ptr, frames), _SAMPLE.itemsize * frames), _SAMPLE)

    def _has_lost(self, frames: int) -> bool:
        """Return whether the server's clock has left out samples since the last cycle, and take the period over."""
        self.block = frames
        client = self._client
        if client is None:
            return False
        begins = int(client.last_frame_time)
        was_due, self._due = self._due, (begins + frames) % _CLOCK_TURNS
        return was_due is not None and was_due != begins

    def _forget_server(self, status: Any, reason: str) -> None:
        self._is_shut_down = True
