"""A host that plays nothing, and a running control door in front of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from models.extender import controls as knobs
from plugin_host.control.client import Client
from plugin_host.control.keys import Keys
from plugin_host.control.zmq_server import ZmqControl
from plugin_host.settings.store import SettingsStore

ANY = "tcp://127.0.0.1:0"


class FakeHost:
    def __init__(self) -> None:
        self.loaded: list[str] = []
        self.saved: list[tuple[str, str, dict[str, float]]] = []
        self.broken = self.is_recording = False
        self.compared: list[tuple[str, str]] = []
        self.audible = 0

    def stats(self) -> dict[str, Any]:
        if self.broken:
            raise RuntimeError("a fault inside")
        return {"latency": {"chain": 64}, "xruns": 0, "load": {"callback": {"p50": 0.02}}}

    def meters(self) -> dict[str, Any]:
        return {"in": {"peak_db": [float("-inf")]}, "out": {"peak_db": [-6.0]}}

    def spectra(self) -> tuple[Sequence[float], Sequence[float]]:
        return [-60.0] * 4, [-50.0] * 4

    def chain(self) -> list[dict[str, Any]]:
        return [{"name": "extender", "latency_samples": 64}]

    def load_preset(self, name: str) -> None:
        self.loaded.append(name)

    def set_chain(self, before: Sequence[Mapping[str, Any]], after: Sequence[Mapping[str, Any]]) -> None:
        raise ValueError("this host has no effects")

    def record(self, is_on: bool) -> None:
        self.is_recording = is_on

    def recordings(self) -> dict[str, Any]:
        take = {"name": "20261130-031500", "seconds": 2.5, "wet": "/x/wet.wav", "dry": "/x/dry.wav", "recovered": True}
        return {"on": self.is_recording, "seconds": 0.0, "folder": "/x", "takes": [take]}

    def compare(self, sides: Sequence[tuple[str, str]]) -> None:
        self.compared, self.audible = list(sides), 0

    def audition(self, side: int) -> None:
        if not self.compared:
            raise ValueError("nothing is compared any more; begin again")
        self.audible = side

    def end_comparison(self) -> None:
        self.compared = []

    def program(self) -> object:
        return self.loaded[-1:]

    def play(self, program: list[str]) -> None:
        self.loaded += program or [""]

    def save_preset(
        self, name: str, description: str, settings: Mapping[str, float], tags: Sequence[str] | None = None
    ) -> None:
        self.saved.append((name, description, dict(settings)))


@contextmanager
def running(keys: Keys | None = None, rate_hz: float = 100.0) -> Iterator[tuple[ZmqControl, SettingsStore, FakeHost]]:
    store, host = SettingsStore(knobs.CONTROLS), FakeHost()
    control = ZmqControl(store, host, ANY, ANY, rate_hz=rate_hz, keys=keys)
    control.start()
    try:
        yield control, store, host
    finally:
        control.stop()


def client(control: ZmqControl, keys: Keys | None = None, timeout_s: float = 20.0) -> Client:
    return Client(control.address, keys, origin="test", timeout_s=timeout_s)
