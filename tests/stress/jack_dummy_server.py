"""A JACK server of one's own with a card that is none, which can be killed and started again."""

from __future__ import annotations

import fcntl
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

# One name for every run of the tests, so that one that was cut off leaves at most one entry in JACK's list behind.
NAME = "highband-test"
PERIOD = 256
_PATIENCE_S = 30.0
_LOOK_S = 0.05


def has_programs() -> bool:
    """Whether the programs that it needs are installed."""
    return all(map(shutil.which, ("jackd", "jack_lsp")))


class DummyServer:
    """A server under a name of its own, paced by the clock.

    Args:
        name: Clients find it by the environment's JACK_DEFAULT_SERVER.

    Attributes:
        name: The same.
        process: The server, or None.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.process: subprocess.Popen[bytes] | None = None

    def start(self, period: int = PERIOD, rate: int = 48000) -> None:
        """Start it and wait until it answers; raise TimeoutError if it does not."""
        patience = time.monotonic() + _PATIENCE_S
        while True:
            # One that follows a killed one may find its memory not yet cleared and give up.
            if self.process is None or self.process.poll() is not None:
                words = ["jackd", "--no-realtime", "-n", self.name, "-d", "dummy", "-r", str(rate), "-p", str(period)]
                self.process = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            if self.ports() and self.process.poll() is None:
                return
            if time.monotonic() > patience:
                raise TimeoutError(f"the JACK server {self.name} did not start; see what jackd says")
            time.sleep(_LOOK_S)

    def stop(self, number: signal.Signals = signal.SIGTERM) -> None:
        """End it by a signal."""
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
        """Return the names of all ports; none where it does not answer."""
        listed = subprocess.run(["jack_lsp", "-s", self.name], capture_output=True, text=True, check=False)
        return listed.stdout.split() if listed.returncode == 0 else []

    def wires(self) -> str:
        """Return what is connected to what, as jack_lsp writes it."""
        return subprocess.run(["jack_lsp", "-s", self.name, "-c"], capture_output=True, text=True, check=False).stdout


@contextmanager
def serving(name: str = NAME) -> Iterator[DummyServer]:
    """Run a server, and leave its name free whatever happens; programs that want the same name take turns."""
    with (Path(tempfile.gettempdir()) / f"{name}-{os.getuid()}.lock").open("w") as turn:
        fcntl.flock(turn, fcntl.LOCK_EX)
        server = DummyServer(name)
        try:
            server.start()
            yield server
        finally:
            server.leave()
