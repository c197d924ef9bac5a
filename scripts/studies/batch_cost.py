"""What a batch costs: files rendered by the command, a straight line through the times, and what a million would take.

python scripts/studies/batch_cost.py [--seconds 5] [--counts 1 10 100 1000] [--artifact live]
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import soundfile

_RATE = 44100
_MANY = 1_000_000
_CORES = (1, 16, 64)


def measure(count: int, seconds: float, artifact: str) -> float:
    """Return how long the command takes for so many files of dull noise, in one process."""
    rng = np.random.default_rng(count)
    with tempfile.TemporaryDirectory(prefix="highband-cost-") as folder:
        (Path(folder) / "in").mkdir()
        for number in range(count):
            noise = np.cumsum(rng.normal(0, 0.01, round(seconds * _RATE)))
            soundfile.write(Path(folder) / f"in/{number:06d}.wav", np.clip(noise - noise.mean(), -1, 1), _RATE)
        command = [sys.executable, "-m", "plugin_host.cli.main", "render", f"{folder}/in", "-o", f"{folder}/out"]
        began = time.monotonic()
        subprocess.run([*command, "--artifact", artifact, "--jobs", "1", "--quiet"], check=True)
        return time.monotonic() - began


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
    options = arguments.parse_args()
    seconds_each = [measure(count, options.seconds, options.artifact) for count in options.counts]
    for count, seconds in zip(options.counts, seconds_each, strict=True):
        print(f"{count:6} files of {options.seconds:g} s: {seconds:8.1f} s, {seconds / count:.3f} s a file")
    start, cost = fit(options.counts, seconds_each)
    print(f"start {start:.1f} s, {cost:.3f} s a file")
    for cores in _CORES:
        print(f"a million such files on {cores} cores: {(start + cost * _MANY / cores) / 3600:.1f} hours")


if __name__ == "__main__":
    main()
