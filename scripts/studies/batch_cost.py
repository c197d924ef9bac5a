"""What a batch costs: files rendered by the command, a straight line through the times, and what a million would take.

    python scripts/studies/batch_cost.py [--seconds 5] [--counts 1 10 100 1000] [--artifact live] [--jobs 1] [--picture]

The files are stereo. Of each batch the peak of memory of all its processes together is printed too, what they share
counted once (the sum of their PSS, asked for ten times a second): `--seconds 3600 --counts 1` is an hour.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import soundfile

_RATE = 44100
_MANY = 1_000_000
_CORES = (1, 16, 64)
_MB = 1024


def measure(count: int, seconds: float, words: Sequence[str]) -> tuple[float, float]:
    """Return how long the command takes for so many files of dull noise, and the peak of MB of its processes."""
    rng = np.random.default_rng(count)
    with tempfile.TemporaryDirectory(prefix="highband-cost-") as folder:
        for number in range(count):
            _write(Path(folder) / f"in/{number:06d}.wav", seconds, rng)
        command = [sys.executable, "-m", "plugin_host.cli.main", "render", f"{folder}/in", "-o", f"{folder}/out"]
        began = time.monotonic()
        running, peak = subprocess.Popen([*command, "--quiet", *words]), 0
        while running.poll() is None:
            peak = max(peak, sum(map(_pss, _tree(running.pid))))
            time.sleep(0.1)
        if running.returncode:
            sys.exit("the command failed")
        return time.monotonic() - began, peak / _MB


def _tree(process: int) -> Iterator[int]:
    yield process
    try:
        children = Path(f"/proc/{process}/task/{process}/children").read_text().split()
    except OSError:
        return
    for child in children:
        yield from _tree(int(child))


def _pss(process: int) -> int:
    """Return the KB that a process has, with its share of what others have too; 0 where it has ended."""
    try:
        lines = Path(f"/proc/{process}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith("Pss:")), 0)


def _write(path: Path, seconds: float, rng: np.random.Generator) -> None:
    path.parent.mkdir(exist_ok=True)
    left = round(seconds * _RATE)
    with soundfile.SoundFile(path, "w", _RATE, 2, "PCM_24") as file:
        while left > 0:
            noise = np.cumsum(rng.normal(0, 0.01, (min(left, 30 * _RATE), 2)), axis=0)
            file.write(np.clip(noise - noise.mean(axis=0), -1, 1))
            left -= len(noise)


def fit(counts: Sequence[int], seconds_each: Sequence[float]) -> tuple[float, float]:
    """Return start and cost a file in seconds, by least squares of relative errors."""
    weights = 1 / np.array(seconds_each)
    columns = np.stack([np.ones(len(counts)), np.array(counts, float)], axis=1)
    start, cost = np.linalg.lstsq(columns * weights[:, None], np.ones(len(counts)), rcond=None)[0]
    return float(start), float(cost)


def main() -> None:
    """Print the table and the fit."""
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--seconds", type=float, default=5.0)
    arguments.add_argument("--counts", type=int, nargs="+", default=[1, 10, 100, 1000])
    arguments.add_argument("--artifact", default="live")
    arguments.add_argument("--jobs", default="1")
    arguments.add_argument("--picture", action="store_true")
    options = arguments.parse_args()
    words = ["--artifact", options.artifact, "--jobs", options.jobs, *(["--picture"] if options.picture else [])]
    costs = [measure(count, options.seconds, words) for count in options.counts]
    seconds_each = [seconds for seconds, _ in costs]
    for count, (seconds, peak) in zip(options.counts, costs, strict=True):
        print(
            f"{count:6} files of {options.seconds:g} s: {seconds:8.1f} s, {seconds / count:.3f} s a file, {peak:.0f} MB"
        )
    if len(costs) == 1:
        return
    start, cost = fit(options.counts, seconds_each)
    print(f"start {start:.1f} s, {cost:.3f} s a file")
    for cores in _CORES:
        print(f"a million such files on {cores} cores: {(start + cost * _MANY / cores) / 3600:.1f} hours")


if __name__ == "__main__":
    main()
