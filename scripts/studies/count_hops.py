"""Count the calls of Highband's own functions that one block of a live session makes, and the files they lie in.

    python scripts/studies/count_hops.py [--preset dull-vocal] [--artifact live] [--block 128] [--list]

A profiler sees every Python function and every compiled kernel that Python calls; what a kernel calls inside itself
costs next to nothing and is not counted (two more searches for NaN lie there, in the extender). The engine plays noise
below a fixed crossover, as `highband bench live` does. Blocks differ: one that begins a hop has more to do, and once in
a while a delay line moves to its front. `--list` shows each function of the busiest block with its calls.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

import numpy as np

from dsp.compile import BoundKernel
from plugin_host.chain.program import build
from plugin_host.engine.engine import Engine
from plugin_host.settings.store import SettingsStore

ROOT = Path(__file__).resolve().parents[2]
FLOORS = ("dsp", "models", "plugin_host", "presets")
RATE, CHANNELS = 48000, 2
CROSSOVER_HZ = 6000.0
SETTLING_BLOCKS, COUNTED_BLOCKS = 400, 40
# Functions that look at every sample of a block for NaN and Inf.
SEARCHES = ("is_finite", "_write_finite")


def main() -> None:
    """Play, count and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--preset", default="", help="name or path; by default the extender alone")
    parser.add_argument("--artifact", default="live")
    parser.add_argument("--block", type=int, default=128, help="samples")
    parser.add_argument("--list", action="store_true", help="show each function")
    options = parser.parse_args()
    blocks = sorted(counted(engine(options.preset, options.artifact, options.block), options.block), key=Counter.total)
    busiest = blocks[-1]
    for name, calls in (("least", blocks[0]), ("median", blocks[len(blocks) // 2]), ("most", busiest)):
        print(f"{name:6} {summary(calls)}")
    if options.list:
        for code, count in sorted(busiest.items(), key=lambda row: (place(row[0]), row[0].co_firstlineno)):
            print(f"  {count} {place(code)}:{code.co_firstlineno} {code.co_qualname}")


def engine(preset: str, artifact: str, block: int) -> Engine:
    """Return a prepared engine that generates all the time."""
    sound = build(preset, artifact)
    store = SettingsStore(sound.controls)
    store.load({**sound.preset.settings, "crossover": CROSSOVER_HZ}, "count")
    played = Engine(sound.chain, store)
    played.prepare(RATE, CHANNELS, block)
    return played


def counted(played: Engine, block: int) -> list[Counter[CodeType]]:
    """Return the calls of each of a few blocks, after so many that everything has settled."""
    sound = 0.1 * np.random.default_rng(1).standard_normal((block, CHANNELS)).astype(np.float32)
    out = np.empty_like(sound)
    for _ in range(SETTLING_BLOCKS):
        played.callback(sound, out)
    blocks = []
    for _ in range(COUNTED_BLOCKS):
        with counting() as calls:
            played.callback(sound, out)
        blocks.append(calls)
    return blocks


@contextmanager
def counting() -> Iterator[Counter[CodeType]]:
    """Count the calls of this project's functions on this thread."""
    calls: Counter[CodeType] = Counter()
    bound: dict[object, CodeType] = {one.call: one.function.py_func.__code__ for one in bound_kernels()}

    def note(frame: FrameType, event: str, function: object) -> None:
        if event == "call" and is_ours(frame.f_code):
            calls[frame.f_code] += 1
        elif event == "c_call" and function in bound:
            calls[bound[function]] += 1

    sys.setprofile(note)
    try:
        yield calls
    finally:
        sys.setprofile(None)


def bound_kernels() -> list[BoundKernel[Any]]:
    """Return the kernels that are called without numba's look at their arguments."""
    values = [value for module in list(sys.modules.values()) for value in list(vars(module).values())]
    return [value for value in values if type(value) is BoundKernel]


def is_ours(code: CodeType) -> bool:
    """Return whether a function lies in one of the project's packages."""
    path = Path(code.co_filename)
    return path.is_relative_to(ROOT) and path.relative_to(ROOT).parts[0] in FLOORS


def place(code: CodeType) -> str:
    """Return a function's file, from the project's root."""
    return Path(code.co_filename).relative_to(ROOT).as_posix()


def summary(calls: Counter[CodeType]) -> str:
    """Return the figures of a block as a line."""
    files = {place(code) for code in calls}
    searches = sum(count for code, count in calls.items() if code.co_name in SEARCHES)
    return f"{calls.total()} calls through {len(files)} files, {searches} searches for NaN"


if __name__ == "__main__":
    main()
