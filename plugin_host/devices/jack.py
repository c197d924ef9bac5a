"""The JACK server as a device: a client of its own, as PortAudio never returns from a server that died."""

from __future__ import annotations

import re
import time
from contextlib import suppress
from typing import Any

import numpy as np

from plugin_host.devices.device import DeviceError, Wishes
from plugin_host.engine.channels import chain_channels
from plugin_host.engine.engine import Engine, Frames

_MAX_BLOCK = 2048
_SAMPLE = np.dtype(np.float32)
_LONGEST_PERIOD = 8192
_MOST_CHANNELS = 2
_SILENT_S = 1.0
# The server counts samples in 32 bits.
_CLOCK_TURNS = 1 << 32
_FIRST_RETRY_S, _LAST_RETRY_S = 0.25, 4.0
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


class JackDevice:
    """A client of the JACK server whose process callback is the engine's; the period is the server's.

    Args:
        wishes: `input` and `output` name a client to connect to (or a part of its ports' names), "none" leaves the
            ports alone; by default they are connected to the sound card.

    Raises:
        DeviceError: There is no server, or it runs at a rate that was not asked for.
    """

    def __init__(self, wishes: Wishes) -> None:
        self._wishes = wishes
        self._engine: Engine | None = None
        self._client: Any = None
        self._is_lost = False
        self._is_shut_down = False
        # The server's sample at which the next cycle should begin.
        self._due: int | None = None
        self._retry_s, self._retry_at = _FIRST_RETRY_S, 0.0
        self._seen, self._seen_at = -1, 0.0
        self.inputs = self.outputs = wishes.channels or _MOST_CHANNELS
        # Channel by channel in memory, as ports and chain have them; frames first to the engine, as from any device.
        self._in = np.zeros((self.inputs, _LONGEST_PERIOD), np.float32).T
        self._out = np.zeros((self.outputs, _LONGEST_PERIOD), np.float32).T
        self.name, self.rate, self.block = "JACK", 0, 0
        self._join()

    @property
    def is_done(self) -> bool:
        """Never: a server that is gone may come back."""
        return False

    @property
    def state(self) -> str:
        """For people: "ready", "playing" or "lost"."""
        return "lost" if self._is_lost else "playing" if self._seen_at else "ready"

    @property
    def latency_samples(self) -> int:
        """One period, which is what a loop through the server measures."""
        return self.block

    @property
    def client_name(self) -> str:
        """What the server calls us; its ports are `<name>:in_1`, `<name>:out_1` and so on."""
        return str(self._client.name)

    def prepare(self, engine: Engine) -> None:
        """Prepare the engine for the server's rate and any period."""
        self._engine = engine
        engine.prepare(self.rate, chain_channels(self.inputs, self.outputs), _MAX_BLOCK)

    def start(self) -> None:
        """Begin to play and connect the ports; raise DeviceError if the server refuses."""
        module = jack_module()
        try:
            self._client.activate()
            self._connect(module)
        except module.JackError as error:
            raise DeviceError(f"the JACK server refuses: {' '.join(str(error).split())}") from None
        self._is_lost, self._is_shut_down, self._retry_s = False, False, _FIRST_RETRY_S
        self._seen, self._seen_at = -1, time.monotonic()

    def stop(self) -> None:
        """Leave the server."""
        client, self._client = self._client, None
        if client is not None:
            with suppress(jack_module().JackError):
                client.close()

    def poll(self) -> str | None:
        """Notice that the server is gone, and try to find it again, less and less often; returns what happened."""
        now = time.monotonic()
        if not self._is_lost:
            if self._is_alive(now):
                return None
            self._is_lost, self._retry_at = True, now
            return "the JACK server is gone; it is tried again until it comes back"
        if now < self._retry_at:
            return None
        self._retry_s = min(2.0 * self._retry_s, _LAST_RETRY_S)
        self._retry_at = now + self._retry_s
        return self._come_back()

    def _is_alive(self, now: float) -> bool:
        if self._engine is not None and self._engine.load.calls != self._seen:
            self._seen, self._seen_at = self._engine.load.calls, now
        return not self._is_shut_down and now - self._seen_at < _SILENT_S

    def _come_back(self) -> str | None:
        rate = self.rate
        self.stop()
        try:
            self._join()
            if self._engine is not None and rate != self.rate:
                self.prepare(self._engine)
            self.start()
        except ValueError:
            self.stop()
            return None
        return f"the JACK server is back: {self.rate} Hz, period {self.block}"

    def _join(self) -> None:
        """Become a client with ports, not yet active."""
        module = jack_module()
        try:
            client = module.Client(_NAME, no_start_server=True)
        except module.JackError:
            raise DeviceError("no JACK server answers; start one, such as: jackd -d alsa -r 48000 -p 128") from None
        wish = self._wishes.rate
        if wish not in (None, client.samplerate):
            client.close()
            raise DeviceError(
                f"the JACK server runs at {client.samplerate} Hz; start it with -r {wish}, or leave --rate out"
            )
        self.rate, self.block = int(client.samplerate), int(client.blocksize)
        for number in range(self.inputs):
            client.inports.register(f"in_{number + 1}")
        for number in range(self.outputs):
            client.outports.register(f"out_{number + 1}")
        # No other callbacks: the server waits for their answers, while MIDI's library holds the interpreter and waits
        # for the server. So the period and what was lost are read off each cycle.
        client.set_process_callback(self._process)
        client.set_shutdown_callback(self._forget_server)
        self._due = None
        self._client = client
        # By the library's own names: `get_array` asks for the period again and looks numpy up again for every port,
        # which costs a thread that has just slept 20 us a cycle.
        self._buffer_of, self._view_of = module._lib.jack_port_get_buffer, module._ffi.buffer
        self._inports, self._outports = list(client.inports), list(client.outports)

    def _connect(self, module: Any) -> None:
        sources = self._partners(self._wishes.input, is_output=True)
        sinks = self._partners(self._wishes.output, is_input=True)
        for source, port in zip(sources, self._inports, strict=False):
            with suppress(module.JackErrorCode):
                self._client.connect(source, port)
        for port, sink in zip(self._outports, sinks, strict=False):
            with suppress(module.JackErrorCode):
                self._client.connect(port, sink)

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
        heard, played = self._in[:frames], self._out[:frames]
        for number, port in enumerate(self._inports):
            heard[:, number] = self._samples(port, frames)
        engine.callback(heard, played, self._has_lost(frames))
        for number, port in enumerate(self._outports):
            self._samples(port, frames)[:] = played[:, number]

    def _samples(self, port: Any, frames: int) -> Frames:
        """Return the memory of a port in this cycle."""
        return np.frombuffer(self._view_of(self._buffer_of(port._ptr, frames), _SAMPLE.itemsize * frames), _SAMPLE)

    def _has_lost(self, frames: int) -> bool:
        """Tell whether the server's clock has left out samples since the last cycle, and take the period over."""
        self.block = frames
        client = self._client
        if client is None:
            return False
        begins = int(client.last_frame_time)
        was_due, self._due = self._due, (begins + frames) % _CLOCK_TURNS
        return was_due is not None and was_due != begins

    def _forget_server(self, status: Any, reason: str) -> None:
        self._is_shut_down = True
