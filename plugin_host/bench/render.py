"""The bench of rendering: how fast, in how much memory, and how soon the first file is done."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile
from rich.console import Console
from rich.table import Table

RATE = 48000
_EDGE_HZ = 5000.0
_MEGABYTE = 1024


@dataclass(frozen=True)
class Row:
    """One render in a process of its own.

    Attributes:
        artifact, minutes, channels: What was rendered with what.
        wall_s, processor_s: From the start of the command to its end; the processor's time of it.
        peak_mb: Most resident memory.
    """

    artifact: str
    minutes: float
    channels: int
    wall_s: float
    processor_s: float
    peak_mb: float

    @property
    def times_real_time(self) -> float:
        """Seconds of sound for a second of processor, all channels and the start-up included."""
        return 60 * self.minutes / self.processor_s


def write_dull(path: Path, minutes: float, channels: int) -> None:
    """Write band-limited noise with a changing level, as a 16-bit WAV at 48 kHz, a second at a time."""
    rng = np.random.default_rng(1)
    with soundfile.SoundFile(path, "w", RATE, channels, "PCM_16") as file:
        for second in range(round(60 * minutes)):
            spectrum = np.fft.rfft(rng.standard_normal((RATE, channels)), axis=0)
            spectrum[round(_EDGE_HZ) :] = 0
            level = 0.05 * (1.1 + np.sin(second))
            file.write(np.clip(level * np.fft.irfft(spectrum, axis=0), -1, 1).astype(np.float32))


def measure(source: Path, artifact: str, minutes: float, channels: int) -> Row:
    """Render a file by the command line in a process of its own and return its cost."""
    target = source.with_name(f"{source.stem}-{artifact.replace('/', '-')}.out.wav")
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    began = time.monotonic()
    probe = (
        "import resource, sys\n"
        "from plugin_host.cli.main import main\n"
        "try:\n    main()\n"
        "finally:\n    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, file=sys.stderr)\n"
    )
    command = [sys.executable, "-P", "-c", probe, "render", str(source), "-o", str(target), "-a", artifact, "--quiet"]
    answer = subprocess.run(command, capture_output=True, text=True, check=False, env=_one_thread())
    wall = time.monotonic() - began
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if not target.exists():
        raise ValueError(f"the render of {source.name} failed: {answer.stderr.strip()}")
    target.unlink()
    spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Row(artifact, minutes, channels, wall, spent, float(answer.stderr.split()[-1]) / _MEGABYTE)


def _one_thread() -> dict[str, str]:
    return {**os.environ, "OMP_NUM_THREADS": "1"}


def bench(artifacts: Sequence[str], minutes: float, console: Console) -> list[Row]:
    """Measure each artifact on a short mono file and on a long stereo one, and print the table."""
    rows = []
    with tempfile.TemporaryDirectory(prefix="highband-bench-") as folder:
        for length, channels in ((1 / 60, 1), (2.0, 1), (minutes, 2)):
            source = Path(folder) / f"dull-{channels}-{length:.3f}.wav"
            write_dull(source, length, channels)
            rows += [measure(source, artifact, length, channels) for artifact in artifacts]
            source.unlink()
    console.print(table(rows))
    return rows


def table(rows: Sequence[Row]) -> Table:
    """Return the rows as a table for people."""
    drawn = Table("artifact", "sound", "channels", "whole command", "processor", "x real time", "peak memory")
    for row in rows:
        sound = f"{60 * row.minutes:.0f} s" if row.minutes < 1 else f"{row.minutes:g} min"
        drawn.add_row(
            row.artifact, sound, str(row.channels), f"{row.wall_s:.1f} s", f"{row.processor_s:.1f} s",
            f"{row.times_real_time:.0f}", f"{row.peak_mb:.0f} MB",
        )  # fmt: skip
    return drawn
