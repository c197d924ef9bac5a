"""How long a FLAC stream truly is: the last of its frames says where it ends."""

from __future__ import annotations

from typing import NamedTuple

from plugin_host.files.containers.file_bytes import FileBytes

_BLOCK_CODES = {1: 192, 2: 576, 3: 1152, 4: 2304, 5: 4608, **{code: 256 << (code - 8) for code in range(8, 16)}}
# Larger than any frame of 8 channels at 32 bits: the last frame begins within it, unless junk follows.
_REACH = 4 << 20


class StreamInfo(NamedTuple):
    """What the head says: where its figures are, the size of the largest block, rate, channels, samples."""

    position: int
    block: int
    rate: int
    channels: int
    samples: int


def read_stream_info(data: FileBytes, start: int = 0) -> StreamInfo | None:
    """Return what STREAMINFO says of a stream that begins here, or None where none does."""
    head = data[start : start + 42]
    if head[:4] != b"fLaC" or len(head) < 42 or head[4] & 0x7F:
        return None
    word = int.from_bytes(head[18:26], "big")
    channels = (word >> 41 & 7) + 1
    return StreamInfo(start + 18, int.from_bytes(head[10:12], "big"), word >> 44, channels, word & (1 << 36) - 1)


def counted_samples(data: FileBytes, info: StreamInfo) -> int:
    """Return the samples per channel up to the end of the last frame, or 0 where none is found."""
    end = len(data)
    first = max(info.position, end - _REACH)
    tail = data[first:end]
    position = tail.rfind(b"\xff")
    while position >= 0:
        counted = _end_of_frame(tail[position : position + 16], info)
        if counted:
            return counted
        position = tail.rfind(b"\xff", 0, position)
    return 0


def with_samples(data: FileBytes, info: StreamInfo, samples: int) -> bytes:
    """Return the 8 bytes at `info.position` with another number of samples."""
    word = int.from_bytes(data[info.position : info.position + 8], "big")
    return (word & ~((1 << 36) - 1) | samples).to_bytes(8, "big")


def _end_of_frame(head: bytes, info: StreamInfo) -> int:
    """Return the position of the sample after a frame whose header begins here; 0 where none does."""
    if len(head) < 6 or head[1] & 0xFE != 0xF8 or head[3] & 1 or head[3] >> 4 > 10:
        return 0
    assignment = head[3] >> 4
    if (assignment + 1 if assignment < 8 else 2) != info.channels:
        return 0
    number, length = _coded_number(head[4:])
    block_code, rate_code = head[2] >> 4, head[2] & 15
    extra = {6: 1, 7: 2}.get(block_code, 0)
    after = 4 + length + extra + {12: 1, 13: 2, 14: 2}.get(rate_code, 0)
    if not length or rate_code == 15 or after >= len(head) or _crc8(head[:after]) != head[after]:
        return 0
    block = int.from_bytes(head[4 + length : 4 + length + extra], "big") + 1 if extra else _BLOCK_CODES.get(block_code)
    if not block:
        return 0
    return block + (number if head[1] & 1 else number * info.block)


def _coded_number(data: bytes) -> tuple[int, int]:
    """Return a number coded as UTF-8 codes characters, up to 36 bits, and its bytes; 0 bytes where it is none."""
    first = data[0]
    if first < 0x80:
        return first, 1
    length = 8 - (first ^ 0xFF).bit_length()
    if not 2 <= length <= 7 or length > len(data) or any(byte & 0xC0 != 0x80 for byte in data[1:length]):
        return 0, 0
    number = first & (0x7F >> length)
    for byte in data[1:length]:
        number = number << 6 | byte & 0x3F
    return number, length


def _crc8(data: bytes) -> int:
    crc = 0
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = (crc << 1 ^ 0x07 if crc & 0x80 else crc << 1) & 0xFF
    return crc
