"""The chunks of a WAV file that are kept, and what in them counts samples, at another rate."""

from __future__ import annotations

import re
import struct
from collections.abc import Callable, Iterator
from fractions import Fraction
from typing import BinaryIO

from plugin_host.files.containers.riff import RiffFile, read_chunk
from plugin_host.files.containers.wav_file import Chunk, chunk_bytes

# A damaged header may claim anything, and what is kept is held in memory.
_MOST_BYTES = 64 << 20
# What describes the sound itself (and so would be wrong of the copy), or only fills room.
_OF_THE_SOUND = (b"fmt ", b"data", b"fact", b"PEAK", b"levl", b"ds64", b"JUNK", b"junk", b"FLLR", b"PAD ", b"r64m")
# What readers look for before the sound.
FIRST_CODES = (b"bext", b"chna", b"iXML", b"cart")
_LARGEST = (1 << 32) - 1
_TIMER_OFFSET, _TIMERS = 684, 8
_SAMPLE_RATE_WORDS = (b"FILE_SAMPLE_RATE", b"DIGITIZER_SAMPLE_RATE", b"TIMESTAMP_SAMPLE_RATE")


def kept_chunks(file: BinaryIO, riff: RiffFile) -> Iterator[Chunk]:
    """Yield every chunk that is not about the samples themselves, byte for byte."""
    room = _MOST_BYTES
    for code, start, size in riff.chunks:
        if code in _OF_THE_SOUND or size > room or (riff.kind == "W64" and code != b"bext"):
            continue
        data = read_chunk(file, start, size)
        if len(data) == size:
            room -= size
            yield code, data


def at_rate(chunk: Chunk, old: int, new: int) -> Chunk:
    """Return a chunk whose positions and lengths in samples are those of the same moments at another rate."""
    code, data = chunk
    change = _CHANGES.get(code)
    if old == new or change is None:
        return chunk
    try:
        return code, change(data, Fraction(new, old))
    except struct.error:
        return chunk


def info_words(chunks: tuple[Chunk, ...]) -> dict[str, str]:
    """Return the text of `LIST INFO` by lower-case Vorbis name."""
    words = {}
    for code, data in chunks:
        if code == b"LIST" and data[:4] == b"INFO":
            for name, text in _listed(data[4:]):
                if name in WORD_OF_INFO and (value := decode_text(text)):
                    words[WORD_OF_INFO[name]] = value
    return words


WORD_OF_INFO = {
    b"INAM": "title", b"IART": "artist", b"IPRD": "album", b"ICRD": "date", b"IGNR": "genre", b"ICMT": "comment",
    b"ITRK": "tracknumber", b"ICOP": "copyright", b"IENG": "engineer", b"ISRC": "source", b"IKEY": "keywords",
    b"ISBJ": "subject", b"ILNG": "language",
}  # fmt: skip


def decode_text(data: bytes) -> str:
    """Return text that is UTF-8 where it can be, and else as Windows writes it in the west."""
    text = data.split(b"\0")[0]
    try:
        return text.decode("utf-8").strip()
    except UnicodeDecodeError:
        return text.decode("cp1252", errors="replace").replace("\ufffd", "?").strip()


def _listed(data: bytes) -> Iterator[Chunk]:
    position = 0
    while position + 8 <= len(data):
        code, size = struct.unpack_from("<4sI", data, position)
        yield code, data[position + 8 : position + 8 + size]
        position += 8 + size + size % 2


def _scaled(number: int, ratio: Fraction) -> int:
    return min(round(number * ratio), _LARGEST)


def _bext(data: bytes, ratio: Fraction) -> bytes:
    reference = struct.unpack_from("<Q", data, 338)[0]
    return data[:338] + struct.pack("<Q", min(round(reference * ratio), (1 << 64) - 1)) + data[346:]


def _with_fields(data: bytes, offsets: list[int], ratio: Fraction) -> bytes:
    changed = bytearray(data)
    for offset in offsets:
        struct.pack_into("<I", changed, offset, _scaled(struct.unpack_from("<I", data, offset)[0], ratio))
    return bytes(changed)


def _cue(data: bytes, ratio: Fraction) -> bytes:
    count = min(struct.unpack_from("<I", data)[0], (len(data) - 4) // 24)
    return _with_fields(data, [4 + 24 * number + field for number in range(count) for field in (4, 20)], ratio)


def _list(data: bytes, ratio: Fraction) -> bytes:
    if data[:4] != b"adtl":
        return data
    parts = [(code, _with_fields(text, [4], ratio) if code == b"ltxt" else text) for code, text in _listed(data[4:])]
    return b"adtl" + b"".join(chunk_bytes(code, text) for code, text in parts)


def _sampler(data: bytes, ratio: Fraction) -> bytes:
    period, count = struct.unpack_from("<I", data, 8)[0], struct.unpack_from("<I", data, 28)[0]
    changed = bytearray(data)
    struct.pack_into("<I", changed, 8, min(round(period / ratio), _LARGEST))
    for number in range(min(count, (len(data) - 36) // 24)):
        start, last = struct.unpack_from("<II", data, 36 + 24 * number + 8)
        # A loop ends with its last sample, and so before the first one after it.
        after = _scaled(last + 1, ratio)
        struct.pack_into("<II", changed, 36 + 24 * number + 8, _scaled(start, ratio), max(0, after - 1))
    return bytes(changed)


def _playlist(data: bytes, ratio: Fraction) -> bytes:
    count = min(struct.unpack_from("<I", data)[0], (len(data) - 4) // 12)
    return _with_fields(data, [4 + 12 * number + 4 for number in range(count)], ratio)


def _cart(data: bytes, ratio: Fraction) -> bytes:
    offsets = [_TIMER_OFFSET + 8 * number for number in range(_TIMERS)]
    used = [offset + 4 for offset in offsets if data[offset : offset + 4].strip(b"\0 ")]
    return _with_fields(data, used, ratio)


def _ixml(data: bytes, ratio: Fraction) -> bytes:
    for word in _SAMPLE_RATE_WORDS:
        data = re.sub(
            rb"(<" + word + rb">\s*)(\d+)(\s*</)", lambda found: _rewritten(found, round(int(found[2]) * ratio)), data
        )
    return re.sub(
        rb"(<TIMESTAMP_SAMPLES_SINCE_MIDNIGHT_HI>\s*)(\d+)(\s*</.*?<TIMESTAMP_SAMPLES_SINCE_MIDNIGHT_LO>\s*)(\d+)",
        lambda found: _two_words(found, ratio),
        data,
        flags=re.DOTALL,
    )


def _rewritten(found: re.Match[bytes], number: int) -> bytes:
    return found[1] + str(number).encode() + found[3]


def _two_words(found: re.Match[bytes], ratio: Fraction) -> bytes:
    samples = round(((int(found[2]) << 32) + int(found[4])) * ratio)
    return found[1] + str(samples >> 32).encode() + found[3] + str(samples & _LARGEST).encode()


def _adm(data: bytes, ratio: Fraction) -> bytes:
    return re.sub(rb'(sampleRate=")(\d+)(")', lambda found: _rewritten(found, round(int(found[2]) * ratio)), data)


_CHANGES: dict[bytes, Callable[[bytes, Fraction], bytes]] = {
    b"bext": _bext, b"cue ": _cue, b"LIST": _list, b"smpl": _sampler, b"plst": _playlist, b"cart": _cart,
    b"iXML": _ixml, b"axml": _adm,
}  # fmt: skip
