"""What the MP3 decoder prints of damage, counted and kept off the person's terminal: it names no file."""

from __future__ import annotations

import os
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager

# The standard error stream belongs to all threads.
_lock = threading.Lock()
_STDERR = 2
_OURS = b"libmpg123"


class Complaints:
    """Counts what is printed of damage.

    Attributes:
        count: So far.
    """

    count = 0

    @contextmanager
    def counted(self) -> Iterator[None]:
        """Count what the decoder prints meanwhile; pass on what anybody else does."""
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
                    if _OURS in line:
                        self.count += 1
                    else:
                        os.write(_STDERR, line)
