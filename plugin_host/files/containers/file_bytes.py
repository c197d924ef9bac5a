"""A file read like bytes, a window at a time; one that shrinks meanwhile ends early instead of ending the program."""

from __future__ import annotations

import os
from typing import BinaryIO

_WINDOW = 1 << 20


class FileBytes:
    """The bytes of a file: slices, lengths and searches, with one window in memory."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._length = file.seek(0, os.SEEK_END)
        self._start, self._window = 0, b""

    def __len__(self) -> int:
        return self._length

    def __getitem__(self, place: slice) -> bytes:
        start, end, _ = place.indices(self._length)
        if not self._start <= start or end > self._start + len(self._window):
            if end - start > _WINDOW:
                return self._read(start, end - start)
            self._start, self._window = start, self._read(start, _WINDOW)
        return self._window[start - self._start : end - self._start]

    def find(self, mark: bytes, start: int, end: int | None = None) -> int:
        """Return where the mark comes first in a stretch, or -1."""
        end = self._length if end is None else min(end, self._length)
        while start + len(mark) <= end:
            stop = min(end, start + _WINDOW)
            found = self[start:stop].find(mark)
            if found >= 0:
                return start + found
            start = stop - len(mark) + 1
        return -1

    def _read(self, start: int, count: int) -> bytes:
        self._file.seek(start)
        return self._file.read(count)
