"""The thread in which the JACK server calls a client; it ends by itself before the client is closed."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

# How long it may take to end.
_PATIENCE_S = 1.0
# Linux names a process's threads there.
_THREADS = Path("/proc/self/task")


class JackThread:
    """Calls a function in each cycle of a client, until it is ended.

    To close a client kills its thread wherever it is; where it has the interpreter then, nobody ever gets that again.

    Args:
        module: The module jack.
        client: Not yet active.
        process: Called with the samples of the cycle.
    """

    def __init__(self, module: Any, client: Any, process: Callable[[int], None]) -> None:
        self._process, self._leave = process, module.CallbackExit
        self._id: int | None = None
        self._is_ending = self._has_left = False
        client.set_process_callback(self._call)

    def end(self) -> None:
        """Let the thread leave after its cycle, and wait for that; the server may be gone."""
        self._is_ending, patience = True, time.monotonic() + _PATIENCE_S
        while self._id is not None and self._is_there(self._id) and time.monotonic() < patience:
            time.sleep(0.002)

    def _is_there(self, number: int) -> bool:
        return (_THREADS / str(number)).exists() if _THREADS.exists() else not self._has_left

    def _call(self, frames: int) -> None:
        if self._is_ending:
            self._has_left = True
            raise self._leave
        self._id = threading.get_native_id()
        self._process(frames)
