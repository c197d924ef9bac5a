"""LV2 has no gestures: what is turned elsewhere is asked of the host, once; its own moves do not come back."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from models.extender.controls import CONTROLS, defaults
from plugin_host.control.client import Client
from plugin_host.plugin.instances import Instance, control_address, instances, read_note
from tests.plugin_host.plugin.lv2_host import Lv2Host

SILENCE = np.zeros((2, 256), np.float32)
# Behind two audio ports in and out, and the time.
BUFFER, FREE_WHEELING, LATENCY, ENGINE, ENABLED, PANEL, FIRST_KNOB = range(5, 12)
KNOBS = [control.id for control in CONTROLS if control.id != "bypass"]
PLAYING = 2.0


def wait_until(host: Lv2Host, is_so: Callable[[], bool]) -> None:
    patience = time.monotonic() + 30.0
    while not is_so():
        host.process(SILENCE)
        assert time.monotonic() < patience
        time.sleep(0.005)


def test_what_is_turned_elsewhere_is_asked_of_the_host(home: Path, served: Path) -> None:
    values = {BUFFER: 256.0, FREE_WHEELING: 0.0, LATENCY: 0.0, ENGINE: 0.0, ENABLED: 1.0, PANEL: 0.0}
    values |= {FIRST_KNOB + place: defaults()[name] for place, name in enumerate(KNOBS)}
    # Each format's library counts its own instances.
    others = {instance.name for instance in instances()}
    host = Lv2Host(home / ".lv2" / "highband.lv2" / "highband.so", values)

    def mine() -> Instance:
        (found,) = (instance for instance in instances() if instance.name not in others)
        return found

    try:
        wait_until(host, lambda: host.ports[ENGINE].value == PLAYING and "control" in read_note(mine()))
        assert host.ports[LATENCY].value >= 256.0
        amount = FIRST_KNOB + KNOBS.index("amount")
        with Client(control_address(mine().name)) as client:
            client.set("amount", -6.0)
            wait_until(host, lambda: bool(host.requests))
            client.set("bypass", 1.0)
            wait_until(host, lambda: len(host.requests) > 1)
            host.ports[amount].value = 3.0
            wait_until(host, lambda: client.get("amount")["value"] == 3.0)
        for _ in range(40):
            host.process(SILENCE)
            time.sleep(0.005)
        assert host.requests == [(amount, -6.0), (ENABLED, 0.0)]
    finally:
        host.close()
