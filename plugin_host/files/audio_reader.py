"""Audio files as streams of blocks, read to their true end, or refused in one sentence where they can't be."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO, Self

import numpy as np

from dsp.buffers.finite import is_finite
from models.stage import Block
from plugin_host.files.audio_error import AudioFileError, reason
from plugin_host.files.audio_tags import AudioTags
from plugin_host.files.containers.decoder import DAMAGE
from plugin_host.files.containers.sources import Source, open_source
from plugin_host.files.second_reader import Decoded, decode, is_for_second
from plugin_host.files.suffixes import Bits

__all__ = ["AudioFileError", "AudioReader"]

LOWEST_RATE, HIGHEST_RATE = 1000, 768000

# MP3 encoders pad by up to a few frames of 1152 samples and not every header subtracts them.
_MP3_SLACK = 4 * 1152
_BLOCK_VALUES = 1 << 20
_LEAST_STRAY_S = 0.05
_FLOATS = ("PCM_32", "FLOAT", "DOUBLE", "VORBIS", "OPUS", "MPEG_LAYER_I", "MPEG_LAYER_II", "MPEG_LAYER_III")


class AudioReader:
    """An open audio file, read in blocks of float32, shape (channels, samples), -1..1.

    Samples that are not numbers become silence; `mended` counts them.

    Attributes:
        path: The file.
        rate: Sample rate in Hz.
        channels: Number of channels, at least 1.
        frames: Samples per channel, counted and not believed.
        bits: The depth that loses nothing of this file: "16", "24" or "32f", which the lossy formats need too, for
            their decoders go beyond full scale.
        mask: Loudspeakers of the channels as WAVE_FORMAT_EXTENSIBLE names them, 0 where the file names none.
        mended: Samples that were NaN or infinite since `blocks` began, or since the file was opened.
        notes: What a person should know of how the file was read, in a few words each.
    """

    def __init__(self, path: Path) -> None:
        """Open a file; raise AudioFileError if it is not audio that can be read."""
        self.path = path
        self._file = _opened(path)
        self._decoded: Decoded | None = None
        try:
            self._source = self._open_source()
            self._sound = self._source.sound
            self.rate, self.channels, self.frames = self._sound.rate, self._sound.channels, self._sound.frames
            self.bits = _native_bits(self._source, self._decoded)
            self.mask = self._source.riff.format.mask if self._source.riff and self._source.riff.format else 0
            self.mended = 0
            self.notes = (*(self._decoded.notes if self._decoded else ()), *self._stray(), *self._torn())
            self._refuse_implausible()
        except BaseException:
            self._close_files()
            raise

    def _open_source(self) -> Source:
        try:
            return open_source(self.path, self._file)
        except AudioFileError:
            raise
        except (*DAMAGE, OSError):
            if not is_for_second(self.path, self._file):
                raise AudioFileError(
                    f"{self.path} is not audio that can be read; export it again as WAV, FLAC, AIFF, OGG or MP3"
                ) from None
        self._decoded = decode(self.path, self._file)
        return open_source(Path("decoded.wav"), self._decoded.file)

    def _stray(self) -> tuple[str, ...]:
        riff = self._source.riff
        more_s = 0.0 if riff is None else riff.stray_bytes / max(1, riff.data_bytes) * self.seconds
        if self._decoded or more_s < _LEAST_STRAY_S:
            return ()
        return (f"{more_s:.1f} s more may follow the {self.seconds:.1f} s that its header names; export it again",)

    def _torn(self) -> Iterator[str]:
        if torn := self._source.torn:
            yield f"damaged in {'1 place' if torn == 1 else f'{torn} places'}, where sound is missing"

    @property
    def seconds(self) -> float:
        """Length in seconds."""
        return self.frames / self.rate

    def tags(self, rate: int | None = None) -> AudioTags:
        """Return the file's tags, with time stamps and markers counted at another rate where one is given."""
        tags = AudioTags.read(self.path, self.rate, self._decoded.words if self._decoded else self._sound.words)
        tags = replace(tags, mask=tags.mask or self.mask)
        return tags.at_rate(rate or self.rate)

    def block_frames(self) -> int:
        """Samples of a one-second block, fewer where many channels or a high rate would make it large."""
        return max(1, min(self.rate, _BLOCK_VALUES // self.channels))

    def blocks(self, size: int | None = None) -> Iterator[Block]:
        """Yield the whole file from its start in blocks of `size` samples; the last one may be shorter.

        Raises:
            AudioFileError: The data is damaged or ends before the count says.
        """
        size = size or self.block_frames()
        self._seek(0)
        done = self.mended = 0
        while (block := self._read(size, done)).shape[1]:
            done += block.shape[1]
            yield block
        slack = _MP3_SLACK if self._sound.subtype.startswith("MPEG") else 0
        if done < self.frames - slack:
            raise AudioFileError(self._ends_early(done / self.rate, self.seconds))

    def read_at(self, start: int, count: int) -> Block:
        """Return up to `count` samples from `start`, shape (channels, <= count); raise AudioFileError if damaged."""
        self._seek(min(start, self.frames))
        return self._read(count, start)

    def close(self) -> None:
        """Close the file."""
        self._sound.close()
        self._close_files()

    def _close_files(self) -> None:
        self._file.close()
        if self._decoded:
            self._decoded.file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _seek(self, frame: int) -> None:
        try:
            self._sound.seek(frame)
        except (*DAMAGE, OSError):
            raise AudioFileError(f"{self.path} is damaged: it can't be searched; export it again") from None

    def _read(self, count: int, position: int) -> Block:
        try:
            frames = self._sound.read(count)
        except (*DAMAGE, OSError):
            raise AudioFileError(
                f"{self.path} is damaged after {position / self.rate:.1f} s; export it again or restore it from a copy"
            ) from None
        block: Block = np.ascontiguousarray(frames.T, dtype=np.float32)
        if not is_finite(block):
            finite = np.isfinite(block)
            self.mended += int(block.size - np.count_nonzero(finite))
            block[~finite] = 0.0
        return block

    def _refuse_implausible(self) -> None:
        if not LOWEST_RATE <= self.rate <= HIGHEST_RATE:
            raise AudioFileError(
                f"{self.path} claims a rate of {self.rate} Hz, which no recording has; export it again"
            )
        if self.channels < 1 or self.frames < 1:
            raise AudioFileError(f"{self.path} holds no audio; export it again")
        if self._source.seconds_promised > self.seconds:
            raise AudioFileError(self._ends_early(self.seconds, self._source.seconds_promised))

    def _ends_early(self, present_s: float, promised_s: float) -> str:
        return (
            f"{self.path} is cut off: it ends after {present_s:.1f} of {promised_s:.1f} s; "
            "export it again or restore it from a copy"
        )


def _opened(path: Path) -> BinaryIO:
    """Open a regular file that holds something, whatever the coding of its name."""
    try:
        status = path.stat()
        if stat.S_ISDIR(status.st_mode):
            raise AudioFileError(f"{path} is a folder; name an audio file")
        if not stat.S_ISREG(status.st_mode):
            raise AudioFileError(f"{path} is not a regular file; name an audio file")
        if status.st_size == 0:
            raise AudioFileError(f"{path} is empty (0 bytes); export it again")
        return open(os.fspath(path), "rb")
    except OSError as error:
        raise AudioFileError(f"{path} can't be read: {reason(error)}") from None


def _native_bits(source: Source, decoded: Decoded | None) -> Bits:
    subtype = source.sound.subtype
    if decoded and decoded.lossless_bits:
        return "16" if decoded.lossless_bits <= 16 else "24"
    if subtype == "PCM_32" and 0 < source.valid_bits <= 24:
        return "24"
    if subtype in ("PCM_S8", "PCM_U8", "PCM_16"):
        return "16"
    return "32f" if subtype in _FLOATS else "24"
