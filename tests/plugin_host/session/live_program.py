"""Starts `highband live` as a process of its own, and always ends it."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parents[3]
PROGRAM = [sys.executable, str(Path(__file__).with_name("highband_live_with_a_delay.py"))]
# The control port is one for the whole machine, where other hosts may run.
LIVE = [*PROGRAM, "live", "--control", "off"]
PRODUCT = [sys.executable, "-m", "plugin_host.cli.main"]
STRESS = [sys.executable, "-m", "tests.stress"]


def environment(home: Path, **more: str) -> dict[str, str]:
    """Keep the user's own session out of it."""
    own = dict.fromkeys(("HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME"), str(home))
    return {**os.environ, **own, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", **more}


@contextmanager
def running(command: list[str], folder: Path, **more: str) -> Iterator[subprocess.Popen[str]]:
    program = subprocess.Popen(
        command, cwd=folder, env=environment(folder, **more), text=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    try:
        yield program
    finally:
        program.kill()
        program.communicate()


def wait_for(is_so: Callable[[], bool], seconds: float = 60.0) -> None:
    patience = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < patience, "it did not happen in time"
        time.sleep(0.05)
