"""What every test starts from: one thread, known seeds, no window, a home of its own."""

from __future__ import annotations

import atexit
import os
import random
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

# Read when torch's and matplotlib's libraries are loaded, so they are set before those imports.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("MPLBACKEND", "Agg")

import numpy as np
import pytest
import torch
from hypothesis import settings

from tests.stress.jack_dummy_server import NAME, DummyServer, serving

torch.set_num_threads(1)

# Presets, maps and sessions of the person who runs the tests are no part of them.
_HOME = tempfile.mkdtemp(prefix="highband-tests-")
atexit.register(shutil.rmtree, _HOME, ignore_errors=True)
for _name in ("XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME"):
    os.environ[_name] = _HOME

# A busy machine must not fail a test, and a failure must come again.
settings.register_profile("house", deadline=None, derandomize=True)
settings.load_profile("house")


# Rooms whose tests share what one process makes: a built plug-in and its server, a browser.
_TOGETHER = ("plugin_host/plugin", "plugin_host/panel")
# What plays in real time, by room or by fixture: beside a busy second core its blocks would be late.
_ON_TIME = ("plugin_host/plugin/test_bench.py", "stress/test_drill.py", "stress/test_soak.py")
_ON_TIME_WITH = {"server", "controller", "pipewire", "open_host", "served_folder"}


# Before xdist looks for groups, and pytest for marks.
@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what plays in real time; let tests of a file, or of a room that shares more, run in one process."""
    for item in items:
        place = item.path.relative_to(Path(__file__).parent).as_posix()
        group = next((room for room in _TOGETHER if place.startswith(room)), place)
        item.add_marker(pytest.mark.xdist_group(group))
        if place.startswith(_ON_TIME) or _ON_TIME_WITH & {*getattr(item, "fixturenames", ())}:
            item.add_marker(pytest.mark.realtime)


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[DummyServer]:
    """A JACK server of our own; two runs of the tests on one machine take turns."""
    monkeypatch.setenv("JACK_DEFAULT_SERVER", NAME)
    monkeypatch.setenv("JACK_NO_START_SERVER", "1")
    with serving() as made:
        yield made


@pytest.fixture(autouse=True)
def _seeds() -> None:
    random.seed(0)
    np.random.seed(0)  # noqa: NPY002 - for libraries that draw from numpy's global generator
    torch.manual_seed(0)


@pytest.fixture(autouse=True)
def _exact_arithmetic() -> Iterator[None]:
    yield
    # What a test trains or plays may flush denormals on this thread; the next must find the processor as it was.
    torch.set_flush_denormal(False)
