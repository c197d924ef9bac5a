"""Tags of audio files: title, artist, pictures, time stamps and markers, carried from one file to another."""

from __future__ import annotations

import base64
import io
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

import mutagen
from mutagen import flac, id3

Chunk = tuple[bytes, bytes]

# Sizes that no honest tag reaches; a damaged header may claim anything.
_LARGEST_CHUNK = 16 << 20
_MOST_CHUNKS = 1000
_TEXT_CHUNKS = (b"id3 ", b"ID3 ", b"_PMX")
# These count samples, so they are true only while the sample rate stays.
_TIMED_CHUNKS = (b"bext", b"iXML", b"axml", b"cue ", b"smpl", b"inst", b"acid")
_WORD_OF_FRAME = {
    "TIT2": "title", "TPE1": "artist", "TPE2": "albumartist", "TALB": "album", "TDRC": "date", "TRCK": "tracknumber",
    "TPOS": "discnumber", "TCON": "genre", "TCOM": "composer", "TBPM": "bpm", "TKEY": "initialkey", "TSRC": "isrc",
    "TCOP": "copyright", "TPUB": "organization", "TIT1": "grouping", "TIT3": "version", "TEXT": "lyricist",
}  # fmt: skip
_FRAME_OF_WORD = {word: frame for frame, word in _WORD_OF_FRAME.items()}
_INFO_OF_WORD = {
    "title": b"INAM", "artist": b"IART", "album": b"IPRD", "date": b"ICRD", "genre": b"IGNR", "comment": b"ICMT",
    "tracknumber": b"ITRK", "copyright": b"ICOP",
}  # fmt: skip


@dataclass(frozen=True)
class Picture:
    """A picture inside a file: its type ("image/png"), its role (ID3's numbers; 3 is the front cover) and its bytes."""

    mime: str
    role: int
    about: str
    data: bytes


@dataclass(frozen=True)
class AudioTags:
    """What a file says about itself.

    Attributes:
        words: Text by lower-case Vorbis name ("title", "artist", "bpm").
        pictures: Cover art.
        chunks: Chunks of a WAV file kept byte for byte (broadcast time stamp, markers, INFO, ID3).
    """

    words: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    pictures: tuple[Picture, ...] = ()
    chunks: tuple[Chunk, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.words or self.pictures or self.chunks)

    @classmethod
    def read(cls, path: Path, plain: Mapping[str, str], same_rate: bool = True) -> AudioTags:
        """Read a file's tags; damaged ones count as absent, for they must never stop a render.

        Args:
            path: The file.
            plain: Text found by the audio decoder; more specific tags of the same name replace it.
            same_rate: Whether the copy keeps the sample rate, so that markers and time stamps stay true.
        """
        words = {name: (text,) for name, text in plain.items() if text and name != "software"}
        try:
            chunks = tuple(_wav_chunks(path, same_rate))
        except OSError:
            chunks = ()
        try:
            found = mutagen.File(path)
            rich_words, pictures = _from_mutagen(found)
        except Exception:  # mutagen raises many kinds on damaged tags, and none of them is the user's concern here
            rich_words, pictures = {}, ()
        return cls({**words, **rich_words}, pictures, chunks)

    def write(self, path: Path, *, is_flac: bool) -> None:
        """Add the tags to a finished WAV or FLAC file; raise OSError when the disk refuses."""
        if is_flac:
            self._write_flac(path)
        else:
            _append_chunks(path, self.chunks or self.as_chunks())

    def _write_flac(self, path: Path) -> None:
        try:
            file = flac.FLAC(path)
            for name, texts in self.words.items():
                if name.isascii() and name.isprintable() and "=" not in name and "~" not in name:
                    file[name] = list(texts)
            for picture in self.pictures:
                file.add_picture(_flac_picture(picture))
            file.save()
        except mutagen.MutagenError as error:
            raise OSError(str(error)) from error

    def as_chunks(self) -> tuple[Chunk, ...]:
        """Return text and pictures as chunks of a WAV file."""
        tag = id3.ID3()
        for name, texts in self.words.items():
            tag.add(_id3_frame(name, list(texts)))
        for picture in self.pictures:
            tag.add(id3.APIC(3, picture.mime, picture.role, picture.about, picture.data))
        buffer = io.BytesIO()
        tag.save(buffer)
        info = b"".join(
            _chunk_bytes(code, self.words[word][0].encode() + b"\0")
            for word, code in _INFO_OF_WORD.items()
            if word in self.words
        )
        listed: tuple[Chunk, ...] = ((b"LIST", b"INFO" + info),) if info else ()
        return (*listed, (b"id3 ", buffer.getvalue()))


def _from_mutagen(found: Any) -> tuple[dict[str, tuple[str, ...]], tuple[Picture, ...]]:
    tags = getattr(found, "tags", None)
    if tags is None:
        return {}, tuple(_pictures_of_flac(found))
    if isinstance(tags, id3.ID3):
        return dict(_words_of_id3(tags)), tuple(
            Picture(frame.mime, int(frame.type), frame.desc, frame.data) for frame in tags.getall("APIC")
        )
    words = {str(name).lower(): tuple(str(text) for text in texts) for name, texts in tags.as_dict().items()}
    coded = words.pop("metadata_block_picture", ())
    in_ogg = (flac.Picture(base64.b64decode(text)) for text in coded)
    return words, (*_pictures_of_flac(found), *(_picture(block) for block in in_ogg))


def _words_of_id3(tags: Any) -> Iterator[tuple[str, tuple[str, ...]]]:
    for frame in tags.values():
        if frame.FrameID in _WORD_OF_FRAME:
            yield _WORD_OF_FRAME[frame.FrameID], tuple(str(text) for text in frame.text)
        elif frame.FrameID == "COMM" and not frame.desc:
            yield "comment", tuple(frame.text)
        elif frame.FrameID == "TXXX" and frame.desc:
            yield frame.desc.lower(), tuple(frame.text)


def _id3_frame(name: str, texts: list[str]) -> Any:
    if name == "comment":
        return id3.COMM(3, "eng", "", texts)
    if name in _FRAME_OF_WORD:
        return getattr(id3, _FRAME_OF_WORD[name])(3, texts)
    return id3.TXXX(3, name, texts)


def _pictures_of_flac(found: Any) -> Iterator[Picture]:
    return (_picture(block) for block in getattr(found, "pictures", ()))


def _picture(block: Any) -> Picture:
    return Picture(block.mime, int(block.type), block.desc, block.data)


def _flac_picture(picture: Picture) -> Any:
    block = flac.Picture()
    block.mime, block.type, block.desc, block.data = picture.mime, picture.role, picture.about, picture.data
    return block


def _wav_chunks(path: Path, same_rate: bool) -> Iterator[Chunk]:
    with open(path, "rb") as file:
        head = file.read(12)
        if head[:4] != b"RIFF" or head[8:12] != b"WAVE":
            return
        for _ in range(_MOST_CHUNKS):
            header = file.read(8)
            if len(header) < 8:
                return
            code, size = struct.unpack("<4sI", header)
            after = file.tell() + size + size % 2
            if size <= _LARGEST_CHUNK and _is_kept(code, file, same_rate):
                data = file.read(size)
                if len(data) == size:
                    yield code, data
            file.seek(after)


def _is_kept(code: bytes, file: BinaryIO, same_rate: bool) -> bool:
    if code == b"LIST":
        kind = file.read(4)
        file.seek(-len(kind), io.SEEK_CUR)
        return kind == b"INFO" or (same_rate and kind == b"adtl")
    return code in _TEXT_CHUNKS or (same_rate and code in _TIMED_CHUNKS)


def _append_chunks(path: Path, chunks: tuple[Chunk, ...]) -> None:
    with open(path, "rb+") as file:
        if file.read(4) != b"RIFF":
            return  # RF64 keeps its sizes elsewhere; files beyond 4 GiB go without tags
        end = file.seek(0, io.SEEK_END)
        added = b"\0" * (end % 2) + b"".join(_chunk_bytes(code, data) for code, data in chunks)
        if end + len(added) >= 1 << 32:
            return
        file.write(added)
        file.seek(4)
        file.write(struct.pack("<I", end + len(added) - 8))


def _chunk_bytes(code: bytes, data: bytes) -> bytes:
    return struct.pack("<4sI", code, len(data)) + data + b"\0" * (len(data) % 2)
