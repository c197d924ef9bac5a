"""Compare two checkouts in one run, in turns: the processor's time and the memory that `highband render` takes.

    python scripts/studies/compare_speed.py OLD NEW [--seconds 5 1200] [--artifact live studio] [--times 7]

OLD and NEW are folders of checkouts that share this Python's environment. Noise below 5 kHz, stereo at 48 kHz, is
rendered by each in a process of its own, one thread, in turns. Medians: seconds of the processor for the shortest file
(start-up and little more), milliseconds for each second of sound beyond it, most resident memory. The first render of
each checkout compiles its kernels and does not count.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

from plugin_host.bench.render import write_dull

# Where the command line lies, the newest place first.
_PLACES = ("plugin_host.cli.main", "plugin_host.cli")
_MEGABYTE = 1024


class Cost(NamedTuple):
    """What a render took: seconds of the processor, most resident memory in MB."""

    processor_s: float
    peak_mb: float


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("trees", nargs=2, type=Path, metavar="CHECKOUT")
    parser.add_argument("--seconds", nargs="+", type=int, default=[5, 1200])
    parser.add_argument("--artifact", nargs="+", default=["live", "studio"])
    parser.add_argument("--times", type=int, default=7)
    wishes = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for seconds in wishes.seconds:
            write_dull(folder / f"{seconds}.wav", seconds / 60, 2)
        for artifact in wishes.artifact:
            compare(folder, artifact, wishes.trees, sorted(wishes.seconds), wishes.times)


def compare(folder: Path, artifact: str, trees: list[Path], lengths: list[int], times: int) -> None:
    """Print the medians of one artifact, a line for each checkout."""
    for tree in trees:
        render(tree, folder / f"{lengths[0]}.wav", artifact)
    costs: dict[tuple[Path, int], list[Cost]] = {(tree, length): [] for tree in trees for length in lengths}
    for _ in range(times):
        for length in lengths:
            for tree in trees:
                costs[tree, length].append(render(tree, folder / f"{length}.wav", artifact))
    for tree in trees:
        first, last = ([cost.processor_s for cost in costs[tree, length]] for length in (lengths[0], lengths[-1]))
        peak = max(cost.peak_mb for length in lengths for cost in costs[tree, length])
        line = f"{artifact:8} {tree.name:8} {lengths[0]} s: {statistics.median(first):.2f} s of the processor"
        if len(lengths) > 1:
            more = (statistics.median(last) - statistics.median(first)) / (lengths[-1] - lengths[0])
            line += f", {1000 * more:.1f} ms for a second of sound"
        print(f"{line}, at most {peak:.0f} MB", flush=True)


def render(tree: Path, source: Path, artifact: str) -> Cost:
    """Render a file by a checkout's command line in a process of its own; raise RuntimeError where it fails."""
    place = next(one for one in _PLACES if (tree / f"{one.replace('.', '/')}.py").is_file())
    program = f"from {place} import main; main()"
    target = source.with_name("out.wav")
    words = ["render", str(source), "-o", str(target), "--overwrite", "--artifact", artifact, "--quiet"]
    environment = {**os.environ, "PYTHONPATH": str(tree), "OMP_NUM_THREADS": "1"}
    process = subprocess.Popen(
        [sys.executable, "-c", program, *words], env=environment, stdout=subprocess.DEVNULL, cwd=source.parent
    )
    _, status, usage = os.wait4(process.pid, 0)
    if status != 0:
        raise RuntimeError(f"{tree} does not render {source.name}: see what it says above")
    return Cost(usage.ru_utime + usage.ru_stime, usage.ru_maxrss / _MEGABYTE)


if __name__ == "__main__":
    main()
