"""The decoder of a file, chosen by its content, and its length by a count that does not rest on the decoder."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path
from typing import Any, BinaryIO

from plugin_host.files.audio_error import AudioFileError
from plugin_host.files.containers import aiff, flac, mpeg, ogg
from plugin_host.files.containers.decoder import DAMAGE, Chain, Decoder, Link
from plugin_host.files.containers.file_bytes import FileBytes
from plugin_host.files.containers.plain_samples import PlainSamples, can_read
from plugin_host.files.containers.riff import RiffFile, WavFormat, read_riff
from plugin_host.files.containers.spliced import Piece, Spliced

_PCM, _FLOAT, _A_LAW, _MU_LAW = 1, 3, 6, 7
_RAW = {
    (_PCM, 1): "PCM_U8", (_PCM, 2): "PCM_16", (_PCM, 3): "PCM_24", (_PCM, 4): "PCM_32", (_FLOAT, 4): "FLOAT",
    (_FLOAT, 8): "DOUBLE", (_A_LAW, 1): "ALAW", (_MU_LAW, 1): "ULAW",
}  # fmt: skip
_BUFFER_BYTES = 1 << 16
_MPEG_TAGS = (0x50, 0x55)
_MPEG_SUFFIXES = (".mp3", ".mp2", ".mp1", ".mpga", ".mpa")


@dataclass(frozen=True)
class Source:
    """A file that can be decoded.

    Attributes:
        sound: Its samples.
        riff: Its chunks, where it is a WAV file or of its kin.
        valid_bits: Bits of its samples that count, where it says so.
        seconds_promised: What its header promises, where that is more than there is.
        torn: Places where sound is missing: between two frames of an MP3 file, or torn pages of Ogg.
    """

    sound: Chain
    riff: RiffFile | None = None
    valid_bits: int = 0
    seconds_promised: float = 0.0
    torn: int = 0


def open_source(path: Path, file: BinaryIO) -> Source:
    """Return the decoder of a file that libsndfile can play.

    Raises:
        AudioFileError: It is cut off, or changes its rate on the way.
        soundfile.SoundFileError or another of DAMAGE: libsndfile can't play it.
    """
    file.seek(0)
    head = file.read(12)
    if riff := read_riff(file):
        return _of_riff(path, file, riff)
    data = FileBytes(file)
    if head[:4] == b"OggS":
        return _of_ogg(path, file, data)
    if info := flac.read_stream_info(data, _after_id3(data)):
        return _of_flac(file, data, info)
    if head[:4] == b"FORM":
        return _of_aiff(file, data)
    is_mpeg = path.suffix.lower() in _MPEG_SUFFIXES or head[:3] == b"ID3" or head[:1] == b"\xff"
    if is_mpeg and (stretches := mpeg.read_stretches(data)):
        return _of_mpeg(path, file, data, stretches)
    return Source(Chain([Link(_link(file, [(0, len(data))]))]))


def _spliced(file: BinaryIO, pieces: Sequence[Piece], **raw: Any) -> Decoder:
    # libsndfile asks for few bytes at a time.
    return Decoder(BufferedReader(Spliced(file, pieces), _BUFFER_BYTES), **raw)


def _after_id3(data: FileBytes) -> int:
    return mpeg.tag_bytes(data, 0) if data[:3] == b"ID3" else 0


def _of_riff(path: Path, file: BinaryIO, riff: RiffFile) -> Source:
    form = riff.format
    if form is None:
        raise ValueError("no format")
    if form.tag in _MPEG_TAGS:
        data = FileBytes(file)
        stretches = mpeg.read_stretches(data, riff.data_start, riff.data_start + riff.data_bytes)
        if not stretches:
            raise ValueError("no MPEG")
        return _of_mpeg(path, file, data, stretches, riff)
    coding = _RAW.get((form.tag, form.sample_bytes))
    if coding and form.channels:
        return _of_samples(file, riff, form, coding)
    # Chunks that libsndfile may stumble over are left out; what it needs to unpack the samples is kept.
    kept = [
        piece for code, start, size in riff.chunks if code in (b"fmt ", b"fact") for piece in _chunk(code, start, size)
    ]
    body: list[Piece] = [*kept, *_chunk(b"data", riff.data_start, riff.data_bytes)]
    total = 4 + sum(len(piece) if isinstance(piece, bytes) else piece[1] for piece in body)
    pieces = [b"RIFF" + total.to_bytes(4, "little") + b"WAVE", *body]
    seconds = riff.promised_bytes / max(1, riff.data_bytes)
    sound = Chain([Link(_link(file, pieces))])
    missing = riff.promised_bytes - riff.data_bytes >= form.align
    return Source(sound, riff, seconds_promised=missing * seconds * sound.frames / sound.rate)


def _chunk(code: bytes, start: int, size: int) -> tuple[Piece, ...]:
    return (code + size.to_bytes(4, "little"), (start, size), b"\0" * (size % 2))


def _of_samples(file: BinaryIO, riff: RiffFile, form: WavFormat, coding: str) -> Source:
    """Samples side by side need no decoder's opinion on how many there are."""
    align = form.sample_bytes * form.channels
    frames = riff.data_bytes // align
    start = riff.data_start
    raw = {"samplerate": form.rate, "channels": form.channels, "subtype": coding, "format": "RAW", "endian": "LITTLE"}
    if can_read(form.rate, form.channels, coding):
        sound = Chain([Link(lambda: PlainSamples(file, start, frames, form.rate, form.channels, coding), frames)])
    else:
        sound = Chain([Link(lambda: _spliced(file, [(start, frames * align)], **raw), frames)])
    promised = riff.promised_bytes // align
    return Source(sound, riff, form.bits, promised / form.rate if promised > frames else 0.0)


def _of_ogg(path: Path, file: BinaryIO, data: FileBytes) -> Source:
    streams = ogg.read_streams(data)
    if not streams:
        raise ValueError("no stream of sound")
    links = [_link(file, stream.ranges) for stream in streams]
    sound = _joined(path, links, [(stream.rate, stream.channels) for stream in streams])
    return Source(sound, torn=sum(stream.torn for stream in streams))


def _link(file: BinaryIO, pieces: Sequence[Piece]) -> Callable[[], Decoder]:
    return lambda: _spliced(file, pieces)


def _of_mpeg(
    path: Path, file: BinaryIO, data: FileBytes, stretches: Sequence[mpeg.Stretch], riff: RiffFile | None = None
) -> Source:
    links = [_link(file, stretch.pieces(data)) for stretch in stretches]
    sound = _joined(path, links, [(stretch.first.rate, stretch.first.channels) for stretch in stretches])
    missing = sum(stretch.missing * stretch.first.samples / stretch.first.rate for stretch in stretches)
    promised = sound.frames / sound.rate + missing if missing else 0.0
    return Source(sound, riff, seconds_promised=promised, torn=sum(stretch.torn for stretch in stretches))


def _joined(path: Path, links: Sequence[Callable[[], Decoder]], kinds: Sequence[tuple[int, int]]) -> Chain:
    if len(links) == 1:
        return Chain([Link(links[0])])
    counted, seconds = [], 0.0
    for link, kind in zip(links, kinds, strict=True):
        if kind != kinds[0]:
            raise AudioFileError(
                f"{path} changes from {_named(kinds[0])} to {_named(kind)} after {seconds:.1f} s; split it there"
            )
        try:
            with link() as decoder:
                counted.append(Link(link, int(decoder.frames)))
                seconds += decoder.frames / decoder.samplerate
        except DAMAGE:
            raise AudioFileError(f"{path} is damaged after {seconds:.1f} s; export it again") from None
    return Chain(counted)


def _named(kind: tuple[int, int]) -> str:
    return f"{kind[0]} Hz with {kind[1]} channel{'s' if kind[1] > 1 else ''}"


def _of_flac(file: BinaryIO, data: FileBytes, info: flac.StreamInfo) -> Source:
    counted = flac.counted_samples(data, info)
    start, end = info.position - 18, len(data)
    pieces: list[Piece] = [(start, end - start)]
    if counted and not counted <= info.samples:
        figures = flac.with_samples(data, info, counted)
        after = info.position + len(figures)
        pieces = [(start, info.position - start), figures, (after, end - after)]
    sound = Chain([Link(_link(file, pieces), counted or info.samples)])
    return Source(sound, seconds_promised=info.samples / info.rate if counted < info.samples and info.rate else 0.0)


def _of_aiff(file: BinaryIO, data: FileBytes) -> Source:
    sound = Chain([Link(_link(file, [(0, len(data))]))])
    promised, there = aiff.sound_bytes(data)
    seconds = sound.frames / sound.rate * promised / max(1, there)
    return Source(sound, seconds_promised=seconds if promised > there else 0.0)
