"""A JACK server of our own; it always ends so that its place among the machine's eight is free again."""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.plugin_host.live_program import wait_for

# One name for every run, so that one that was cut off leaves at most one entry in JACK's list behind.
NAME = "highband-test"
PERIOD = 256


class Server:
    """A server under the tests' name, with a dummy card at 48 kHz."""

    name = NAME

    def __init__(self) -> None:
        self.process: subprocess.Popen[bytes] | None = None

    def start(self, period: int = PERIOD) -> None:
        def is_up() -> bool:
            # One that follows a killed one may find its memory not yet cleared and give up.
            if self.process is None or self.process.poll() is not None:
                words = ["jackd", "--no-realtime", "-n", self.name, "-d", "dummy", "-r", "48000", "-p", str(period)]
                self.process = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            return bool(self.ports()) and self.process.poll() is None

        wait_for(is_up)

    def stop(self, number: signal.Signals = signal.SIGTERM) -> None:
        if self.process is not None:
            self.process.send_signal(number)
            self.process.wait(10.0)
            self.process = None

    def leave(self) -> None:
        """End so that its name is free again: a machine has room for eight, and a killed one keeps its place."""
        if self.process is None:
            self.start()
        self.stop()

    def ports(self) -> list[str]:
        listed = subprocess.run(["jack_lsp", "-s", self.name], capture_output=True, text=True, check=False)
        return listed.stdout.split() if listed.returncode == 0 else []

    def wires(self) -> str:
        return subprocess.run(["jack_lsp", "-s", self.name, "-c"], capture_output=True, text=True, check=False).stdout


@contextmanager
def served() -> Iterator[Server]:
    """Run a server; two runs of the tests on one machine take turns."""
    with (Path(tempfile.gettempdir()) / f"{NAME}-{os.getuid()}.lock").open("w") as turn:
        fcntl.flock(turn, fcntl.LOCK_EX)
        made = Server()
        try:
            made.start()
            yield made
        finally:
            made.leave()
