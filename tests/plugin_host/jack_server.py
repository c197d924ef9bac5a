"""A JACK server of our own; it always ends so that its place among the machine's eight is free again."""

from __future__ import annotations

from contextlib import AbstractContextManager

from tests.stress.jack_dummy_server import DummyServer, serving

# One name for every run, so that one that was cut off leaves at most one entry in JACK's list behind.
NAME = "highband-test"
PERIOD = 256
Server = DummyServer


def served() -> AbstractContextManager[DummyServer]:
    """Run a server; two runs of the tests on one machine take turns."""
    return serving(NAME)
