"""Atomic writes: a file gets its new content whole or not at all, by a temporary file that is renamed over it."""

from __future__ import annotations

import contextlib
import os
import tempfile
from pathlib import Path


def write_atomically(target: Path, data: bytes, mode: int = 0o644, *, flushed: bool = True) -> None:
    """Write a file that gets its name when it is whole; no temporary file remains where that fails.

    Args:
        target: The file; its folder must exist.
        data: Its content.
        mode: Its permissions; the temporary file is readable by its owner alone.
        flushed: Wait until the disk has it, so that it is whole after a power cut too.

    Raises:
        OSError: It can't be written.
    """
    handle, temporary = tempfile.mkstemp(prefix=f".{target.stem[:40]}.", suffix=".partial", dir=target.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            if flushed:
                os.fsync(file.fileno())
        os.chmod(temporary, mode)
        os.replace(temporary, target)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise
