"""A host for tests of the panel: a real engine that plays noise through one gain, behind a real control interface; and
the panel itself, served before it as the command does.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from models.extender.controls import CONTROLS
from models.stage import Block
from plugin_host.chain.chain import Chain
from plugin_host.chain.comparison import Comparison, Version
from plugin_host.control.zmq_server import ZmqControl
from plugin_host.devices.clocked import ClockedDevice
from plugin_host.engine.engine import Engine
from plugin_host.midi.controller import MidiControl
from plugin_host.midi.service import MidiService
from plugin_host.session.panel_process import free_port, is_served
from plugin_host.session.takes import Takes
from plugin_host.settings.store import SettingsStore
from tests.plugin_host.fake_host import FakeHost
from tests.plugin_host.gain import Gain

ROOT = Path(__file__).resolve().parents[3]
# What is waited for comes within a second on a quiet machine; a busy one may take far longer, and that is no fault.
PATIENCE_S = 120.0
RATE, BLOCK, CHANNELS, NOISE = 48000, 512, 2, 0.05


class BypassedGain(Gain):
    """The same with a bypass."""

    def process(self, block: Block, settings: Mapping[str, float]) -> Block:
        return super().process(block, {"amount": 0.0} if settings["bypass"] else settings)


class EngineHost(FakeHost):
    """What a real host reports, from a real engine."""

    def __init__(self, engine: Engine, store: SettingsStore, folder: Path) -> None:
        super().__init__()
        self.engine, self.store, self.takes = engine, store, Takes(engine)
        self.takes.folder = folder
        self.takes.follow(RATE, CHANNELS)
        self.comparison: Comparison | None = None
        self.artifact, self.crossover_hz = "", 8000.0

    def stats(self) -> dict[str, Any]:
        figures: dict[str, Any] = {
            "device": {"name": "null", "state": "playing"},
            "crossover_hz": self.crossover_hz,
            "preset": "test",
            "block": BLOCK,
            "recording": self.takes.state(),
        }
        if self.comparison is not None:
            self.comparison.match.look()
            figures["comparison"] = self.comparison.figures()
        return {**self.engine.stats(), **figures}

    def meters(self) -> dict[str, Any]:
        return self.engine.meters()

    def spectra(self) -> tuple[Sequence[float], Sequence[float]]:
        return self.engine.spectra()

    def record(self, is_on: bool) -> None:
        self.takes.start() if is_on else self.takes.stop()

    def recordings(self) -> dict[str, Any]:
        return {**self.takes.state(), "takes": self.takes.listed()}

    def compare(self, sides: Sequence[tuple[str, str]]) -> None:
        super().compare(sides)
        now = self.store.snapshot()
        kept = [{} if name in ("", now.slot) else now.kept[name] for _, name in sides]
        chains = [Chain([], None if kind == "input" else BypassedGain(), []) for kind, _ in sides]
        knobs = [{**self.store.targets(), **own, "bypass": 0.0} for own in kept]
        self.comparison = Comparison([Version(*one) for one in zip(chains, knobs, strict=True)])
        self.engine.swap_chain(self.comparison)

    def audition(self, side: int) -> None:
        super().audition(side)
        assert self.comparison is not None
        self.comparison.audible = side

    def end_comparison(self) -> None:
        super().end_comparison()
        if self.comparison is not None:
            self.engine.swap_chain(BypassedGain())
            self.comparison = None

    def level_db(self, side: str) -> float:
        """The level of the sound that goes in, or comes out."""
        return float(np.mean(self.engine.meters()[side]["rms_db"]))


MakeController = Callable[[SettingsStore], tuple[MidiControl, MidiService]]


@contextmanager
def playing(
    address: str, telemetry: str, make_controller: MakeController | None = None
) -> Iterator[tuple[ZmqControl, SettingsStore, EngineHost]]:
    store = SettingsStore(CONTROLS)
    controller, service = make_controller(store) if make_controller else (None, None)
    engine = Engine(BypassedGain(), store)
    device = ClockedDevice(RATE, CHANNELS, BLOCK, noise=NOISE)
    device.prepare(engine)
    # The engine of a test takes no right of a real-time thread.
    engine.is_timed = False
    folder = tempfile.TemporaryDirectory()
    host = EngineHost(engine, store, Path(folder.name))
    # Half as often as a host: what is drawn costs more than what is tested.
    control = ZmqControl(store, host, address, telemetry, rate_hz=15.0, midi=service)
    device.start()
    control.start()
    if controller is not None:
        controller.start()
    try:
        yield control, store, host
    finally:
        if controller is not None:
            controller.stop()
        control.stop()
        host.takes.stop()
        device.stop()
        folder.cleanup()


def until(holds: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE_S
    while not holds():
        assert time.monotonic() < end, "it did not come about in time"
        time.sleep(0.02)


@contextmanager
def served(address: str, port: int, *more: str, program: str = "plugin_host.cli.main") -> Iterator[str]:
    """Serve the panel as the command does and give its address."""
    command = [sys.executable, "-m", program, "panel", "--address", address, "--port", str(port), *more]
    # The panel's toolkit behaves in another way where it believes to be under test itself.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    environment["PYTHONPATH"] = str(ROOT)
    with (
        tempfile.TemporaryDirectory() as home,
        subprocess.Popen(
            command, stdout=subprocess.PIPE, text=True, env=environment | {"XDG_DATA_HOME": home}
        ) as process,
    ):
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            until(lambda: is_served(port))
            yield line.split()[-1]
        finally:
            process.terminate()
            assert process.wait(PATIENCE_S) in (0, -15)


@dataclass
class Studio:
    """A panel, its address, the host's addresses, and the switch of the host."""

    url: str
    address: str
    start: Callable[[], None]
    stop: Callable[[], None]
    store: SettingsStore | None = None
    host: EngineHost | None = None

    def value(self, knob: str) -> float:
        assert self.store is not None
        return self.store.targets()[knob]

    def level(self) -> float:
        assert self.host is not None
        return self.host.level_db("out")

    def rest(self) -> None:
        """Put the host back to where it began, also in its meters, which remember what was loud before."""
        host, store = self.host, self.store
        if host is None or store is None:
            return
        until(lambda: host.comparison is None)
        if store.snapshot().slot != "A":
            store.select_slot("A", "test")
        store.load({}, "test")
        store.request_many({"bypass": 0.0, "delta": 0.0}, "test")
        until(lambda: abs(host.level_db("out") - host.level_db("in")) < 0.1)


@contextmanager
def in_studio(make_controller: MakeController | None = None) -> Iterator[Studio]:
    """Serve a panel before a host that plays, with a controller if there is one."""
    ports = [free_port() for _ in range(3)]
    requests, telemetry = (f"tcp://127.0.0.1:{port}" for port in ports[:2])
    host_life = ExitStack()

    def start() -> None:
        _, made.store, made.host = host_life.enter_context(playing(requests, telemetry, make_controller))

    with served(requests, ports[2]) as url:
        made = Studio(url, requests, start, host_life.close)
        start()
        yield made
        host_life.close()
