"""What a soak runs in processes of its own: the host with all its interfaces, or the bare wire beside it.

Started with one JSON object on the command line. Says `{"ready": ...}` on a line, plays until its standard input ends,
then says `{"played": ...}`. On its standard input come MIDI messages where the machine has no MIDI system.
"""

from __future__ import annotations

import json
import math
import sys
import time
from collections.abc import Mapping
from typing import Any, Literal

import numpy as np
from pydantic import BaseModel

from models.control import Control
from models.stage import Block
from plugin_host.chain.chain import Chain
from plugin_host.chain.program import LiveSound, build, build_around
from plugin_host.control.osc_server import OscControl
from plugin_host.control.zmq_server import ZmqControl
from plugin_host.devices.clocked import ClockedDevice
from plugin_host.devices.device import Device, DeviceOptions
from plugin_host.devices.jack import JackDevice
from plugin_host.engine.engine import Engine
from plugin_host.engine.realtime import settle_audio_thread, settle_process
from plugin_host.midi.controller import MidiControl
from plugin_host.midi.map import MidiMap
from plugin_host.preset.file import Preset
from plugin_host.session.host import LiveHost
from plugin_host.session.session import LiveSession
from plugin_host.settings.store import SettingsStore
from tests.stress.midi_pipe import MidiPipe

# The knob whose moves are timed from the controller to the sound; nothing else moves it.
TIMED_KNOB, TIMED_CC = "tilt", 20
BUSY_CCS = {21: "tone", 22: "width", 23: "attack"}
MIDI_PORT = "highband-soak"
_NOISE = 0.05
# White noise has no edge to follow, and an extender that finds nothing missing has little to do.
_CROSSOVER_HZ = 6000.0
_SETTLING_S = 0.5
# An hour and a half of blocks of 128: the percentiles are of the whole run.
_KEPT_CALLS = 1 << 21
_ANYWHERE = "tcp://127.0.0.1:0"


class Part(BaseModel):
    """What one process plays.

    Attributes:
        role: "host" or "wire".
        device: "jack", or "null" for the clock.
        preset: Name or path, "" for a high-pass, the extender and a limiter.
        artifact: Name or path, None for the preset's or the default.
        rate, block, channels: On JACK the server's count.
        telemetry_hz: Messages a second on each topic.
        listens: Whether a host looks at every sample that it plays, and takes OSC too.
    """

    role: Literal["host", "wire"]
    device: Literal["jack", "null"] = "null"
    preset: str = ""
    artifact: str | None = None
    rate: int = 48000
    block: int = 128
    channels: int = 2
    telemetry_hz: float = 30.0
    listens: bool = False


class Ear:
    """Looks at what is played.

    Attributes:
        is_finite: Whether nothing but numbers came out.
        peak: The largest sample.
    """

    def __init__(self) -> None:
        self.is_finite, self.peak = True, 0.0

    def push(self, dry: Block, wet: Block) -> None:
        """Take a block; on the audio thread."""
        peak = float(np.abs(wet).max(initial=0.0))
        if not math.isfinite(peak):
            self.is_finite = False
        elif peak > self.peak:
            self.peak = peak


class TimedStore(SettingsStore):
    """Settings that note when the audio thread first moves one knob.

    Attributes:
        moved_at: Seconds of the machine's steady clock, one for each time the knob left its rest.
    """

    def __init__(self, controls: tuple[Control, ...] | list[Control], knob: str) -> None:
        super().__init__(controls)
        self._knob, self._last, self._moves = knob, 0.0, False
        self._drain, self.drain = self.drain, self._watch
        self.moved_at: list[float] = []

    def _watch(self, frames: int) -> Mapping[str, float]:
        values = self._drain(frames)
        value = values.get(self._knob, 0.0)
        if value != self._last and not self._moves:
            self.moved_at.append(time.monotonic())
        self._moves, self._last = value != self._last, value
        return values


class NoisyJack(JackDevice):
    """A client of the JACK server whose input is noise instead of its ports, which nothing is connected to."""

    def __init__(self, options: DeviceOptions) -> None:
        super().__init__(options)
        self._in[:] = _NOISE * np.random.default_rng(0).standard_normal(self._in.shape)

    def _register(self, client: Any) -> None:
        super()._register(client)
        # What is not read from a port stays.
        self._inports = []


def sound(part: Part) -> LiveSound:
    """Build what a host plays."""
    if part.preset:
        return build(part.preset, part.artifact)
    plain = Preset.model_validate(
        {
            "name": "Soak",
            "before": [{"effect": "HighpassFilter", "settings": {"cutoff_frequency_hz": 80.0}}],
            "after": [{"effect": "BrickwallLimiter", "settings": {"ceiling_db": -1.0}}],
        }
    )
    return build_around(plain, "", part.artifact)


def midi_map() -> MidiMap:
    """Return the map of the soak's controller: no soft takeover, so that each message moves its knob."""
    bindings = [
        {"control": knob, "cc": number, "takeover": False}
        for number, knob in {TIMED_CC: TIMED_KNOB, **BUSY_CCS}.items()
    ]
    return MidiMap.model_validate({"name": "soak", "bindings": bindings})


def open_device(part: Part) -> Device:
    """Return where it plays."""
    if part.device == "jack":
        return NoisyJack(DeviceOptions(input="none", output="none", channels=part.channels))
    return ClockedDevice(part.rate, part.channels, part.block, noise=_NOISE)


def play_wire(part: Part, pipe: MidiPipe) -> dict[str, Any]:
    """Play the engine without a chain until the pipe ends; return its figures."""
    engine = Engine(Chain([], None, []), SettingsStore([]))
    device = open_device(part)
    device.prepare(engine)
    engine.on_enter = lambda: settle_audio_thread(lambda refusal: None)
    settle_process()
    device.start()
    _start_counting(engine)
    _say("ready", {"device": device.name, "rate": device.rate, "block": device.block})
    while not pipe.ended:
        pipe.receive(1)
        time.sleep(0.05)
    figures = _figures(engine)
    device.stop()
    return figures


def play_host(part: Part, pipe: MidiPipe) -> dict[str, Any]:
    """Play the host with a ZeroMQ interface and a controller until the pipe ends; return its figures."""
    built = sound(part)
    device = open_device(part)
    store = TimedStore(list(built.controls), TIMED_KNOB)
    store.load({**built.preset.settings, "crossover": _CROSSOVER_HZ}, "preset")
    host = LiveHost(built, store, device, "low latency")
    notices: list[str] = []
    playing = LiveSession(host, device, notices.append)
    control = ZmqControl(store, host, _ANYWHERE, _ANYWHERE, part.telemetry_hz)
    port = MIDI_PORT if part.device == "jack" else pipe
    controller = MidiControl(store, host, built.controls, midi_map(), port, "jack" if part.device == "jack" else None)
    osc, ear = OscControl(store, host, 0), Ear()
    playing.interfaces = [control, controller, *([osc] if part.listens else [])]
    if part.listens:
        host.engine.listener = ear
    playing.open()
    _start_counting(host.engine)
    place = {"device": device.name, "rate": device.rate, "block": device.block}
    _say("ready", {**place, "address": control.address, "osc": osc.port})

    def is_over() -> bool:
        if part.device == "jack":
            pipe.receive(1)
        return pipe.ended

    playing.run(is_over)
    figures = {**_figures(host.engine), "moved_at": store.moved_at, "notices": notices, "relief": host.relief()}
    playing.close()
    return {
        **figures, "requests": control.requests, "refused": control.refused, "faults": control.faults,
        "midi": pipe.messages, "osc_bad": osc.bad, "is_finite": ear.is_finite, "peak": ear.peak,
    }  # fmt: skip


def _start_counting(engine: Engine) -> None:
    """Let the first blocks, in which everything is cold, not count."""
    time.sleep(_SETTLING_S)
    engine.keep_calls(_KEPT_CALLS)
    engine.missed = engine.xruns = 0


def _figures(engine: Engine) -> dict[str, Any]:
    return {
        "load": engine.load.figures(),
        "blocks": engine.load.calls,
        "late": engine.missed,
        "xruns": engine.xruns,
        "stages": getattr(engine.chain, "loads", dict)(),
    }


def _say(word: str, content: Mapping[str, Any]) -> None:
    print(json.dumps({word: content}), flush=True)


def main(words: list[str]) -> None:
    """Play the part that the command line names."""
    part = Part.model_validate_json(words[0])
    pipe = MidiPipe(sys.stdin.fileno())
    pipe.look()
    _say("played", play_wire(part, pipe) if part.role == "wire" else play_host(part, pipe))


if __name__ == "__main__":
    main(sys.argv[1:])
