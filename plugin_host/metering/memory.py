"""How much memory a process holds."""

from __future__ import annotations

import os
from pathlib import Path


def resident_bytes(process: int) -> int:
    """Return the resident memory of a process in bytes, or 0 where the system does not report it."""
    try:
        return int(Path(f"/proc/{process}/statm").read_text(encoding="ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, IndexError, ValueError):
        return 0
