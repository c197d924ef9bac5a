"""What an AIFF file says besides its sound: words, markers and loops."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from fractions import Fraction

from plugin_host.files.containers.aiff import chunks
from plugin_host.files.containers.file_bytes import FileBytes
from plugin_host.files.metadata.chunks import decode_text
from plugin_host.files.metadata.markers import Marker, Sampler
from plugin_host.files.metadata.words import Words

_WORD_OF_CHUNK = {b"NAME": "title", b"AUTH": "artist", b"(c) ": "copyright", b"ANNO": "comment"}
_LONGEST = 1 << 20
_FORWARD, _THERE_AND_BACK = 1, 2


def read_aiff_words(data: FileBytes) -> Words:
    """Return the text of an AIFF file by lower-case Vorbis name."""
    words: dict[str, list[str]] = {}
    for code, start, size in chunks(data):
        if code in _WORD_OF_CHUNK and (text := decode_text(data[start : start + min(size, _LONGEST)])):
            words.setdefault(_WORD_OF_CHUNK[code], []).append(text)
    return {name: tuple(texts) for name, texts in words.items()}


def read_aiff_markers(data: FileBytes, rate: int) -> tuple[tuple[Marker, ...], Sampler | None]:
    """Return the markers and loops of an AIFF file."""
    parts = {code: data[start : start + min(size, _LONGEST)] for code, start, size in chunks(data)}
    try:
        found = dict(_aiff_markers(parts.get(b"MARK", b"\0\0"), rate))
    except struct.error:
        found = {}
    return tuple(sorted(found.values(), key=lambda marker: marker.seconds)), _aiff_sampler(
        parts.get(b"INST", b""), found
    )


def _aiff_markers(data: bytes, rate: int) -> Iterator[tuple[int, Marker]]:
    position = 2
    for _ in range(struct.unpack_from(">H", data)[0]):
        number, place, length = struct.unpack_from(">HIB", data, position)
        label = decode_text(data[position + 7 : position + 7 + length])
        yield number, Marker(Fraction(place, rate), label)
        position += 7 + length + (length + 1) % 2


def _aiff_sampler(data: bytes, markers: Mapping[int, Marker]) -> Sampler | None:
    if len(data) < 20:
        return None
    loops = []
    for offset in (8, 14):
        kind, begin, end = struct.unpack_from(">HHH", data, offset)
        if kind in (_FORWARD, _THERE_AND_BACK) and begin in markers and end in markers:
            loops.append((markers[begin].seconds, markers[end].seconds, kind - 1))
    return Sampler(data[0] & 0x7F, tuple(loops))
