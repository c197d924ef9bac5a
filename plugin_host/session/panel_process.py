"""The panel as a live session starts it: in a process of its own beside the audio, which ends with its host."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

HOST = "127.0.0.1"
_PATIENCE_S = 3.0
# Where a machine is short of time the panel is what may wait.
_NICENESS = 10
# The panel is that of this tree, whatever else is installed.
_ROOT = str(Path(__file__).resolve().parents[2])


class PanelProcess:
    """Runs `highband panel` for a host while a session lasts.

    Args:
        address: Gives the host's address for requests when the panel is started.
        port: The port of the page.
        report: Takes a sentence for the person at the host.
    """

    def __init__(self, address: Callable[[], str], port: int, report: Callable[[str], None]) -> None:
        self._address, self._port, self._report = address, port, report
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it; a panel that can't be says so itself, and the sound goes on."""
        command = [sys.executable, "-P", "-m", "plugin_host.cli.main", "panel"]
        command += ["--address", self._address(), "--port", str(self._port), "--until-input-ends"]
        # Ctrl-C is for the session, which ends the panel itself.
        # The pipe is closed by the system where this process is killed, and then the panel ends too.
        places = os.pathsep.join(filter(None, (_ROOT, os.environ.get("PYTHONPATH"))))
        environment = {**os.environ, "PYTHONPATH": places}
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, start_new_session=True, env=environment)
        try:
            os.setpriority(os.PRIO_PROCESS, self._process.pid, _NICENESS)
        except OSError as error:
            self._report(f"the panel runs at the same priority as the host: {(error.strerror or 'refused').lower()}")

    @property
    def is_running(self) -> bool:
        """Whether it was started and has not ended by itself."""
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int:
        """The id of the process, 0 where none runs."""
        return 0 if self._process is None else self._process.pid

    def stop(self) -> None:
        """End it."""
        if self._process is None:
            return
        if self._process.stdin is not None:
            self._process.stdin.close()
        self._process.terminate()
        try:
            self._process.wait(_PATIENCE_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process = None


def free_port() -> int:
    """Return a port of this machine that nobody serves on."""
    with socket.socket() as trial:
        trial.bind((HOST, 0))
        return int(trial.getsockname()[1])


def is_served(port: int) -> bool:
    """Return whether somebody answers on a port of this machine."""
    with socket.socket() as trial:
        trial.settimeout(1.0)
        return trial.connect_ex((HOST, port)) == 0
