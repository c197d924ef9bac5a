"""Pieces of a file and of memory, read as if they were one file."""

from __future__ import annotations

import io
import os
from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate
from typing import BinaryIO

Piece = bytes | tuple[int, int]


class Spliced(io.RawIOBase):
    """A file made of pieces of another one and of bytes; nothing is copied.

    Args:
        file: The file that the pieces lie in; it stays open when this one is closed.
        pieces: Bytes, or (start, length) in `file`, in order.
    """

    def __init__(self, file: BinaryIO, pieces: Sequence[Piece]) -> None:
        self._file = file
        self._pieces = [piece for piece in pieces if _length(piece)]
        self._starts = [0, *accumulate(map(_length, self._pieces))]
        self._position = 0

    def readable(self) -> bool:
        """Whether it can be read: yes."""
        return True

    def seekable(self) -> bool:
        """Whether it can be searched: yes."""
        return True

    def tell(self) -> int:
        """Return the position."""
        return self._position

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Move to a position and return it."""
        origin = {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: self._starts[-1]}[whence]
        self._position = max(0, origin + offset)
        return self._position

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        """Fill the buffer as far as the pieces reach; return the number of bytes."""
        view, done = memoryview(buffer).cast("B"), 0
        while done < len(view) and self._position < self._starts[-1]:
            index = bisect_right(self._starts, self._position) - 1
            inside = self._position - self._starts[index]
            piece = self._pieces[index]
            count = min(len(view) - done, _length(piece) - inside)
            if isinstance(piece, bytes):
                view[done : done + count] = piece[inside : inside + count]
            else:
                count = read_into(view[done : done + count], self._file, piece[0] + inside)
                if not count:
                    break
            done += count
            self._position += count
        return done


def read_into(view: memoryview, file: BinaryIO, start: int) -> int:
    """Read what lies at a place of a file, at most as much as the view holds; return the number of bytes."""
    if hasattr(os, "preadv"):
        # Copies of this process have the file's position in common with it.
        return os.preadv(file.fileno(), [view], start)
    file.seek(start)
    return file.readinto(view)  # type: ignore[attr-defined, no-any-return]


def _length(piece: Piece) -> int:
    return len(piece) if isinstance(piece, bytes) else piece[1]
