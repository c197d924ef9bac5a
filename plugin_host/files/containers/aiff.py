"""AIFF chunk by chunk: its sound, its markers and loops, its words."""

from __future__ import annotations

import struct
from collections.abc import Iterator

from plugin_host.files.containers.file_bytes import FileBytes

_MOST_CHUNKS = 1000


def chunks(data: FileBytes) -> Iterator[tuple[bytes, int, int]]:
    """Yield code, start and size of each chunk of a FORM file, the size as it is written."""
    position = 12
    for _ in range(_MOST_CHUNKS):
        if position + 8 > len(data):
            return
        code, size = struct.unpack(">4sI", data[position : position + 8])
        yield code, position + 8, size
        position += 8 + size + size % 2


def sound_bytes(data: FileBytes) -> tuple[int, int]:
    """Return how many bytes of sound the header promises, and how many there are."""
    for code, start, size in chunks(data):
        if code in (b"SSND", b"BODY"):
            return size, min(size, len(data) - start)
    return 0, 0
