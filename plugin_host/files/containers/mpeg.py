"""MP3 and its kin frame by frame: how long it truly is, and with a head that says so."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from plugin_host.files.containers.file_bytes import FileBytes
from plugin_host.files.containers.spliced import Piece

_V1_KBPS = {
    1: (0, 32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448),
    2: (0, 32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384),
    3: (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
}
_V2_KBPS = {
    1: (0, 32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256),
    2: (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
    3: (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
_RATES = {3: (44100, 48000, 32000), 2: (22050, 24000, 16000), 0: (11025, 12000, 8000)}
_SAMPLES = {1: (384, 384), 2: (1152, 1152), 3: (1152, 576)}
# The least that separates sound from bytes that look like it: junk has two frames in a row now and then.
_FEWEST_FRAMES = 3
_UNCERTAIN_FRAMES = 4


class Frame(NamedTuple):
    """The header of a frame: its bytes, its samples, and what must stay the same within a stream."""

    size: int
    samples: int
    rate: int
    channels: int
    layer: int
    version: int


@dataclass
class Stretch:
    """Frames that belong together: from one head of an encoder to the next.

    Attributes:
        head: Where the frame is that gives the length (Xing, Info, VBRI), or -1.
        promised: Frames that the head promises, 0 where it says nothing.
        first: The first frame of sound.
        frames: Number of frames of sound.
        ranges: (start, length) of the frames of sound, gaps left out.
        torn: Places where bytes that are neither frames nor tags lie between two frames.
    """

    head: int
    promised: int
    first: Frame
    frames: int = 0
    ranges: list[tuple[int, int]] = field(default_factory=list)
    torn: int = 0

    @property
    def missing(self) -> int:
        """Frames that the head promises and that are not there; a few come of heads that count themselves."""
        return self.promised - self.frames if self.promised > self.frames + _UNCERTAIN_FRAMES else 0

    def add(self, start: int, frame: Frame) -> None:
        """Append a frame of sound."""
        self.frames += 1
        if self.ranges and sum(self.ranges[-1]) == start:
            self.ranges[-1] = (self.ranges[-1][0], self.ranges[-1][1] + frame.size)
        else:
            self.ranges.append((start, frame.size))

    def pieces(self, data: FileBytes) -> list[Piece]:
        """Return the stretch as a file whose head is true; the encoder's own where it is."""
        size = sum(length for _, length in self.ranges)
        own = _frame_at(data, self.head, len(data)) if self.head >= 0 else None
        if own and (self.promised == self.frames or (self.promised and _mark(data, self.head, own) != b"VBRI")):
            return [self._corrected_head(data[self.head : self.head + own.size], own, size), *self.ranges]
        start = self.ranges[0][0]
        return [_honest_head(data[start : start + 4], self.first, self.frames, size), *self.ranges]

    def _corrected_head(self, head: bytes, frame: Frame, size: int) -> bytes:
        """Return the encoder's own head, which also says what it padded, with the true figures."""
        if self.promised == self.frames:
            return head
        flags = 8 + _mark_offset(frame)
        figures = struct.pack(">I", self.frames)
        if head[flags - 1] & 2:
            figures += struct.pack(">I", size + frame.size)
        return head[:flags] + figures + head[flags + len(figures) :]


def read_stretches(data: FileBytes, start: int = 0, end: int | None = None) -> list[Stretch]:
    """Return what lies in the bytes, one stretch for each file that was joined; none where it is no MPEG audio."""
    found: list[Stretch] = []
    for position, frame, is_after_junk in _frames(data, start, len(data) if end is None else end):
        promised = _promised_frames(data, position, frame)
        if promised is not None:
            found.append(Stretch(position, promised, frame))
            continue
        if not found or (found[-1].frames and _kind(found[-1].first) != _kind(frame)):
            found.append(Stretch(-1, 0, frame))
        if not found[-1].frames:
            found[-1].first = frame
        found[-1].torn += is_after_junk and bool(found[-1].frames)
        found[-1].add(position, frame)
    whole = [stretch for stretch in found if stretch.frames]
    return whole if sum(stretch.frames for stretch in whole) >= _FEWEST_FRAMES else []


def _kind(frame: Frame) -> tuple[int, ...]:
    return frame.rate, frame.channels, frame.layer, frame.version


def _frames(data: FileBytes, position: int, end: int) -> Iterator[tuple[int, Frame, bool]]:
    """Yield where each frame is, and whether junk lies before it; that and tags are passed over."""
    last: Frame | None = None
    in_step = is_after_junk = False
    while position + 4 <= end:
        frame = _frame_at(data, position, end)
        same = frame is not None and last is not None and _kind(frame) == _kind(last)
        # Junk looks like a frame now and then, hardly ever like several in a row.
        if frame and ((in_step and same) or _is_followed(data, position, end, frame, 1 if same else 3)):
            yield position, frame, is_after_junk
            position, in_step, last, is_after_junk = position + frame.size, True, frame, False
            continue
        tag = tag_bytes(data, position)
        in_step = bool(tag)
        if tag:
            position += tag
        else:
            is_after_junk = True
            position = _next_sync(data, position + 1, end)


def _next_sync(data: FileBytes, position: int, end: int) -> int:
    places = (data.find(mark, position, end) for mark in (b"\xff", b"ID3", b"APETAGEX"))
    return min((place for place in places if place >= 0), default=end)


def _is_followed(data: FileBytes, position: int, end: int, frame: Frame, count: int) -> bool:
    """Return whether frames of the same kind follow, or the end of the stream, or a tag."""
    kind = _kind(frame)
    for _ in range(count):
        position += frame.size
        following = _frame_at(data, position, end)
        if following is None:
            return position >= end - 4 or tag_bytes(data, position) > 0 or data[position : position + 3] == b"TAG"
        if _kind(following) != kind:
            return False
        frame = following
    return True


def tag_bytes(data: FileBytes, position: int) -> int:
    """Return the size of the tag that begins here (ID3v2, APE), 0 where none does."""
    head = data[position : position + 32]
    if head[:3] == b"ID3" and len(head) >= 10 and max(head[6:10]) < 0x80:
        size = head[6] << 21 | head[7] << 14 | head[8] << 7 | head[9]
        return 10 + size + (10 if head[5] & 0x10 else 0)
    if head[:8] == b"APETAGEX" and len(head) == 32:
        return 32 + int(struct.unpack_from("<I", head, 12)[0])
    return 0


def _frame_at(data: FileBytes, position: int, end: int) -> Frame | None:
    """Return the frame that begins here and ends before the end, or None."""
    frame = _read_header(data[position : position + 4])
    return frame if frame and position + frame.size <= end else None


def _read_header(head: bytes) -> Frame | None:
    if len(head) < 4 or head[0] != 0xFF or head[1] & 0xE0 != 0xE0:
        return None
    version, layer = head[1] >> 3 & 3, 4 - (head[1] >> 1 & 3)
    code, rate_code = head[2] >> 4, head[2] >> 2 & 3
    if version == 1 or layer == 4 or code in (0, 15) or rate_code == 3:
        return None
    rate = _RATES[version][rate_code]
    kbps = (_V1_KBPS if version == 3 else _V2_KBPS)[layer][code]
    samples = _SAMPLES[layer][version != 3]
    slot = 4 if layer == 1 else 1
    size = (samples // 8 * kbps * 1000 // rate // slot + (head[2] >> 1 & 1)) * slot
    return Frame(size, samples, rate, 1 if head[3] >> 6 == 3 else 2, layer, version)


def _mark_offset(frame: Frame) -> int:
    """Return where in a frame an encoder's head begins: after the header and the side information."""
    if frame.version == 3:
        return 21 if frame.channels == 1 else 36
    return 13 if frame.channels == 1 else 21


def _mark(data: FileBytes, position: int, frame: Frame) -> bytes:
    start = position + _mark_offset(frame)
    if data[start : start + 4] in (b"Xing", b"Info"):
        return data[start : start + 4]
    return data[position + 36 : position + 40]


def _promised_frames(data: FileBytes, position: int, frame: Frame) -> int | None:
    """Return how many frames an encoder's head promises, 0 where it says nothing; None if this is no such head."""
    mark = _mark(data, position, frame)
    if frame.layer != 3 or mark not in (b"Xing", b"Info", b"VBRI"):
        return None
    if mark == b"VBRI":
        return int(struct.unpack(">I", data[position + 50 : position + 54])[0])
    start = position + _mark_offset(frame)
    flags, frames = struct.unpack(">II", data[start + 4 : start + 12])
    return int(frames) if flags & 1 else 0


def _honest_head(header: bytes, frame: Frame, frames: int, size: int) -> bytes:
    """Return a frame of silence that gives the decoder how many frames follow."""
    if frame.layer != 3:
        return b""
    side = _mark_offset(frame) - 4
    for code in range(1, 15):
        # No checksum, no padding, the first rate of bits with room for the figures.
        head = bytes([header[0], header[1] | 1, header[2] & 0x0D | code << 4, header[3]])
        made = _read_header(head)
        if made and made.size >= 4 + side + 16:
            body = head + bytes(side) + b"Info" + struct.pack(">III", 3, frames, size + made.size)
            return body.ljust(made.size, b"\0")
    return b""
