"""What belongs to a file besides its sound, carried from one file to another: words, pictures, time stamps, markers."""

from __future__ import annotations

import base64
import io
import os
import struct
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, BinaryIO

import mutagen
from mutagen import flac, id3, mp4, oggopus

from plugin_host.files.containers.file_bytes import FileBytes
from plugin_host.files.containers.riff import RiffFile, read_riff
from plugin_host.files.containers.wav_file import Chunk, chunk_bytes
from plugin_host.files.metadata.aiff import read_aiff_markers, read_aiff_words
from plugin_host.files.metadata.chunks import FIRST_CODES, WORD_OF_INFO, at_rate, info_words, kept_chunks
from plugin_host.files.metadata.flac_blocks import read_riff_blocks, riff_blocks, sheet_at_rate
from plugin_host.files.metadata.markers import (
    Marker,
    Sampler,
    chapter_frames,
    chapter_words,
    marker_chunks,
    read_chapter_words,
    read_cue_sheet,
    read_id3_chapters,
    read_mp4_chapters,
)
from plugin_host.files.metadata.words import (
    Picture,
    Words,
    flac_picture,
    id3_tag,
    mp4_atom,
    pictures_of_id3,
    read_words,
    words_of_id3,
    writable,
)

__all__ = ["AudioTags", "Chunk", "Marker", "Picture"]

_ID3_CODES = (b"id3 ", b"ID3 ")
_MASK_WORD = "waveformatextensible_channel_mask"
# What FLAC's own order of channels means, by their number.
_FLAC_MASKS = {3: 0x7, 4: 0x33, 5: 0x37, 6: 0x3F, 7: 0x70F, 8: 0x63F}
_LARGEST_HEAD = 1 << 20


@dataclass(frozen=True)
class AudioTags:
    """What a file says about itself.

    Attributes:
        words: Text by lower-case Vorbis name ("title", "artist", "bpm").
        pictures: Cover art.
        chunks: Chunks of a WAV file kept byte for byte (broadcast time stamp, markers, INFO, ID3, ADM, unknown ones).
        id3: The whole ID3 tag (mutagen's) of a file that has one outside of `chunks`.
        markers: Markers and chapters of a file that is no WAV file.
        sampler: Note and loops of a file that is no WAV file.
        cue_sheet: The cue sheet (mutagen's) of a FLAC file.
        mask: Loudspeakers of the channels as WAVE_FORMAT_EXTENSIBLE names them, 0 where they are not named.
        rate: Sample rate that `chunks` and `cue_sheet` count in, Hz.
    """

    words: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    pictures: tuple[Picture, ...] = ()
    chunks: tuple[Chunk, ...] = ()
    id3: Any = None
    markers: tuple[Marker, ...] = ()
    sampler: Sampler | None = None
    cue_sheet: Any = None
    mask: int = 0
    rate: int = 0

    @classmethod
    def read(cls, path: Path, rate: int, plain: Mapping[str, str] | None = None) -> AudioTags:
        """Read a file's tags; damaged ones count as absent, for they must never stop a render.

        Args:
            path: The file.
            rate: Its sample rate in Hz.
            plain: Text found by the audio decoder; more specific tags of the same name replace it.
        """
        words: Words = {name: (text,) for name, text in (plain or {}).items() if text and name != "software"}
        try:
            with open(path, "rb") as file:
                if riff := read_riff(file):
                    return cls._of_wav(file, riff, rate, words)
                return cls._of_others(path, file, rate, words)
        except Exception:  # mutagen raises many kinds on damaged tags, and none of them is the user's concern here
            return cls(words, rate=rate)

    @classmethod
    def _of_wav(cls, file: BinaryIO, riff: RiffFile, rate: int, words: Words) -> AudioTags:
        chunks = tuple(kept_chunks(file, riff))
        words |= {name: (text,) for name, text in info_words(chunks).items()}
        pictures: tuple[Picture, ...] = ()
        tag = _id3_of_chunks(chunks)
        if tag is not None:
            words |= words_of_id3(tag)
            pictures = pictures_of_id3(tag)
        mask = riff.format.mask if riff.format else 0
        return cls(words, pictures, chunks, mask=mask, rate=rate)

    @classmethod
    def _of_others(cls, path: Path, file: BinaryIO, rate: int, words: Words) -> AudioTags:
        data = FileBytes(file)
        is_aiff = data[:4] == b"FORM"
        markers, sampler = read_aiff_markers(data, rate) if is_aiff else ((), None)
        words |= read_aiff_words(data) if is_aiff else {}
        found: Any = mutagen.File(os.fspath(path))
        rich, pictures = read_words(found)
        words |= rich
        tag = found.tags if isinstance(getattr(found, "tags", None), id3.ID3) else None
        sheet = getattr(found, "cuesheet", None)
        chunks = tuple(read_riff_blocks(getattr(found, "metadata_blocks", ())))
        mask = _mask_of_flac(found, words)
        markers = markers or (read_id3_chapters(tag) if tag is not None else ()) or read_chapter_words(words)
        markers = markers or (read_cue_sheet(sheet, rate) if sheet else ()) or read_mp4_chapters(found)
        return cls(words, pictures, chunks, tag, markers, sampler, sheet, mask, rate)

    def at_rate(self, rate: int) -> AudioTags:
        """Return the tags of the same sound at another sample rate in Hz."""
        if not self.rate or rate == self.rate:
            return self
        chunks = tuple(at_rate(chunk, self.rate, rate) for chunk in self.chunks)
        sheet = self.cue_sheet and sheet_at_rate(self.cue_sheet, self.rate, rate)
        return replace(self, chunks=chunks, cue_sheet=sheet, rate=rate)

    def mask_of(self, channels: int) -> int:
        """Return the loudspeakers of so many channels, 0 where they are not named one by one."""
        return self.mask if self.mask.bit_count() == channels else 0

    def wav_chunks(self, rate: int) -> tuple[tuple[Chunk, ...], tuple[Chunk, ...]]:
        """Return the chunks of a WAV file at this rate: those before the sound, and those behind it."""
        chunks = [*self.chunks]
        if (self.words or self.pictures or self.id3) and not _id3_chunks(chunks):
            has_info = any(code == b"LIST" and data[:4] == b"INFO" for code, data in chunks)
            chunks += [] if has_info and not self.pictures else self._word_chunks(has_info)
        if not any(code == b"cue " for code, _ in chunks):
            chunks += marker_chunks(self.markers, self.sampler, rate)
        head = tuple(chunk for chunk in chunks if chunk[0] in FIRST_CODES and len(chunk[1]) < _LARGEST_HEAD)
        return head, tuple(chunk for chunk in chunks if chunk not in head)

    def write_flac(self, path: Path, form: bytes, data_bytes: int) -> None:
        """Add the tags to a finished FLAC file; raise OSError when the disk refuses.

        Args:
            path: The file.
            form: What the `fmt ` chunk of a WAV file would say of it.
            data_bytes: How long its samples would be in a WAV file.
        """
        with _disk_faults():
            file = flac.FLAC(os.fspath(path))
            self._add_words(file)
            for picture in self.pictures:
                file.add_picture(flac_picture(picture))
            chunks = self.chunks or tuple(marker_chunks(self._points(), self.sampler, file.info.sample_rate))
            file.metadata_blocks += riff_blocks(chunks, form, data_bytes)
            if self.cue_sheet:
                file.metadata_blocks.append(self.cue_sheet)
            mask = self.mask_of(file.info.channels)
            if mask and mask != _FLAC_MASKS.get(file.info.channels):
                file[_MASK_WORD.upper()] = f"0x{mask:04X}"
            file.save()

    def write_mp3(self, path: Path) -> None:
        """Add the tags to a finished MP3 file; raise OSError when the disk refuses."""
        tag = self._whole_id3()
        if self.markers and not tag.getall("CHAP"):
            for frame in chapter_frames(self.markers):
                tag.add(frame)
        with _disk_faults():
            writable(tag).save(os.fspath(path))

    def write_opus(self, path: Path) -> None:
        """Add the tags to a finished Opus file; raise OSError when the disk refuses."""
        with _disk_faults():
            file = oggopus.OggOpus(os.fspath(path))
            self._add_words(file)
            coded = [base64.b64encode(flac_picture(picture).write()).decode() for picture in self.pictures]
            if coded:
                file["metadata_block_picture"] = coded
            file.save()

    def write_m4a(self, path: Path) -> None:
        """Add the tags to a finished m4a file; raise OSError when the disk refuses."""
        with _disk_faults():
            file = mp4.MP4(os.fspath(path))
            for word, texts in self.words.items():
                for atom, value in mp4_atom(word, texts):
                    file[atom] = value
            covers = [picture for picture in self.pictures if picture.mime in ("image/png", "image/jpeg")]
            if covers:
                file["covr"] = [mp4.MP4Cover(p.data, 14 if p.mime == "image/png" else 13) for p in covers]
            file.save()

    def _points(self) -> tuple[Marker, ...]:
        """Markers that are not those of the cue sheet."""
        return () if self.cue_sheet else self.markers

    def _add_words(self, file: Any) -> None:
        chapters = () if any(name[:7] == "chapter" for name in self.words) else chapter_words(self._points())
        for name, texts in (*self.words.items(), *chapters):
            if name and name.isascii() and name.isprintable() and "=" not in name and "~" not in name:
                file[name] = [text.encode("utf-8", "replace").decode() for text in texts]

    def _whole_id3(self) -> Any:
        """Return the file's own ID3 tag with the words that it lacks."""
        own = self.id3 if self.id3 is not None else _id3_of_chunks(self.chunks)
        if own is None:
            return id3_tag(self.words, self.pictures)
        known = words_of_id3(own)
        tag = id3_tag({name: texts for name, texts in self.words.items() if name not in known}, ())
        for frame in own.values():
            tag.add(frame)
        return tag

    def _word_chunks(self, has_info: bool) -> list[Chunk]:
        buffer = io.BytesIO()
        writable(self._whole_id3()).save(buffer)
        info = b"".join(
            chunk_bytes(code, self.words[word][0].encode("utf-8", "replace") + b"\0")
            for code, word in WORD_OF_INFO.items()
            if word in self.words
        )
        listed = [(b"LIST", b"INFO" + info)] if info and not has_info else []
        return [*listed, (b"id3 ", buffer.getvalue())]


@contextmanager
def _disk_faults() -> Iterator[None]:
    """Raise OSError where the disk refuses; damaged tags that can't be written again stop nothing."""
    try:
        yield
    except OSError:
        raise
    except mutagen.MutagenError as error:
        cause = next((part for part in error.args if isinstance(part, OSError)), None)
        if cause:
            raise OSError(cause.errno, cause.strerror) from error
    except (ValueError, TypeError, LookupError, OverflowError, struct.error):
        return


def _id3_chunks(chunks: list[Chunk] | tuple[Chunk, ...]) -> list[bytes]:
    return [data for code, data in chunks if code in _ID3_CODES]


def _id3_of_chunks(chunks: tuple[Chunk, ...]) -> Any:
    for data in _id3_chunks(chunks):
        try:
            return id3.ID3(io.BytesIO(data))
        except mutagen.MutagenError:
            continue
    return None


def _mask_of_flac(found: Any, words: Words) -> int:
    """Return the loudspeakers of a FLAC file, and remove the word that names them."""
    if not isinstance(found, flac.FLAC):
        return 0
    text = words.pop(_MASK_WORD, ("",))[0]
    try:
        return int(text, 16)
    except ValueError:
        return _FLAC_MASKS.get(found.info.channels, 0)
