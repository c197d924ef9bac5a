"""A host for tests of the panel: a real engine that plays noise through one gain, behind a real control door."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from dsp.control import Control
from models.knobs import CONTROLS
from models.stage import Block
from plugin_host.engine import Engine
from plugin_host.file_device import ClockedDevice
from plugin_host.settings import SettingsStore
from plugin_host.zmq_control import ZmqControl
from tests.plugin_host.fake_host import FakeHost

RATE, BLOCK, CHANNELS, NOISE = 48000, 512, 2, 0.05


class Gain:
    """A stage whose gain is the knob `amount` in dB, and which can be bypassed."""

    latency_samples = 0

    @property
    def controls(self) -> Sequence[Control]:
        return CONTROLS

    def prepare(self, sample_rate: int, channels: int, max_block: int) -> None:
        pass

    def process(self, block: Block, settings: Mapping[str, float]) -> Block:
        gain_db = 0.0 if settings["bypass"] else settings["amount"]
        out: Block = block * np.float32(10 ** (gain_db / 20))
        return out

    def reset(self) -> None:
        pass


class EngineHost(FakeHost):
    """What a real host tells, from a real engine."""

    def __init__(self, engine: Engine) -> None:
        super().__init__()
        self.engine = engine
        self.artifact = ""

    def stats(self) -> dict[str, Any]:
        told = {
            "device": {"name": "null", "state": "playing"},
            "crossover_hz": 8000.0,
            "preset": "test",
            "block": BLOCK,
        }
        return {**self.engine.stats(), **told}

    def meters(self) -> dict[str, Any]:
        return self.engine.meters()

    def spectra(self) -> tuple[Sequence[float], Sequence[float]]:
        return self.engine.spectra()

    def out_db(self) -> float:
        """The level of the sound that comes out."""
        return float(np.mean(self.engine.meters()["out"]["rms_db"]))


@contextmanager
def playing(address: str, telemetry: str) -> Iterator[tuple[ZmqControl, SettingsStore, EngineHost]]:
    store = SettingsStore(CONTROLS)
    engine = Engine(Gain(), store)
    device = ClockedDevice(RATE, CHANNELS, BLOCK, noise=NOISE)
    device.prepare(engine)
    # The engine of a test takes no right of a real-time thread.
    engine.is_timed = False
    control = ZmqControl(store, EngineHost(engine), address, telemetry)
    device.start()
    control.start()
    try:
        yield control, store, control._host  # type: ignore[misc]
    finally:
        control.stop()
        device.stop()
