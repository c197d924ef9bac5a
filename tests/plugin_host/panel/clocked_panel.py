"""The command `highband panel` with a clock for pages that have gone, which a test moves: its minutes are short.

What it keeps for such a page is lost, as what is on its way when the page comes back may be.

The file, named by PASSED, holds the seconds that have passed; what has been read of it is written beside it. Where
there is a file that `put_back_of` names, the time of day is that of an hour before.
"""

from __future__ import annotations

import asyncio
import os
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import nicegui.client
from nicegui.outbox import Outbox

from plugin_host.cli.main import main

LOOK_EVERY_S = 0.02


def seen_of(clock: Path) -> Path:
    """Return the file that says how far the wait for a page has come."""
    return clock.with_suffix(".seen")


def put_back_of(clock: Path) -> Path:
    """Return the file that puts the time of day back where it is made."""
    return clock.with_suffix(".back")


async def _sleep(seconds: float, *result: Any) -> None:
    """Wait until so many seconds of the file have passed."""
    clock = Path(os.environ["PASSED"])
    passed = -1.0
    while passed < seconds:
        await asyncio.sleep(LOOK_EVERY_S)
        passed = float(clock.read_text() or 0.0)
        seen_of(clock).write_text(str(passed))


if __name__ == "__main__":
    # Of its toolkit only what forgets a page that has gone sleeps so long.
    nicegui.client.asyncio = SimpleNamespace(**{**vars(asyncio), "sleep": _sleep})  # type: ignore[assignment, attr-defined]
    Outbox.try_rewind = lambda *_: None  # type: ignore[method-assign]
    now, put_back = time.time, put_back_of(Path(os.environ["PASSED"]))
    time.time = lambda: now() - 3600.0 * put_back.exists()
    main()
