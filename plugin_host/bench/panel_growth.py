"""Whether an open page grows: its heap and the memory of the panel's and the host's process, read at intervals."""

from __future__ import annotations

import itertools
import json
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from plugin_host.bench.panel import PATIENCE_S, Plan, debugged, find_browser, pages, playing
from plugin_host.metering.memory import resident_bytes

_EVERY_S = 20.0
# What a page loads and what compilers keep is there by then.
_SETTLING_S = 60.0
_COUNTED = ("nodes", "listeners")
Sample = tuple[float, dict[str, float]]


def bench(plan: Plan, minutes: float) -> None:
    """Hold pages open for so long, and print what each grew by in an hour; raises ValueError with one sentence."""
    browser, samples = find_browser(), list[Sample]()
    with (
        playing(plan) as (host, control),
        pages(control.address, plan.pages, browser) as (profiles, panel),
        ExitStack() as lines,
    ):
        # One line to each for all of the time: connecting again and again would grow the process that is measured.
        readers = [lines.enter_context(reader(profile)) for profile in profiles]
        time.sleep(_SETTLING_S)
        begin = time.monotonic()
        while (at := time.monotonic() - begin) < 60.0 * minutes:
            held = {f"{what} of page {i + 1}": of for i, read in enumerate(readers) for what, of in read().items()}
            held |= {"panel's process": resident_bytes(panel) / 2**20, "host": resident_bytes(os.getpid()) / 2**20}
            samples.append((at, held))
            for _ in range(int(_EVERY_S)):
                # What the main thread of a session does.
                host.measure()
                time.sleep(1.0)
    table = Table("what", "at first", "at last", "grows in an hour")
    for name, slope in slopes(samples).items():
        unit = "" if name.startswith(_COUNTED) else " MiB"
        at_first, at_last = (f"{held[name]:.{1 if unit else 0}f}{unit}" for _, held in (samples[0], samples[-1]))
        table.add_row(name, at_first, at_last, f"{slope:+.1f}{unit}")
    Console(highlight=False).print(table)


def slopes(samples: Sequence[tuple[float, Mapping[str, float]]]) -> dict[str, float]:
    """Return by how much each figure rises in an hour, by least squares, from at least two times in seconds."""
    hours = np.array([at / 3600.0 for at, _ in samples])
    return {name: float(np.polyfit(hours, [held[name] for _, held in samples], 1)[0]) for name in samples[0][1]}


@contextmanager
def reader(profile: Path) -> Iterator[Callable[[], dict[str, float]]]:
    """Give what reads a browser's page: its heap in MiB, nodes and event listeners, once its garbage is collected."""
    from websockets.sync.client import connect

    numbers = itertools.count()
    with connect(debugged(profile)["webSocketDebuggerUrl"], max_size=None, open_timeout=PATIENCE_S) as line:

        def ask(method: str) -> dict[str, float]:
            number = next(numbers)
            line.send(json.dumps({"id": number, "method": method}))
            while (reply := json.loads(line.recv())).get("id") != number:
                pass
            return dict(reply["result"])

        def read() -> dict[str, float]:
            ask("HeapProfiler.collectGarbage")
            counts = ask("Memory.getDOMCounters")
            heap = ask("Runtime.getHeapUsage")["usedSize"] / 2**20
            return {"heap": heap, "nodes": counts["nodes"], "listeners": counts["jsEventListeners"]}

        ask("HeapProfiler.enable")
        yield read
