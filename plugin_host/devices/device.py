"""The sound card, by PortAudio: a stream that comes back after the device was gone."""

from __future__ import annotations

import time
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Protocol

from plugin_host.engine.channels import chain_channels
from plugin_host.engine.engine import Engine

RATES = (44100, 48000, 88200, 96000)
JACK = "JACK Audio Connection Kit"
# On JACK the server's period decides; it may be changed while playing.
_JACK_MAX_BLOCK = 2048
_MOST_CHANNELS = 2
_SILENT_S = 1.0
_FIRST_RETRY_S, _LAST_RETRY_S = 0.25, 4.0


class DeviceError(ValueError):
    """No such device, or it refuses; one sentence that says what to do."""


class Device(Protocol):
    """What plays an engine: `prepare`, `start`, then `poll` again and again from the main thread, then `stop`."""

    name: str
    rate: int
    inputs: int
    outputs: int
    block: int

    @property
    def latency_samples(self) -> int:
        """What the device adds to the chain's latency, in and out together."""
        ...

    @property
    def state(self) -> str:
        """For people: "ready", "playing", "lost" or "ended"."""
        ...

    @property
    def is_done(self) -> bool:
        """Whether the device ended by itself."""
        ...

    def prepare(self, engine: Engine) -> None:
        """Prepare the engine for this device."""
        ...

    def start(self) -> None:
        """Begin to play."""
        ...

    def poll(self) -> str | None:
        """Look after the device; return a sentence where something happened."""
        ...

    def stop(self) -> None:
        """End; may raise what went wrong on the way."""
        ...


@dataclass(frozen=True)
class Wishes:
    """What a person asked for; None leaves it to the device.

    Attributes:
        input, output: A device's number or a part of its name.
        rate: In Hz.
        block: Samples of a block; on JACK the server's period counts instead.
        channels: On both sides.
    """

    input: str | None = None
    output: str | None = None
    rate: int | None = None
    block: int = 128
    channels: int | None = None


def portaudio() -> Any:
    """Return the module sounddevice; raise DeviceError with the package to install where PortAudio is missing."""
    try:
        import sounddevice
    except OSError:
        raise DeviceError(
            "PortAudio is missing; install it (Debian and Ubuntu: apt install libportaudio2), or use --device null"
        ) from None
    return sounddevice


def jack_pair() -> tuple[str, str]:
    """Return the numbers of JACK's own input and output, as wishes name them; raise DeviceError without a server."""
    module = portaudio()
    for api in module.query_hostapis():
        numbers = api["default_input_device"], api["default_output_device"]
        if api["name"] == JACK and min(numbers) >= 0:
            return str(numbers[0]), str(numbers[1])
    raise DeviceError("no JACK server answers; start one, such as: jackd -d alsa -r 48000 -p 128")


def release() -> None:
    """Let go of every device and server; PortAudio's own client of a JACK server must not outlive that."""
    module = portaudio()
    while module._initialized:
        module._terminate()


def refresh() -> None:
    """Let PortAudio look for devices and servers again; no stream may be open."""
    module = portaudio()
    with suppress(module.PortAudioError):
        module._terminate()
    module._initialize()


class SoundDevice:
    """A full-duplex stream whose callback is the engine's.

    Args:
        wishes: What a person asked for.

    Raises:
        DeviceError: No such device, or it can't do this.

    Attributes:
        is_jack: Whether PortAudio reaches it by a JACK server; it does not survive that server's end.
        input_name, output_name: As PortAudio calls the two sides.
    """

    def __init__(self, wishes: Wishes) -> None:
        self._wishes = wishes
        self._engine: Engine | None = None
        self._stream: Any = None
        self._is_lost = False
        self._retry_s, self._retry_at = _FIRST_RETRY_S, 0.0
        self._seen, self._seen_at = -1, 0.0
        self._look()

    @property
    def is_done(self) -> bool:
        """Never: a device that is gone may come back."""
        return False

    @property
    def state(self) -> str:
        """For people: "ready", "playing" or "lost"."""
        return "lost" if self._is_lost else "playing" if self._stream is not None else "ready"

    @property
    def latency_samples(self) -> int:
        """As the driver tells; on JACK, where that is wrong, the one period that a loop measures."""
        if self.is_jack or self._stream is None:
            return self.block
        return round(float(sum(self._stream.latency)) * self.rate)

    def prepare(self, engine: Engine) -> None:
        """Prepare the engine for this device's rate, channels and longest block."""
        self._engine = engine
        longest = max(self.block, _JACK_MAX_BLOCK) if self.is_jack else self.block
        engine.prepare(self.rate, chain_channels(self.inputs, self.outputs), longest)

    def start(self) -> None:
        """Open the stream and begin to play; raise DeviceError if the device refuses."""
        module = portaudio()
        try:
            self._stream = self._open(module)
            self._stream.start()
        except (module.PortAudioError, ValueError) as error:
            self._close()
            raise DeviceError(f"{self.name} can't be opened: {_told(error)}") from None
        self._is_lost = False
        self._seen, self._seen_at = -1, time.monotonic()

    def stop(self) -> None:
        """End the stream."""
        self._close()

    def poll(self) -> str | None:
        """Notice that the device is gone, and try to get it back, less and less often; returns what happened."""
        now = time.monotonic()
        if not self._is_lost:
            if self._is_alive(now):
                return None
            self._is_lost, self._retry_s, self._retry_at = True, _FIRST_RETRY_S, now
            return f"{self.name} is gone; it is tried again until it comes back"
        if now < self._retry_at:
            return None
        self._retry_s = min(2.0 * self._retry_s, _LAST_RETRY_S)
        self._retry_at = now + self._retry_s
        return self._come_back()

    def _is_alive(self, now: float) -> bool:
        """Whether blocks come; a stream whose server was killed may still call itself active."""
        if self._engine is not None and self._engine.load.calls != self._seen:
            self._seen, self._seen_at = self._engine.load.calls, now
        return self._stream is not None and now - self._seen_at < _SILENT_S and bool(self._stream.active)

    def _come_back(self) -> str | None:
        rate, channels = self.rate, (self.inputs, self.outputs)
        self._close()
        try:
            refresh()
            self._look()
            if self._engine is not None and (rate, channels) != (self.rate, (self.inputs, self.outputs)):
                self.prepare(self._engine)
            self.start()
        except (DeviceError, portaudio().PortAudioError):
            return None
        return f"{self.name} is back at {self.rate} Hz"

    def _open(self, module: Any) -> Any:
        engine = self._engine
        if engine is None:
            raise ValueError("the engine is not prepared")

        def play(indata: Any, outdata: Any, frames: int, times: Any, status: Any) -> None:
            engine.callback(indata, outdata, bool(status.output_underflow or status.input_overflow))

        return module.Stream(callback=play, **self._stream_options())

    def _stream_options(self) -> dict[str, Any]:
        return {
            "device": self._pair,
            "samplerate": self.rate,
            # With a fixed block PortAudio would add a buffer of its own to JACK's period.
            "blocksize": 0 if self.is_jack else self.block,
            "channels": (self.inputs, self.outputs),
            "dtype": "float32",
            "latency": "low",
        }

    def _close(self) -> None:
        stream, self._stream = self._stream, None
        if stream is not None:
            with suppress(Exception):
                stream.close(ignore_errors=True)

    def _look(self) -> None:
        """Find the devices and settle rate and channels."""
        wishes = self._wishes
        source, sink = _find(wishes.input, "input"), _find(wishes.output, "output")
        self._pair = (source["index"], sink["index"])
        self.input_name, self.output_name = str(source["name"]), str(sink["name"])
        self.is_jack = portaudio().query_hostapis(source["hostapi"])["name"] == JACK
        is_one = source["index"] == sink["index"]
        self.name = self.input_name if is_one else f"{self.input_name} to {self.output_name}"
        if self.is_jack:
            self.name = f"JACK ({self.name})"
        self.rate = self._choose_rate(round(source["default_samplerate"]))
        self.inputs = min(wishes.channels or _MOST_CHANNELS, source["max_input_channels"])
        self.outputs = min(wishes.channels or _MOST_CHANNELS, sink["max_output_channels"])
        self.block = wishes.block
        if self.is_jack:
            self.block = max(1, round(source["default_low_input_latency"] * self.rate)) or wishes.block

    def _choose_rate(self, native: int) -> int:
        if self.is_jack and self._wishes.rate not in (None, native):
            raise DeviceError(
                f"the JACK server runs at {native} Hz; start it with -r {self._wishes.rate}, or leave --rate out"
            )
        return self._wishes.rate or (native if native in RATES else 48000)


def _find(wish: str | None, kind: str) -> dict[str, Any]:
    module = portaudio()
    try:
        entry: dict[str, Any] = module.query_devices(int(wish) if wish and wish.isdecimal() else wish, kind)
    except (module.PortAudioError, ValueError):
        which = f" {wish}" if wish else ""
        raise DeviceError(
            f"there is no {kind} device{which}; highband devices lists them, and --device null needs none"
        ) from None
    if not entry[f"max_{kind}_channels"]:
        raise DeviceError(f"{entry['name']} has no {kind}; highband devices lists what has")
    return entry


def _told(error: Exception) -> str:
    return " ".join(str(error).split()).rstrip(".")
