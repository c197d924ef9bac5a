"""How a render says how far it is and is asked to stop, and what one that was stopped has left to go on from."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

# The extender's output so far, and its state at the end of that.
OUTPUT, STATE = "extender.output.partial", "extender.state.partial"
Progress = Callable[[float], None]
Stopped = Callable[[], bool]


class RenderStopped(Exception):
    """The render was asked to stop; nothing of it is left on the disk."""


class ProcessLost(Exception):
    """A process that had a part of a render died; the render is worth a new try."""


def is_resumable(folder: str | Path) -> bool:
    """Return whether a render was stopped here that can be gone on with."""
    return os.path.isfile(os.path.join(folder, STATE))


def remove_rest(folder: str | Path) -> bool:
    """Remove what a stopped render has left but what it can go on from, and return whether there is that."""
    if not is_resumable(folder):
        shutil.rmtree(folder, ignore_errors=True)
        return False
    for entry in os.scandir(folder):
        if entry.is_dir(follow_symlinks=False):
            shutil.rmtree(entry.path, ignore_errors=True)
        elif entry.name not in (OUTPUT, STATE):
            os.unlink(entry.path)
    return True
