"""Safe mode: the device's callback runs in C and only moves samples; the engine works on a thread behind rings."""

from __future__ import annotations

import threading
import time
from typing import Any

import numpy as np

from plugin_host.devices.device import DeviceError, DeviceOptions
from plugin_host.devices.portaudio import SoundDevice, portaudio
from plugin_host.engine.engine import Engine

# So much sound waits for the device: what the worker may be late by.
BUFFER_S = 512 / 48000
_RING_S = 0.5
_SAMPLE_BYTES = 4


class ServerDiedError(DeviceError):
    """The JACK server ended, and with it what this process can do through PortAudio."""


class SafeDevice(SoundDevice):
    """A sound device whose engine may be late by `BUFFER_S` without a drop-out, and plays as much later.

    On JACK this process lives as long as the server: PortAudio does not come back from one that died.
    """

    def __init__(self, options: DeviceOptions) -> None:
        """Look for the devices; raises DeviceError if there are none or the C callback is missing."""
        super().__init__(options)
        self._buffer = max(2 * self.block, round(BUFFER_S * self.rate))

    @property
    def latency_samples(self) -> int:
        """The device's and the buffer's."""
        return super().latency_samples + self._buffer

    @property
    def is_done(self) -> bool:
        """Whether the JACK server died."""
        return self._is_lost and self.is_jack

    def poll(self) -> str | None:
        """Look after the device; a JACK server that died ends it."""
        return None if self.is_done else super().poll()

    def stop(self) -> None:
        """End; raise ServerDiedError if the JACK server died."""
        if not self.is_done:
            super().stop()
            return
        # Closing what waits for a dead server takes PortAudio ten minutes, now and when the program ends.
        portaudio()._initialized = 0
        self._stream.abandon()
        raise ServerDiedError("safe mode can't come back to a JACK server that died; start it anew with --resume")

    def _make_stream(self, engine: Engine, module: Any) -> Any:
        try:
            import rtmixer
        except ImportError:
            raise DeviceError("safe mode needs rtmixer: pip install rtmixer, or use --mode low") from None
        options = self._stream_options()
        options.pop("dtype")
        mixer = rtmixer.MixerAndRecorder(**options)
        return _Worker(engine, rtmixer, mixer, self.block, self._buffer)


class _Worker:
    """Stands for a stream: starts, stops, and carries blocks between the rings and the engine."""

    def __init__(self, engine: Engine, module: Any, mixer: Any, block: int, buffer: int) -> None:
        self._engine, self._mixer, self._block, self._buffer = engine, mixer, block, buffer
        inputs, outputs = mixer.channels
        size = 1 << (round(_RING_S * mixer.samplerate)).bit_length()
        self._recorded = module.RingBuffer(_SAMPLE_BYTES * inputs, size)
        self._played = module.RingBuffer(_SAMPLE_BYTES * outputs, size)
        self._in = np.zeros((block, inputs), np.float32)
        self._out = np.zeros((block, outputs), np.float32)
        self._silence = np.zeros((buffer, outputs), np.float32)
        self._nap_s = block / mixer.samplerate / 4.0
        self._actions: list[Any] = []
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name="audio", daemon=True)

    @property
    def active(self) -> bool:
        """Whether the device runs."""
        return bool(self._mixer.active)

    @property
    def latency(self) -> tuple[float, float]:
        """Of the device alone, in seconds, in and out."""
        input_s, output_s = self._mixer.latency
        return float(input_s), float(output_s)

    def start(self) -> None:
        """Begin to play."""
        self._mixer.start()
        self._thread.start()

    def abandon(self) -> None:
        """End the worker and leave the stream as it is."""
        self._ending.set()
        self._thread.join()

    def close(self, ignore_errors: bool = True) -> None:
        """End the worker, then the stream."""
        self._ending.set()
        if self._thread.is_alive():
            self._thread.join()
        self._mixer.close(ignore_errors=ignore_errors)

    def _run(self) -> None:
        self._begin()
        is_xrun = False
        while not self._ending.is_set():
            if self._has_dropped_out():
                is_xrun = True
                self._begin()
            if self._recorded.read_available < self._block:
                time.sleep(self._nap_s)
                continue
            self._recorded.readinto(self._in)
            self._engine.callback(self._in, self._out, is_xrun)
            is_xrun = False
            self._played.write(self._out)

    def _has_dropped_out(self) -> bool:
        """Whether a ring ran empty or full, at which the C callback lets go of it."""
        active = self._mixer.actions
        return any(action not in active for action in self._actions)

    def _begin(self) -> None:
        """Start both rings anew, so that the latency is the same as before."""
        for action in self._actions:
            if action in self._mixer.actions:
                self._mixer.cancel(action)
        while self._mixer.actions and not self._ending.is_set():
            time.sleep(self._nap_s)
        self._recorded.flush()
        self._played.flush()
        self._played.write(self._silence)
        self._actions = [self._mixer.play_ringbuffer(self._played), self._mixer.record_ringbuffer(self._recorded)]
