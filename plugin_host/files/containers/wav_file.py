"""A WAV file written chunk by chunk: RF64 (EBU Tech 3306) where it grows beyond 4 GiB, loudspeakers named."""

from __future__ import annotations

import os
import struct
from collections.abc import Sequence
from typing import BinaryIO

from plugin_host.files.containers.riff import EXTENSIBLE

Chunk = tuple[bytes, bytes]
_LARGEST = (1 << 32) - 1
# From here on room is kept for 64-bit sizes; a length that is not known counts as long.
_SHORT_BYTES = 1 << 31
_DS64_BYTES = 28
_GUID_END = bytes.fromhex("000000001000800000aa00389b71")
_PCM, _FLOAT = 1, 3


def chunk_bytes(code: bytes, data: bytes) -> bytes:
    """Return a chunk with its header and what pads it."""
    return struct.pack("<4sI", code, len(data)) + data + b"\0" * (len(data) % 2)


def format_bytes(rate: int, channels: int, sample_bytes: int, is_float: bool, mask: int = 0) -> bytes:
    """Return what `fmt ` says; only a file that names its loudspeakers needs WAVE_FORMAT_EXTENSIBLE."""
    tag, align = _FLOAT if is_float else _PCM, channels * sample_bytes
    plain = struct.pack("<HIIHH", channels, rate, min(rate * align, _LARGEST), align, 8 * sample_bytes)
    if mask:
        end = struct.pack("<HHIH", 22, 8 * sample_bytes, mask, tag) + _GUID_END
        return struct.pack("<H", EXTENSIBLE) + plain + end
    return struct.pack("<H", tag) + plain + (b"\0\0" if is_float else b"")


class WavFile:
    """A WAV file in the making; every method raises OSError where the disk refuses.

    Args:
        file: Open for writing, empty.
        form: What `fmt ` says.
        frame_bytes: Bytes of a frame.
        head: Chunks before the sound.
        frames: Expected length; 0 where it is not known.
    """

    def __init__(
        self, file: BinaryIO, form: bytes, frame_bytes: int, head: Sequence[Chunk] = (), frames: int = 0
    ) -> None:
        self._file, self._frame_bytes, self._form = file, frame_bytes, form
        self.data_bytes = 0
        has_room = not 0 < frames * frame_bytes < _SHORT_BYTES
        self._head = b"".join(
            [
                chunk_bytes(b"JUNK", bytes(_DS64_BYTES)) if has_room else b"",
                chunk_bytes(b"fmt ", form),
                chunk_bytes(b"fact", bytes(4)) if form[:2] != b"\1\0" else b"",
                *(chunk_bytes(code, data) for code, data in head),
            ]
        )
        self._has_room = has_room
        file.write(b"RIFF\0\0\0\0WAVE" + self._head + b"data\0\0\0\0")

    def write(self, data: bytes) -> None:
        """Append frames."""
        self._file.write(data)
        self.data_bytes += len(data)

    def drop(self, frames: int) -> None:
        """Remove frames from the end of what was written."""
        self.data_bytes -= frames * self._frame_bytes
        self._file.seek(-frames * self._frame_bytes, os.SEEK_CUR)
        self._file.truncate()

    def finish(self, tail: Sequence[Chunk] = ()) -> None:
        """Append chunks behind the sound and write the sizes; the file stays open."""
        self._file.write(b"\0" * (self.data_bytes % 2))
        for code, data in tail:
            self._file.write(chunk_bytes(code, data))
        end = self._file.tell()
        is_long = end - 8 > _LARGEST or self.data_bytes > _LARGEST
        if is_long and not self._has_room:
            raise OSError("the sound is longer than it was said to be")
        frames = self.data_bytes // self._frame_bytes
        head = self._head.replace(
            chunk_bytes(b"fact", bytes(4)), chunk_bytes(b"fact", struct.pack("<I", min(frames, _LARGEST))), 1
        )
        if is_long:
            sizes = struct.pack("<QQQI", end - 8, self.data_bytes, frames, 0)
            head = chunk_bytes(b"ds64", sizes) + head[8 + _DS64_BYTES :]
        self._file.seek(0)
        sizes32 = (_LARGEST, _LARGEST) if is_long else (end - 8, self.data_bytes)
        self._file.write((b"RF64" if is_long else b"RIFF") + struct.pack("<I", sizes32[0]) + b"WAVE" + head)
        self._file.write(b"data" + struct.pack("<I", sizes32[1]))
        self._file.flush()
