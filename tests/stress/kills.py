"""Kill a batch, and its workers, by SIGKILL at random moments, again and again, then finish it and judge what is there.

    python -m tests.stress.kills [--files 500] [--kills 20] [--jobs 2] [--seed 1]

The law: every output exactly once, none damaged, none partial, and a journal that agrees.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile

from plugin_host.chain.file_program import Sound
from plugin_host.render.batch.journal import JOURNAL_NAME, Journal
from tests.plugin_host.stages import Delay

# What the command is without a second of loading a model: a stage that does nothing, slowly.
_PROGRAM = """
import sys
from functools import partial
from pathlib import Path
from plugin_host.render.batch.batch import Batch, journal_path
from plugin_host.render.batch.journal import Journal
from plugin_host.render.batch.plan import plan
from plugin_host.render.batch.workers import Workers
from tests.stress.kills import sound

if __name__ == "__main__":
    folder, jobs = Path(sys.argv[1]), int(sys.argv[2])
    with Journal(journal_path(folder / "out")) as journal:
        batch = Batch(sound(), journal, Workers(jobs, sound))
        for outcome in batch.run(plan([str(folder / "in")], folder / "out")):
            if outcome.fault:
                print(outcome.fault)
"""


def sound() -> Sound:
    """Return a stage that delays; tests import it in other processes."""
    return Sound(lambda: Delay(100), {}, "live", "", {})


@dataclass(frozen=True)
class Verdict:
    """What was found after the last run.

    Attributes:
        kills: Of the command and of workers.
        missing, damaged, partial: Names of outputs that are not there, that differ from an undisturbed render, and of
            other files that were left.
        journal: Outputs that the journal has as done.
        printed: What the last run printed.
    """

    kills: tuple[int, int]
    missing: list[str]
    damaged: list[str]
    partial: list[str]
    journal: int
    printed: str

    def report(self, files: int) -> None:
        """Print it; exit status 1 where the law is broken."""
        command, workers = self.kills
        print(f"{files} files, the command killed {command} times and workers {workers} times")
        print(f"missing {len(self.missing)}, damaged {len(self.damaged)}, left over {self.partial}")
        print(f"the journal has {self.journal} as done")
        if self.missing or self.damaged or self.partial or self.journal != files or self.printed:
            print(self.printed)
            sys.exit(1)


def write_inputs(folder: Path, files: int, seed: int) -> None:
    """Write short files, a few of them longer, in nested folders."""
    rng = np.random.default_rng(seed)
    for number in range(files):
        path = folder / f"{number % 7}" / f"{number:04d}.wav"
        path.parent.mkdir(parents=True, exist_ok=True)
        frames = 480_000 if number % 25 == 0 else int(rng.integers(100, 48_000))
        soundfile.write(path, rng.uniform(-0.5, 0.5, frames), 48000)


def run(folder: Path, *, files: int, kills: int, jobs: int, seed: int, longest_s: float = 5.0) -> Verdict:
    """Render files with kills at random moments, finish, and judge.

    Args:
        folder: Takes the files.
        files: How many.
        kills: How often something is killed, every second time the command and else a worker of it.
        jobs: Workers.
        seed: Of moments and files.
        longest_s: Between two kills.
    """
    write_inputs(folder / "in", files, seed)
    chance, counts = random.Random(seed), [0, 0]
    running = _start(folder, jobs)
    while sum(counts) < kills:
        time.sleep(chance.uniform(0.3, longest_s))
        if running.poll() is not None:
            # It had come to its end; what is done is thrown away in part, so that there is work again.
            for path in sorted((folder / "out").rglob("*.wav"))[::2]:
                path.unlink()
            running.communicate()
            running = _start(folder, jobs)
            continue
        workers = _workers(running.pid)
        if sum(counts) % 2:
            if not workers:
                continue
            os.kill(chance.choice(workers), signal.SIGKILL)
            counts[1] += 1
        else:
            running.kill()
            running.communicate()
            counts[0] += 1
            running = _start(folder, jobs)
    running.kill()
    running.communicate()
    last = _start(folder, jobs)
    printed = last.communicate()[0]
    return _judge(folder, (counts[0], counts[1]), printed)


def _start(folder: Path, jobs: int) -> subprocess.Popen[str]:
    return start_program(_program(folder), str(folder), str(jobs))


def start_program(program: Path, *words: str) -> subprocess.Popen[str]:
    """Start a program that imports what is tested."""
    command = [sys.executable, str(program), *words]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=_environment())


def _program(folder: Path) -> Path:
    path = folder / "command.py"
    if not path.exists():
        path.write_text(_PROGRAM)
    return path


def _environment() -> dict[str, str]:
    root = str(Path(__file__).resolve().parents[2])
    return {**os.environ, "PYTHONPATH": os.pathsep.join([root, os.environ.get("PYTHONPATH", "")])}


def _workers(process: int) -> list[int]:
    """Return the processes that are copies of the one that a command keeps for that."""
    return [copy for child in _children(process) if _is_copied(child) for copy in _children(child)]


def _children(process: int) -> list[int]:
    try:
        return [int(word) for word in Path(f"/proc/{process}/task/{process}/children").read_text().split()]
    except OSError:
        return []


def _is_copied(process: int) -> bool:
    try:
        return b"multiprocessing.forkserver" in Path(f"/proc/{process}/cmdline").read_bytes()
    except OSError:
        return False


def _judge(folder: Path, kills: tuple[int, int], printed: str) -> Verdict:
    missing, damaged = [], []
    inputs = sorted((folder / "in").rglob("*.wav"))
    for path in inputs:
        output = folder / "out" / path.relative_to(folder / "in")
        if not output.exists():
            missing.append(output.name)
        elif not same_sound(output, path):
            damaged.append(output.name)
    expected = {path.relative_to(folder / "in") for path in inputs} | {Path(JOURNAL_NAME)}
    found = {path.relative_to(folder / "out") for path in (folder / "out").rglob("*") if not path.is_dir()}
    hidden = [str(path) for path in (folder / "out").rglob(".highband-*") if path.is_dir()]
    with Journal(folder / "out" / JOURNAL_NAME) as journal:
        done = sum(row["state"] == "done" for row in journal.rows())
    return Verdict(kills, missing, damaged, sorted(map(str, found - expected)) + hidden, done, printed)


def same_sound(one: Path, other: Path) -> bool:
    """Return whether two files hold the same samples."""
    return np.array_equal(soundfile.read(one, dtype="int16")[0], soundfile.read(other, dtype="int16")[0])


def main(run: Callable[..., Verdict] = run, description: str = __doc__ or "", **defaults: int) -> None:
    """Run the long form and print what was found; exit status 1 where the law is broken.

    Args:
        run: What kills and judges.
        description: For --help.
        defaults: Of its options, beside files, kills and seed.
    """
    arguments = argparse.ArgumentParser(description=description.splitlines()[0])
    for name, default in {"files": 500, "kills": 20, "seed": 1, **defaults}.items():
        arguments.add_argument(f"--{name}", type=int, default=default)
    options = arguments.parse_args()
    with tempfile.TemporaryDirectory(prefix="highband-kills-") as folder:
        run(Path(folder), **vars(options)).report(options.files)


if __name__ == "__main__":
    main(jobs=2)
