"""The sound card, by PortAudio: its devices as a list, and a stream that comes back after the device was gone."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from plugin_host.devices.device import MOST_CHANNELS, DeviceError, DeviceOptions, NoDeviceError, ReconnectingDevice
from plugin_host.engine.engine import Engine

RATES = (44100, 48000, 88200, 96000)
JACK = "JACK Audio Connection Kit"
# On JACK the server's period decides; it may be changed while playing.
_JACK_MAX_BLOCK = 2048


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
    """Return the numbers of JACK's own input and output, as options name them; raise DeviceError without a server."""
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
    """Let PortAudio look for devices and servers again, with no stream open; raise NoDeviceError where it can't."""
    module = portaudio()
    with suppress(module.PortAudioError):
        module._terminate()
    try:
        module._initialize()
    except module.PortAudioError as error:
        raise NoDeviceError(f"PortAudio can't look for devices: {error}") from None


class SoundDevice(ReconnectingDevice):
    """A full-duplex stream whose callback is the engine's.

    Args:
        options: The requested devices, rate and block.

    Raises:
        DeviceError: No such device, or it can't do this.

    Attributes:
        is_jack: Whether PortAudio reaches it by a JACK server; it does not survive that server's end.
        input_name, output_name: As PortAudio calls the two sides.
    """

    def __init__(self, options: DeviceOptions) -> None:
        super().__init__()
        self._options = options
        self._stream: Any = None
        self._look()

    @property
    def latency_samples(self) -> int:
        """As the driver reports; on JACK, where that is wrong, the one period that a loop measures."""
        if self.is_jack or self._stream is None:
            return self.block
        return round(float(sum(self._stream.latency)) * self.rate)

    @property
    def _longest_block(self) -> int:
        return max(self.block, _JACK_MAX_BLOCK) if self.is_jack else self.block

    def _is_active(self) -> bool:
        return self._stream is not None and bool(self._stream.active)

    def _open(self, engine: Engine) -> None:
        module = portaudio()
        try:
            self._stream = self._make_stream(engine, module)
            self._stream.start()
        except (module.PortAudioError, ValueError) as error:
            self._close()
            raise DeviceError(f"{self.name} can't be opened: {' '.join(str(error).split()).rstrip('.')}") from None

    def _make_stream(self, engine: Engine, module: Any) -> Any:
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
        if self._engine is not None:
            refresh()
        options = self._options
        source, sink = _find(options.input, "input"), _find(options.output, "output")
        self._pair = (source["index"], sink["index"])
        self.input_name, self.output_name = str(source["name"]), str(sink["name"])
        self.is_jack = portaudio().query_hostapis(source["hostapi"])["name"] == JACK
        is_one = source["index"] == sink["index"]
        self.name = self.input_name if is_one else f"{self.input_name} to {self.output_name}"
        if self.is_jack:
            self.name = f"JACK ({self.name})"
        self.subject = self.name
        self.rate = self._choose_rate(round(source["default_samplerate"]))
        self.inputs = min(options.channels or MOST_CHANNELS, source["max_input_channels"])
        self.outputs = min(options.channels or MOST_CHANNELS, sink["max_output_channels"])
        self.block = options.block
        if self.is_jack:
            self.block = max(1, round(source["default_low_input_latency"] * self.rate)) or options.block

    def _choose_rate(self, native: int) -> int:
        if self.is_jack and self._options.rate not in (None, native):
            raise DeviceError(
                f"the JACK server runs at {native} Hz; start it with -r {self._options.rate}, or leave --rate out"
            )
        return self._options.rate or (native if native in RATES else 48000)


def _find(wish: str | None, kind: str) -> dict[str, Any]:
    module = portaudio()
    try:
        entry: dict[str, Any] = module.query_devices(int(wish) if wish and wish.isdecimal() else wish, kind)
    except (module.PortAudioError, ValueError):
        which = f" {wish}" if wish else ""
        raise NoDeviceError(
            f"there is no {kind} device{which}; highband devices lists them, and --device null needs none"
        ) from None
    if not entry[f"max_{kind}_channels"]:
        raise DeviceError(f"{entry['name']} has no {kind}; highband devices lists what has")
    return entry


@dataclass(frozen=True)
class Listed:
    """One line of `highband devices`; latencies in ms as the driver reports them."""

    index: int
    name: str
    api: str
    inputs: int
    outputs: int
    rate: int
    input_ms: float
    output_ms: float
    default: str


def list_devices() -> list[Listed]:
    """Return every device of every host API; raise DeviceError where PortAudio is missing."""
    module = portaudio()
    apis = module.query_hostapis()
    default_in, default_out = module.default.device
    return [
        Listed(
            index, entry["name"], apis[entry["hostapi"]]["name"],
            entry["max_input_channels"], entry["max_output_channels"], round(entry["default_samplerate"]),
            1000.0 * entry["default_low_input_latency"], 1000.0 * entry["default_low_output_latency"],
            " ".join(word for word, chosen in (("input", default_in), ("output", default_out)) if chosen == index),
        )
        for index, entry in enumerate(module.query_devices())
    ]  # fmt: skip
