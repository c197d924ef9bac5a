"""Ogg page by page: the streams of a file, one after another, and how long each truly is."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from plugin_host.files.containers.file_bytes import FileBytes

_CONTINUED, _FIRST, _LAST = 1, 2, 4
_NO_GRANULE = -1
# The check sum of a page goes through its bits from the other side than that of zlib.
_REVERSED = bytes(int(f"{value:08b}"[::-1], 2) for value in range(256))
_SUM_AT = slice(22, 26)


class Page(NamedTuple):
    """A page: where it is, its size, and what its header says."""

    start: int
    size: int
    flags: int
    granule: int
    serial: int
    body: int


@dataclass
class OggStream:
    """One stream of sound.

    Attributes:
        codec: "vorbis", "opus", "flac" or "speex".
        rate, channels: As its first packet says; Opus always counts in 48 kHz.
        skipped: Samples at the start that are not sound.
        end: Position of its last sample, in samples.
        ranges: (start, length) of its pages.
        is_closed: Whether the page that ends it is there.
        torn: Pages whose check sum is wrong, which decoders leave out.
    """

    codec: str
    rate: int
    channels: int
    skipped: int
    end: int = 0
    ranges: list[tuple[int, int]] = field(default_factory=list)
    is_closed: bool = False
    torn: int = 0

    def add(self, page: Page, data: FileBytes) -> None:
        """Append a page."""
        self.torn += not _is_whole(data[page.start : page.start + page.size])
        if page.granule > self.end:
            self.end = page.granule
        self.is_closed = self.is_closed or bool(page.flags & _LAST)
        if self.ranges and sum(self.ranges[-1]) == page.start:
            self.ranges[-1] = (self.ranges[-1][0], self.ranges[-1][1] + page.size)
        else:
            self.ranges.append((page.start, page.size))


def read_streams(data: FileBytes) -> list[OggStream]:
    """Return the streams of sound that follow each other; of several that play at once, the first."""
    found: list[OggStream] = []
    serial, is_opening = -1, False
    for page in _pages(data):
        if page.flags & _FIRST:
            stream = _opened(data, page)
            if stream and not (is_opening and serial != -1):
                found.append(stream)
                serial = page.serial
            elif not is_opening:
                serial = -1
        is_opening = bool(page.flags & _FIRST)
        if found and page.serial == serial:
            found[-1].add(page, data)
    return found


def _pages(data: FileBytes) -> Iterator[Page]:
    position, end = 0, len(data)
    while position + 27 <= end:
        if data[position : position + 4] != b"OggS":
            position = data.find(b"OggS", position + 1)
            if position < 0:
                return
            continue
        flags, granule, serial, _, _, segments = struct.unpack("<BqIIIB", data[position + 5 : position + 27])
        body = position + 27 + segments
        size = 27 + segments + sum(data[position + 27 : body])
        if position + size > end:
            return
        yield Page(position, size, flags, granule, serial, body)
        position += size


def _is_whole(page: bytes) -> bool:
    """Return whether the check sum of a page is right."""
    plain = page[: _SUM_AT.start] + bytes(4) + page[_SUM_AT.stop :]
    found = zlib.crc32(plain.translate(_REVERSED), 0xFFFFFFFF) ^ 0xFFFFFFFF
    return found.to_bytes(4, "big").translate(_REVERSED) == page[_SUM_AT]


def _opened(data: FileBytes, page: Page) -> OggStream | None:
    """Return the stream that a first page opens, or None where it is no sound."""
    head = data[page.body : page.start + page.size]
    if head[:7] == b"\x01vorbis" and len(head) >= 16:
        channels, rate = struct.unpack_from("<BI", head, 11)
        return OggStream("vorbis", rate, channels, 0)
    if head[:8] == b"OpusHead" and len(head) >= 16:
        return OggStream("opus", 48000, head[9], struct.unpack_from("<H", head, 10)[0])
    if head[:5] == b"\x7fFLAC" and len(head) >= 30:
        word = int.from_bytes(head[27:31], "big")
        return OggStream("flac", word >> 12, (word >> 9 & 7) + 1, 0)
    if head[:8] == b"Speex   " and len(head) >= 52:
        rate, _, _, channels = struct.unpack_from("<IIII", head, 36)
        return OggStream("speex", rate, channels, 0)
    return None
