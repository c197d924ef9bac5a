"""Render a folder as an engineer drops it: files of all formats, nested, with umlauts, one broken, one of 20 minutes.

    python -m tests.stress.mixed_folder RECORDINGS [--files 60] [--long 1200] [--seconds 20] [--repeats 1]

RECORDINGS holds WAV and FLAC files; the folder is made of them. It is rendered with 1, 2 and 3 jobs, in turns, and once
more with a kill on the way. The law: every file is rendered or named, and all outputs have the same bits. Printed are
the times of each, how many times one job two are, and how many times two commands of one job each, side by side, are:
no way to share the work is faster on this machine.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import soundfile

from plugin_host.files.audio_reader import AudioReader
from plugin_host.files.audio_writer import AudioWriter
from plugin_host.files.resample import resampled

# Suffix, format and subtype for libsndfile; where those are None, what the product itself writes.
_KINDS: tuple[tuple[str, str | None, str | None], ...] = (
    (".wav", "WAV", "PCM_16"), (".flac", "FLAC", "PCM_24"), (".mp3", None, None), (".aiff", "AIFF", "PCM_24"),
    (".m4a", None, None), (".wav", "WAVEX", "FLOAT"), (".ogg", "OGG", "VORBIS"), (".opus", None, None),
    (".w64", "W64", "PCM_24"), (".caf", "CAF", "PCM_16"), (".wav", "RF64", "PCM_24"), (".au", "AU", "PCM_16"),
    (".wav", "WAV", "ULAW"),
)  # fmt: skip
_NAMES = ("Sängerin", "Trommel (laut)", "東京 take", "bass'n'$1", "Flöte 100%", "01 - Intro")
_FOLDERS = ("", "Stimmen", "Stimmen/Chöre", "drums & bass/take 2")
_RATES = (44100, 48000, 96000, 16000, 22050)
_BLOCK = 1 << 16


@dataclass
class Law:
    """What was found.

    Attributes:
        faults: One sentence for each breach.
        seconds: Of wall clock, by the number of jobs.
        side_by_side: Of two commands of one job each that render the folder at once.
    """

    faults: list[str] = field(default_factory=list)
    seconds: dict[int, list[float]] = field(default_factory=dict)
    side_by_side: list[float] = field(default_factory=list)


def fill(folder: Path, recordings: Path, files: int, seconds: float, long_s: float) -> tuple[set[str], str]:
    """Write the files; return their paths below the folder, and that of the one that can't be read."""
    sources = sorted(path for path in recordings.rglob("*") if path.suffix in (".wav", ".flac"))
    chosen = np.random.default_rng(60).permutation(len(sources))
    written = set()
    for number in range(files - 1):
        suffix, container, coding = _KINDS[number % len(_KINDS)]
        length_s = long_s if number == 1 else seconds * (0.5 + number % 5 / 4)
        rate = 48000 if container in (None, "OGG") else _RATES[number % len(_RATES)]
        path = folder / _FOLDERS[number % len(_FOLDERS)] / f"{_NAMES[number % len(_NAMES)]} {number}{suffix}"
        path.parent.mkdir(parents=True, exist_ok=True)
        sound = _endless([sources[chosen[(number + step) % len(sources)]] for step in range(40)], rate, 1 + number % 2)
        _write(path, container, coding, rate, 1 + number % 2, round(length_s * rate), sound)
        written.add(str(path.relative_to(folder)))
    broken = folder / "Stimmen" / "kaputt.wav"
    broken.write_bytes(b"RIFF\x24\x00\x00\x00WAVEfmt ")
    return written | {"Stimmen/kaputt.wav"}, "Stimmen/kaputt.wav"


def _endless(sources: list[Path], rate: int, channels: int) -> Iterator[np.ndarray[Any, np.dtype[np.float32]]]:
    while True:
        for source in sources:
            with AudioReader(source) as reader:
                for block in resampled(reader.blocks(), reader.rate, rate, reader.channels):
                    yield np.repeat(block[:1], channels, axis=0)


def _write(
    path: Path, container: str | None, coding: str | None, rate: int, channels: int, frames: int, sound: Iterator[Any]
) -> None:
    file: Any = (
        AudioWriter(path, rate, channels, "16", frames)
        if container is None
        else soundfile.SoundFile(path, "w", rate, channels, coding, format=container)
    )
    with file:
        left = frames
        while left > 0:
            block = next(sound)[:, :left]
            left -= block.shape[1]
            file.write(block if container is None else block.T)


def render(
    folder: Path, output: Path, jobs: int, artifact: str, kill_after_s: float | None = None
) -> list[dict[str, Any]]:
    """Run the command; return what it printed, one object a line."""
    command = [sys.executable, "-m", "plugin_host.cli.main", "render", str(folder), "-o", str(output)]
    words = ["--artifact", artifact, "--jobs", str(jobs), "--json"]
    with subprocess.Popen([*command, *words], stdout=subprocess.PIPE, text=True) as running:
        if kill_after_s is not None:
            time.sleep(kill_after_s)
            running.kill()
        printed, _ = running.communicate()
    return [json.loads(line) for line in printed.splitlines() if line.endswith("}")]


def _judge(inputs: Path, names: set[str], broken: str, lines: list[dict[str, Any]], law: Law) -> None:
    ends = {line["file"]: line for line in lines if "target" in line or "fault" in line}
    for name in sorted(names):
        end = ends.get(str(inputs / name))
        if end is None:
            law.faults.append(f"{name} is not accounted for")
        elif ("fault" in end) != (name == broken):
            law.faults.append(f"{name} ended as {end}")
    law.faults += [f"{name} was not in the folder" for name in ends if name not in {str(inputs / one) for one in names}]


def _digests(output: Path) -> dict[str, str]:
    paths = (path for path in output.rglob("*") if path.is_file() and not path.name.startswith("."))
    return {str(path.relative_to(output)): hashlib.sha256(path.read_bytes()).hexdigest() for path in paths}


def run(
    folder: Path, recordings: Path, *, files: int, seconds: float, long_s: float, repeats: int, artifact: str
) -> Law:
    """Make the folder, render it in all ways, and judge."""
    law, inputs = Law(), folder / "in"
    names, broken = fill(inputs, recordings, files, seconds, long_s)
    first: dict[str, str] = {}
    for turn in range(repeats):
        for jobs in (1, 2, 3) if turn == 0 else (1, 2):
            output = folder / f"out {jobs} {turn}"
            began = time.monotonic()
            lines = render(inputs, output, jobs, artifact)
            law.seconds.setdefault(jobs, []).append(time.monotonic() - began)
            _judge(inputs, names, broken, lines, law)
            first = first or _digests(output)
            law.faults += [f"{jobs} jobs give other bits than one"] * (_digests(output) != first)
        began = time.monotonic()
        with ThreadPoolExecutor(2) as both:
            list(both.map(lambda name: render(inputs, folder / name, 1, artifact), (f"one {turn}", f"other {turn}")))
        law.side_by_side.append(time.monotonic() - began)
    output = folder / "out resumed"
    render(inputs, output, 2, artifact, kill_after_s=0.5 * law.seconds[2][0])
    _judge(inputs, names, broken, render(inputs, output, 2, artifact), law)
    law.faults += ["a render that was killed and gone on with gives other bits"] * (_digests(output) != first)
    law.faults += [f"{len(first)} outputs of {files - 1} files"] * (len(first) != files - 1)
    return law


def main() -> None:
    """Print what was found; exit status 1 where the law is broken."""
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("recordings", type=Path)
    for name, default in (("files", 60), ("repeats", 1)):
        arguments.add_argument(f"--{name}", type=int, default=default)
    arguments.add_argument("--seconds", type=float, default=20.0, help="Of a usual file.")
    arguments.add_argument("--long", dest="long_s", type=float, default=1200.0, help="Seconds of the long one.")
    arguments.add_argument("--artifact", default="live")
    options = arguments.parse_args()
    with tempfile.TemporaryDirectory(prefix="highband-folder-") as folder:
        law = run(Path(folder), **vars(options))
    for jobs, seconds in law.seconds.items():
        print(f"{jobs} jobs: {', '.join(f'{one:.1f}' for one in seconds)} s")
    one = median(law.seconds[1])
    print(f"two jobs are {one / median(law.seconds[2]):.2f} times one", end=", ")
    print(f"two commands side by side {2 * one / median(law.side_by_side):.2f} times one")
    for fault in law.faults:
        print(fault)
    sys.exit(bool(law.faults))


if __name__ == "__main__":
    main()
