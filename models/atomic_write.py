"""Files written whole or not at all: to a temporary name beside the target, then put in its place."""

from __future__ import annotations

import contextlib
import os
import tempfile
from pathlib import Path


def write_whole(target: Path, data: bytes, mode: int = 0o644) -> None:
    """Write a file, on the disk before it takes its name; nothing is left behind where that fails.

    Args:
        target: Its folder must be there.
        data: The content.
        mode: Who may read it in the end; until then its owner alone.

    Raises:
        OSError: It can't be written.
    """
    handle, temporary = tempfile.mkstemp(prefix=f".{target.stem[:40]}.", suffix=".partial", dir=target.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, mode)
        os.replace(temporary, target)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise
