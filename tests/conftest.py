"""What every test starts from: one thread, known seeds, no window."""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from pathlib import Path

# Read when torch's and matplotlib's libraries are loaded, so they are set before those imports.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("MPLBACKEND", "Agg")

import numpy as np
import pytest
import torch
from hypothesis import settings

torch.set_num_threads(1)

# A busy machine must not fail a test, and a failure must come again.
settings.register_profile("house", deadline=None, derandomize=True)
settings.load_profile("house")


# Rooms whose tests share what one process makes: a built plug-in and its server, a browser.
_TOGETHER = ("plugin", "panel")


# Before xdist looks for groups.
@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let tests of a file, or of a room that shares more, run in one process where there are several."""
    for item in items:
        room = item.path.relative_to(Path(__file__).parent).parts
        group = room[1] if len(room) > 2 and room[1] in _TOGETHER else "/".join(room)
        item.add_marker(pytest.mark.xdist_group(group))


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
