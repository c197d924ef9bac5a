"""RIFF and its kin (WAV, RF64, BW64, W64) chunk by chunk, with sizes that are not believed but checked."""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

# Programs that write to a pipe, and recorders that lose power, leave sizes such as these.
_UNKNOWN_SIZES = (range(0x7FFFF000, 0x80000001), range(0xFFFFF000, 0x100000000))
_MOST_CHUNKS = 1000
_WRAP = 1 << 32
_LOOKED_AT = 1 << 16
_W64_RIFF = b"riff\x2e\x91\xcf\x11\xa5\xd6\x28\xdb\x04\xc1\x00\x00"
_W64_WAVE = b"wave\xf3\xac\xd3\x11\x8c\xd1\x00\xc0\x4f\x8e\xdb\x8a"
EXTENSIBLE = 0xFFFE
# The ends of the GUIDs that begin with the number of a plain format: Microsoft's, and Ambisonic B-format's.
_GUID_ENDS = (bytes.fromhex("000000001000800000aa00389b71"), bytes.fromhex("00002107d3118644c8c1ca000000"))


@dataclass(frozen=True)
class WavFormat:
    """What the `fmt ` chunk says.

    Attributes:
        tag: Number of the coding: 1 PCM, 3 float, 6 A-law, 7 mu-law, 85 MP3 ...; of EXTENSIBLE, that of its GUID.
        channels, rate: As they are named.
        align: Bytes of a frame, or of a block of a packed coding.
        bits: Bits of a sample that count.
        mask: Loudspeakers of the channels, 0 where they are not named.
        data: The chunk itself.
    """

    tag: int
    channels: int
    rate: int
    align: int
    bits: int
    mask: int
    data: bytes

    @property
    def sample_bytes(self) -> int:
        """Bytes of a sample of PCM or float, with what pads it."""
        packed = (struct.unpack_from("<H", self.data, 14)[0] + 7) // 8
        padded, rest = divmod(self.align, max(1, self.channels))
        return padded if not rest and packed <= padded <= 8 else packed


@dataclass(frozen=True)
class RiffFile:
    """The chunks of a file.

    Attributes:
        kind: "WAV", "RF64" or "W64".
        chunks: Code, start and size of every chunk except the sound, in order.
        format: What `fmt ` says, where it is whole.
        data_start, data_bytes: Where the sound is, as far as the file reaches.
        promised_bytes: What the header says of the sound, where it can be believed; else `data_bytes`.
        stray_bytes: Behind the chunks, which are none: sound, most likely, that a wrong size leaves out.
    """

    kind: str
    chunks: tuple[tuple[bytes, int, int], ...]
    format: WavFormat | None
    data_start: int
    data_bytes: int
    promised_bytes: int
    stray_bytes: int = 0


def read_riff(file: BinaryIO) -> RiffFile | None:
    """Return the chunks of a WAV, RF64, BW64 or W64 file, or None where it is none or holds no sound."""
    file.seek(0, os.SEEK_END)
    end = file.tell()
    file.seek(0)
    head = file.read(40)
    if head[:16] == _W64_RIFF and head[24:40] == _W64_WAVE:
        return _read_w64(file, end)
    if head[:4] not in (b"RIFF", b"RF64", b"BW64") or head[8:12] != b"WAVE":
        return None
    return _read_chunks(file, end, is_long=head[:4] != b"RIFF")


def read_chunk(file: BinaryIO, start: int, size: int) -> bytes:
    """Return the bytes of one chunk."""
    file.seek(start)
    return file.read(size)


def _read_chunks(file: BinaryIO, end: int, is_long: bool) -> RiffFile | None:
    chunks: list[tuple[bytes, int, int]] = []
    sound: tuple[int, int, int] | None = None
    sizes: dict[bytes, int] = {}
    position, stray = 12, 0
    while position + 8 <= end and len(chunks) < _MOST_CHUNKS:
        if sound is not None and (stray := _stray_bytes(file, position, end)):
            break
        code, size = struct.unpack("<4sI", read_chunk(file, position, 8))
        start = position + 8
        if code == b"ds64":
            sizes = _long_sizes(read_chunk(file, start, min(size, 4096)))
        elif size == 0xFFFFFFFF and code in sizes:
            size = sizes[code]
        if code == b"data" and sound is None:
            size, promised = _sound_bytes(file, start, size, end, is_long)
            sound = (start, size, promised)
        else:
            chunks.append((code, start, size))
        position = _next_chunk(file, start + size, end)
    if sound is None:
        return None
    return RiffFile("RF64" if is_long else "WAV", tuple(chunks), _format(file, chunks), *sound, stray)


def _stray_bytes(file: BinaryIO, position: int, end: int) -> int:
    """Return how many bytes follow where no chunk begins; zeros, which fill a disk's blocks, do not count."""
    if _is_code(read_chunk(file, position, 4)):
        return 0
    ends = (read_chunk(file, place, _LOOKED_AT) for place in (position, max(position, end - _LOOKED_AT)))
    return end - position if any(map(any, ends)) else 0


def _next_chunk(file: BinaryIO, after: int, end: int) -> int:
    """Chunks of odd size are padded by a byte, which some programs forget."""
    if after % 2 and _is_chunk(file, after, end) and not _is_chunk(file, after + 1, end):
        return after
    return after + after % 2


def _is_chunk(file: BinaryIO, position: int, end: int) -> bool:
    header = read_chunk(file, position, 8) if position + 8 <= end else b""
    if len(header) < 8:
        return False
    code, size = struct.unpack("<4sI", header)
    return _is_code(code) and position + 8 + size <= end + 1


def _is_code(code: bytes) -> bool:
    return all(0x20 <= byte < 0x7F for byte in code) and code.strip() != b""


def _sound_bytes(file: BinaryIO, start: int, size: int, end: int, is_long: bool) -> tuple[int, int]:
    """Return how many bytes of sound there are, and how many the header truly promises."""
    there = end - start
    if is_long:
        return (there, there) if size == 0 or size >= 1 << 62 else (min(size, there), size)
    if size == 0:
        return (0, 0) if _is_chunk(file, start, end) else (there, there)
    after = start + size
    if after <= end and (after >= end - 1 or _is_chunk(file, after + after % 2, end)):
        return size, size
    if any(size in sizes for sizes in _UNKNOWN_SIZES):
        return there, there
    # Beyond 4 GiB the size has begun anew at 0, perhaps several times.
    size += max(0, there - size) // _WRAP * _WRAP
    return min(size, there), size


def _long_sizes(data: bytes) -> dict[bytes, int]:
    """Return the 64-bit sizes of a `ds64` chunk by code."""
    if len(data) < 28:
        return {}
    sizes = {b"data": struct.unpack_from("<Q", data, 8)[0]}
    count = min(struct.unpack_from("<I", data, 24)[0], (len(data) - 28) // 12)
    for number in range(count):
        code, size = struct.unpack_from("<4sQ", data, 28 + 12 * number)
        sizes[code] = size
    return sizes


def _format(file: BinaryIO, chunks: list[tuple[bytes, int, int]]) -> WavFormat | None:
    found = next((read_chunk(file, start, min(size, 4096)) for code, start, size in chunks if code == b"fmt "), b"")
    if len(found) < 16:
        return None
    tag, channels, rate, _, align, bits = struct.unpack_from("<HHIIHH", found)
    mask = 0
    if tag == EXTENSIBLE and len(found) >= 40 and found[26:40] in _GUID_ENDS:
        valid, mask, tag = struct.unpack_from("<HIH", found, 18)
        bits = valid if 0 < valid <= bits else bits
    return WavFormat(tag, channels, rate, align, bits, mask, found)


def _read_w64(file: BinaryIO, end: int) -> RiffFile | None:
    chunks, sound = [], None
    for code, start, size in _w64_chunks(file, end):
        if code == b"data" and sound is None:
            promised = size if 0 < size < 1 << 62 else end - start
            sound = (start, min(promised, end - start), promised)
        else:
            chunks.append((code, start, size))
    return sound and RiffFile("W64", tuple(chunks), _format(file, chunks), *sound)


def _w64_chunks(file: BinaryIO, end: int) -> Iterator[tuple[bytes, int, int]]:
    position = 40
    for _ in range(_MOST_CHUNKS):
        header = read_chunk(file, position, 24)
        if len(header) < 24:
            return
        size = struct.unpack_from("<Q", header, 16)[0]
        yield header[:4], position + 24, max(0, size - 24)
        if size < 24 or position + size > end:
            return
        position += (size + 7) // 8 * 8
