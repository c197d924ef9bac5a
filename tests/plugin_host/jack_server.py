"""A JACK server of our own; it always ends so that its place among the machine's eight is free again."""

from __future__ import annotations

import fcntl
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from plugin_host.dummy_server import DummyServer, serving

# One name for every run, so that one that was cut off leaves at most one entry in JACK's list behind.
NAME = "highband-test"
PERIOD = 256
Server = DummyServer


@contextmanager
def served() -> Iterator[DummyServer]:
    """Run a server; two runs of the tests on one machine take turns."""
    with (Path(tempfile.gettempdir()) / f"{NAME}-{os.getuid()}.lock").open("w") as turn:
        fcntl.flock(turn, fcntl.LOCK_EX)
        with serving(NAME) as made:
            yield made
