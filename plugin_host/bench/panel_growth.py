"""Whether an open page grows: its heap and the memory of the panel's and the host's process, read at intervals."""

from __future__ import annotations

import itertools
import json
import os
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from plugin_host.bench.panel import PATIENCE_S, Plan, debugged, find_browser, pages, playing
from plugin_host.metering.memory import resident_bytes

_EVERY_S = 20.0
# What a page loads and what compilers keep is there by then.
_SETTLING_S = 60.0
Sample = tuple[float, dict[str, float]]


def bench(plan: Plan, minutes: float) -> None:
    """Hold pages open for so long, and print what each grew by in an hour; raises ValueError with one sentence."""
    browser, samples = find_browser(), list[Sample]()
    with playing(plan) as (_, control), pages(control.address, plan.pages, browser) as (profiles, panel):
        time.sleep(_SETTLING_S)
        begin = time.monotonic()
        while (at := time.monotonic() - begin) < 60.0 * minutes:
            held = {f"heap of page {i + 1}": heap_bytes(one) / 2**20 for i, one in enumerate(profiles)}
            held |= {"panel's process": resident_bytes(panel) / 2**20, "host": resident_bytes(os.getpid()) / 2**20}
            samples.append((at, held))
            time.sleep(_EVERY_S)
    table = Table("what", "at first", "at last", "grows in an hour")
    for name, slope in slopes(samples).items():
        table.add_row(name, *(f"{held[name]:.1f} MiB" for _, held in (samples[0], samples[-1])), f"{slope:+.1f} MiB")
    Console(highlight=False).print(table)


def slopes(samples: Sequence[tuple[float, Mapping[str, float]]]) -> dict[str, float]:
    """Return by how much each figure rises in an hour, by least squares, from at least two times in seconds."""
    hours = np.array([at / 3600.0 for at, _ in samples])
    return {name: float(np.polyfit(hours, [held[name] for _, held in samples], 1)[0]) for name in samples[0][1]}


def heap_bytes(profile: Path) -> float:
    """Return what the heap of a browser's page holds once its garbage is collected."""
    from websockets.sync.client import connect

    with connect(debugged(profile)["webSocketDebuggerUrl"], max_size=None, open_timeout=PATIENCE_S) as line:
        numbers = itertools.count(1)
        for method in ("HeapProfiler.enable", "HeapProfiler.collectGarbage", "Runtime.getHeapUsage"):
            number = next(numbers)
            line.send(json.dumps({"id": number, "method": method}))
            while (reply := json.loads(line.recv())).get("id") != number:
                pass
    return float(reply["result"]["usedSize"])
