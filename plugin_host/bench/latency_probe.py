"""A probe on the JACK server: play noise into one client and measure how late it comes out of another."""

from __future__ import annotations

import time
from contextlib import suppress
from typing import Any

import numpy as np

from models.stage import Block
from plugin_host.devices.jack import jack_module
from plugin_host.devices.jack_thread import JackThread

_NAME = "highband-probe"
_BURST_S, _LISTEN_S = 0.25, 0.75


class LoopProbe:
    """A client with one output and one input that records what comes back for what it plays.

    Args:
        is_insert: Record by a client of its own, so that there is no loop, which JACK delays by a period.

    Attributes:
        sent: What is played, shape (samples,).
        received: What came back from the first sample on, same shape.
        rate: In Hz.
    """

    def __init__(self, is_insert: bool = False) -> None:
        module = jack_module()
        self._client: Any = module.Client(_NAME, no_start_server=True)
        self._recorder: Any = module.Client(_NAME, no_start_server=True) if is_insert else self._client
        self.rate = int(self._client.samplerate)
        self.sent = np.zeros(round(_LISTEN_S * self.rate), np.float32)
        burst = round(_BURST_S * self.rate)
        self.sent[:burst] = 0.25 * np.random.default_rng(0).standard_normal(burst)
        self.received: Block = np.zeros_like(self.sent)
        self._place = len(self.sent)
        self._in = self._recorder.inports.register("in_1")
        self._out = self._client.outports.register("out_1")
        self._threads = [JackThread(module, self._client, self._play if is_insert else self._process)]
        if is_insert:
            self._threads.append(JackThread(module, self._recorder, self._record))

    def measure(self, into: str, out_of: str) -> int:
        """Return the samples between what goes into one port and what comes out of another.

        Args:
            into: Full name of a port that receives audio.
            out_of: Full name of a port that sends audio.

        Raises:
            RuntimeError: Nothing that resembles the noise came back.
        """
        self.activate()
        self.connect(into, out_of)
        # What was connected just now may take a cycle to hold.
        time.sleep(0.1)
        self.received.fill(0.0)
        self._place = 0
        patience = time.monotonic() + 4.0 * _LISTEN_S
        while self._place < len(self.sent) and time.monotonic() < patience:
            time.sleep(0.02)
        return delay_of(self.sent, self.received)

    def activate(self) -> None:
        """Play and record from now on."""
        self._recorder.activate()
        self._client.activate()

    def connect(self, into: str, out_of: str) -> None:
        """Connect the two ports where they are not yet connected; see `measure`."""
        module = jack_module()
        for source, sink in ((self._out, into), (out_of, self._in)):
            with suppress(module.JackErrorCode):
                self._client.connect(source, sink)

    def close(self) -> None:
        """Leave the server."""
        for thread in self._threads:
            thread.end()
        self._client.close()
        if self._recorder is not self._client:
            self._recorder.close()

    def _process(self, frames: int) -> None:
        self._play(frames)
        self._record(frames)

    def _play(self, frames: int) -> None:
        part = self.sent[self._place : self._place + frames]
        out = self._out.get_array()
        out.fill(0.0)
        out[: len(part)] = part

    def _record(self, frames: int) -> None:
        part = self.received[self._place : self._place + frames]
        part[:] = self._in.get_array()[: len(part)]
        self._place += len(part)


def delay_of(sent: Block, received: Block) -> int:
    """Return by how many samples one signal is later than the other, by their cross-correlation.

    Raises:
        RuntimeError: They have little in common.
    """
    size = 1 << (2 * len(sent) - 1).bit_length()
    spectrum = np.fft.rfft(received, size) * np.conj(np.fft.rfft(sent, size))
    match = np.fft.irfft(spectrum, size)[: len(sent)]
    best = int(np.abs(match).argmax())
    scale = float(np.sqrt(np.sum(sent.astype(float) ** 2) * np.sum(received.astype(float) ** 2)))
    if not abs(match[best]) > 0.5 * scale or scale == 0.0:
        raise RuntimeError("what came back has little in common with what was sent")
    return best
