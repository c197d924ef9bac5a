"""Measure the product as an insert on the JACK server that there is; as a program, print the figures as JSON.

JACK and PipeWire are libraries of one name, of which a process has either: under `pw-jack` it is a program.
"""

from __future__ import annotations

import ctypes
import ctypes.util
import json
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace

from plugin_host.bench.latency_probe import LoopProbe
from plugin_host.chain.program import build
from plugin_host.devices.device import DeviceOptions
from plugin_host.devices.jack import JackDevice, jack_module
from plugin_host.session.host import LiveHost
from plugin_host.settings.store import SettingsStore

ALONE = DeviceOptions(input="none", output="none")
_PATIENCE_S = 60.0


def latencies() -> list[tuple[int, int, int, int]]:
    """Return for `live`, `studio` and a preset: the declared latency, the measured one, and the range of the graph.

    A server that loses blocks, or has not counted anew yet, is asked again.
    """
    device, sound, found = JackDevice(ALONE), build("", "live"), list[tuple[int, int, int, int]]()
    host = LiveHost(sound, SettingsStore(sound.controls), device, "low latency")
    device.prepare(host.engine)
    device.start()
    probe = LoopProbe(is_insert=True)
    changes: list[Callable[[], object]] = [
        lambda: None,
        lambda: host.change_model(replace(sound, artifact="studio")),
        lambda: host.load_preset("podcast-brightener"),
    ]
    try:
        for change in changes:
            change()
            found.append(_measured(host, device, probe))
    finally:
        probe.close()
        device.stop()
    return found


def _measured(host: LiveHost, device: JackDevice, probe: LoopProbe) -> tuple[int, int, int, int]:
    patience = time.monotonic() + _PATIENCE_S
    while True:
        device.poll()
        declared, measured, counted = host.engine.latency_samples, -1, (-1, -1)
        if not host.engine.is_swapping:
            with suppress(RuntimeError):
                measured = probe.measure("highband:in_1", "highband:out_1")
            counted = capture_latency(device, probe._in.name)
        if {declared} == {measured, *counted} or time.monotonic() > patience:
            return declared, measured, *counted
        time.sleep(0.05)


def capture_latency(device: JackDevice, name: str) -> tuple[int, int]:
    """Return the range that a port's readers count on, as any client asks for it."""
    client, numbers = device._client, (ctypes.c_uint32 * 2)()
    pointer = jack_module()._ffi.cast("uintptr_t", client.get_port_by_name(name)._ptr)
    library = ctypes.CDLL(ctypes.util.find_library("jack"))
    library.jack_port_get_latency_range(ctypes.c_void_p(int(pointer)), 0, numbers)
    return numbers[0], numbers[1]


if __name__ == "__main__":
    print(json.dumps(latencies()))
