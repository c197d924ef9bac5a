"""Blocks of a FLAC file: a cue sheet at another rate, and the chunks of the WAV file it was (as `flac` keeps them)."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import Any

from mutagen import flac

from plugin_host.files.containers.wav_file import Chunk, chunk_bytes

_APPLICATION = 2
_RIFF = b"riff"
_LARGEST_BLOCK = (1 << 24) - 8
_LARGEST = (1 << 32) - 1


def riff_blocks(chunks: Sequence[Chunk], form: bytes, data_bytes: int) -> Iterator[Any]:
    """Yield the blocks that make a WAV file of the FLAC file again, with `flac --keep-foreign-metadata`.

    Args:
        chunks: What is kept of the WAV file; all of it goes before the sound.
        form: What `fmt ` would say of the sound.
        data_bytes: How long its samples would be.
    """
    kept = [(code, data) for code, data in chunks if len(data) + 16 < _LARGEST_BLOCK]
    size = (
        4 + sum(8 + len(data) + len(data) % 2 for _, data in (*kept, (b"fmt ", form))) + 8 + data_bytes + data_bytes % 2
    )
    if not kept or size > _LARGEST:
        return
    yield _block(b"RIFF" + struct.pack("<I", size) + b"WAVE")
    yield _block(chunk_bytes(b"fmt ", form))
    for code, data in kept:
        yield _block(chunk_bytes(code, data))
    yield _block(b"data" + struct.pack("<I", data_bytes))


def read_riff_blocks(blocks: Sequence[Any]) -> Iterator[Chunk]:
    """Yield the chunks of a WAV file that a FLAC file keeps, without those of its sound."""
    for block in blocks:
        data = bytes(getattr(block, "data", b""))
        if getattr(block, "code", None) != _APPLICATION or data[:4] != _RIFF or len(data) < 12:
            continue
        code, size = struct.unpack_from("<4sI", data, 4)
        if code not in (b"RIFF", b"RF64", b"fmt ", b"data", b"fact", b"ds64", b"JUNK"):
            yield code, data[12 : 12 + size]


def sheet_at_rate(sheet: Any, old: int, new: int) -> Any:
    """Return a cue sheet (mutagen's) of the same moments at another rate."""
    if old == new:
        return sheet
    ratio = Fraction(new, old)
    scaled = flac.CueSheet(sheet.write())
    scaled.compact_disc = False
    scaled.lead_in_samples = round(sheet.lead_in_samples * ratio)
    for track in scaled.tracks:
        start = track.start_offset
        track.start_offset = round(start * ratio)
        track.indexes = [
            flac.CueSheetTrackIndex(
                index.index_number, round((start + index.index_offset) * ratio) - track.start_offset
            )
            for index in track.indexes
        ]
    return scaled


def _block(data: bytes) -> Any:
    block: Any = flac.MetadataBlock(_RIFF + data)
    block.code = _APPLICATION
    return block
