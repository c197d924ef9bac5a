"""What the MP3 decoder prints of a file, kept off the person's terminal: it names no file, and decides nothing here."""

from __future__ import annotations

import os
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager

# The standard error stream belongs to all threads.
_lock = threading.Lock()
_STDERR = 2
_DECODER = b"libmpg123"


@contextmanager
def hushed() -> Iterator[None]:
    """Drop what the decoder prints meanwhile; pass on what anybody else does."""
    with _lock, tempfile.TemporaryFile() as file:
        try:
            kept = os.dup(_STDERR)
        except OSError:
            # A service may have none.
            yield
            return
        os.dup2(file.fileno(), _STDERR)
        try:
            yield
        finally:
            os.dup2(kept, _STDERR)
            os.close(kept)
            file.seek(0)
            for line in file:
                if _DECODER not in line:
                    os.write(_STDERR, line)
