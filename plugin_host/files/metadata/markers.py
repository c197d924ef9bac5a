"""Markers and loops: read from FLAC cue sheets and chapters, written as chunks of a WAV file."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from mutagen import id3

from plugin_host.files.containers.wav_file import Chunk, chunk_bytes

_LARGEST = (1 << 32) - 1
_MOST_MARKERS = 10_000


@dataclass(frozen=True)
class Marker:
    """A place in the sound.

    Attributes:
        seconds: Where it is.
        label: Its name.
        length_s: How far it reaches, 0 of a point.
    """

    seconds: Fraction
    label: str = ""
    length_s: Fraction = Fraction(0)


@dataclass(frozen=True)
class Sampler:
    """How a sampler plays the sound: its note and its loops, as (start, end, kind), kind 1 there and back."""

    note: int
    loops: tuple[tuple[Fraction, Fraction, int], ...]


def marker_chunks(markers: Sequence[Marker], sampler: Sampler | None, rate: int) -> Iterator[Chunk]:
    """Yield markers and loops as a WAV file keeps them: `cue `, `LIST adtl` and `smpl`."""
    if markers:
        places = [min(round(marker.seconds * rate), _LARGEST) for marker in markers]
        points = [struct.pack("<II4sIII", i + 1, at, b"data", 0, 0, at) for i, at in enumerate(places)]
        yield b"cue ", struct.pack("<I", len(points)) + b"".join(points)
        notes = b"".join(_notes(i + 1, marker, rate) for i, marker in enumerate(markers))
        if notes:
            yield b"LIST", b"adtl" + notes
    if sampler:
        head = struct.pack("<9I", 0, 0, round(1e9 / rate), sampler.note, 0, 0, 0, len(sampler.loops), 0)
        yield b"smpl", head + b"".join(_loop(i, loop, rate) for i, loop in enumerate(sampler.loops))


def _notes(number: int, marker: Marker, rate: int) -> bytes:
    name = struct.pack("<I", number) + marker.label.encode() + b"\0"
    length = min(round(marker.length_s * rate), _LARGEST)
    region = struct.pack("<II4sHHHH", number, length, b"rgn ", 0, 0, 0, 0)
    return (chunk_bytes(b"labl", name) if marker.label else b"") + (chunk_bytes(b"ltxt", region) if length else b"")


def _loop(number: int, loop: tuple[Fraction, Fraction, int], rate: int) -> bytes:
    start, end = round(loop[0] * rate), round(loop[1] * rate)
    return struct.pack("<6I", number, loop[2], min(start, _LARGEST), min(max(end - 1, start), _LARGEST), 0, 0)


def read_cue_sheet(sheet: Any, rate: int) -> tuple[Marker, ...]:
    """Return the tracks of a FLAC cue sheet (mutagen's), without the one that only marks the end."""
    tracks = [track for track in sheet.tracks if track.track_number not in (170, 255)]
    return tuple(Marker(Fraction(track.start_offset, rate), f"Track {track.track_number:02d}") for track in tracks)


def read_id3_chapters(tag: Any) -> tuple[Marker, ...]:
    """Return the chapters of an ID3 tag (mutagen's), in order of time."""
    found = []
    for frame in tag.getall("CHAP")[:_MOST_MARKERS]:
        title = next((str(part) for part in frame.sub_frames.getall("TIT2")), "")
        length = max(0, frame.end_time - frame.start_time)
        found.append(Marker(Fraction(frame.start_time, 1000), title, Fraction(length, 1000)))
    return tuple(sorted(found, key=lambda marker: marker.seconds))


def read_mp4_chapters(found: Any) -> tuple[Marker, ...]:
    """Return the chapters of an m4a or m4b file that mutagen has read."""
    chapters = getattr(found, "chapters", None) or ()
    return tuple(Marker(Fraction(chapter.start).limit_denominator(1000), chapter.title) for chapter in chapters)


def read_chapter_words(words: Mapping[str, tuple[str, ...]]) -> tuple[Marker, ...]:
    """Return the chapters that Vorbis comments name: CHAPTER001=00:00:00.000, CHAPTER001NAME=title."""
    found = []
    for name in sorted(words):
        if name[:7] == "chapter" and name[7:].isdecimal():
            try:
                hours, minutes, seconds = words[name][0].split(":")
                at = Fraction(seconds) + 60 * int(minutes) + 3600 * int(hours)
            except ValueError:
                continue
            found.append(Marker(at, words.get(f"{name}name", ("",))[0]))
    return tuple(found)


def chapter_words(markers: Sequence[Marker]) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield chapters as Vorbis comments."""
    for number, marker in enumerate(markers[:1000]):
        milliseconds = round(marker.seconds * 1000)
        minutes, rest = divmod(milliseconds, 60_000)
        clock = f"{minutes // 60:02d}:{minutes % 60:02d}:{rest // 1000:02d}.{rest % 1000:03d}"
        yield f"chapter{number:03d}", (clock,)
        yield f"chapter{number:03d}name", (marker.label,)


def chapter_frames(markers: Sequence[Marker]) -> list[Any]:
    """Return chapters as frames of an ID3 tag (mutagen's)."""
    names = [f"ch{number}" for number in range(len(markers))]
    ends = [round(marker.seconds * 1000) for marker in markers[1:]]
    frames: list[Any] = [id3.CTOC("toc", id3.CTOCFlags.TOP_LEVEL | id3.CTOCFlags.ORDERED, names, [])]
    for name, marker, following in zip(names, markers, [*ends, 0xFFFFFFFF], strict=True):
        start = round(marker.seconds * 1000)
        end = round((marker.seconds + marker.length_s) * 1000) if marker.length_s else following
        title = [id3.TIT2(3, [marker.label])] if marker.label else []
        frames.append(id3.CHAP(name, start, end, 0xFFFFFFFF, 0xFFFFFFFF, title))
    return frames
