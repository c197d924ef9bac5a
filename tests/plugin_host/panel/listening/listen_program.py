"""The command `highband listen` at work for a test."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.plugin_host.panel.panel_host import PATIENCE_S
from tests.plugin_host.session.live_program import PROGRAM, environment


@contextmanager
def listening_at(folder: Path, *options: str) -> Iterator[str]:
    """Start a test of a folder and give its address."""
    command = [*PROGRAM, "listen", str(folder), *options]
    with subprocess.Popen(command, env=environment(folder), stdout=subprocess.PIPE, text=True) as program:
        try:
            assert program.stdout is not None
            found = re.search(r"http://127\.0\.0\.1:\d+/", program.stdout.readline())
            assert found is not None
            yield found[0]
        finally:
            program.terminate()
            program.wait(PATIENCE_S)
