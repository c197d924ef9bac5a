"""Audio files as streams of blocks: whatever libsndfile reads, refused in one sentence where it can't be."""

from __future__ import annotations

import errno
import re
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Literal, Self

import numpy as np
import soundfile

from models.stage import Block
from plugin_host.files.audio_tags import AudioTags

Bits = Literal["16", "24", "32f"]
BITS: tuple[Bits, ...] = ("16", "24", "32f")
INPUT_SUFFIXES = (".wav", ".wave", ".flac", ".aif", ".aiff", ".aifc", ".ogg", ".oga", ".opus", ".mp3", ".w64", ".rf64")
OUTPUT_SUFFIXES = (".wav", ".flac")
LOWEST_RATE, HIGHEST_RATE = 1000, 768000

# Encoders that write to a pipe can't know the length and leave a number near 2 or 4 GiB in the header.
_UNKNOWN_LENGTH = 0x7FFFF000
# MP3 encoders pad by up to a few frames of 1152 samples and not every header subtracts them.
_MP3_SLACK = 4 * 1152
_BLOCK_VALUES = 1 << 20
# Whatever libsndfile and its wrapper raise on files that are not what they claim.
DAMAGE = (soundfile.SoundFileError, RuntimeError, ValueError, TypeError, AssertionError, MemoryError)


class AudioFileError(ValueError):
    """A file that can't be read or written; the message is one sentence that names it and says what to do."""


# Ten frames of MP3, more than its bit reservoir reaches back.
_MP3_RUN_UP = 10 * 1152


class _Decoder(soundfile.SoundFile):  # type: ignore[misc]
    """A sound file that reads MP3 straight on: soundfile seeks after every read, which tears MP3 at each block."""

    @property
    def is_mpeg(self) -> bool:
        """Whether the file is MP3 or of its kin."""
        return str(self.subtype).startswith("MPEG")

    def seekable(self) -> bool:
        """Tell soundfile not to move an MP3 file; `seek` itself works all the same."""
        return not self.is_mpeg and bool(super().seekable())


class AudioReader:
    """An open audio file, read in blocks of float32, shape (channels, samples), -1..1.

    Samples that are not numbers become silence; `mended` counts them.

    Attributes:
        path: The file.
        rate: Sample rate in Hz.
        channels: Number of channels, at least 1.
        frames: Samples per channel that the header promises.
        bits: The depth that loses nothing of this file: "16", "24" or "32f"; lossy formats count as 24.
        mended: Samples that were NaN or infinite so far.
    """

    def __init__(self, path: Path) -> None:
        """Open a file; raise AudioFileError if it is not audio that can be read."""
        self.path = path
        _refuse_unreadable(path)
        try:
            self._file = _Decoder(path)
        except (*DAMAGE, OSError):
            raise AudioFileError(
                f"{path} is not audio that can be read; export it again as WAV, FLAC, AIFF, OGG or MP3"
            ) from None
        self.rate = int(self._file.samplerate)
        self.channels = int(self._file.channels)
        self.frames = int(self._file.frames)
        self.bits = _native_bits(self._file.subtype)
        self.mended = 0
        try:
            self._refuse_implausible()
        except AudioFileError:
            self._file.close()
            raise

    @property
    def seconds(self) -> float:
        """Length in seconds, as the header has it."""
        return self.frames / self.rate

    def tags(self, same_rate: bool = True) -> AudioTags:
        """Return the file's tags; without `same_rate`, without markers and time stamps."""
        return AudioTags.read(self.path, self._file.copy_metadata(), same_rate)

    def block_frames(self) -> int:
        """Samples of a one-second block, fewer where many channels or a high rate would make it large."""
        return max(1, min(self.rate, _BLOCK_VALUES // self.channels))

    def blocks(self, size: int | None = None) -> Iterator[Block]:
        """Yield the whole file from its start in blocks of `size` samples; the last one may be shorter.

        Raises:
            AudioFileError: The data is damaged or ends before the header says.
        """
        size = size or self.block_frames()
        self._seek(0)
        done = 0
        while (block := self._read(size, done)).shape[1]:
            done += block.shape[1]
            yield block
        slack = _MP3_SLACK if self._file.format == "MP3" else 0
        if done < self.frames - slack:
            raise AudioFileError(self._ends_early(done / self.rate, self.seconds))

    def read_at(self, start: int, count: int) -> Block:
        """Return up to `count` samples from `start`, shape (channels, <= count); raise AudioFileError if damaged."""
        self._seek(min(start, self.frames))
        return self._read(count, start)

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _seek(self, frame: int) -> None:
        # An MP3 decoder that was just moved needs the frames before to sound as it does when it comes from the start.
        run_up = min(frame, _MP3_RUN_UP) if self._file.is_mpeg else 0
        try:
            self._file.seek(frame - run_up)
            if run_up:
                self._file.read(run_up, dtype="float32")
        except DAMAGE:
            raise AudioFileError(f"{self.path} is damaged: it can't be searched; export it again") from None

    def _read(self, count: int, position: int) -> Block:
        try:
            frames = self._file.read(count, dtype="float32", always_2d=True)
        except DAMAGE:
            raise AudioFileError(
                f"{self.path} is damaged after {position / self.rate:.1f} s; export it again or restore it from a copy"
            ) from None
        block: Block = np.ascontiguousarray(frames.T, dtype=np.float32)
        finite = np.isfinite(block)
        if not finite.all():
            self.mended += int(block.size - np.count_nonzero(finite))
            block[~finite] = 0.0
        return block

    def _refuse_implausible(self) -> None:
        if self.channels < 1 or self.frames < 1:
            raise AudioFileError(f"{self.path} holds no audio; export it again")
        if not LOWEST_RATE <= self.rate <= HIGHEST_RATE:
            raise AudioFileError(
                f"{self.path} claims a rate of {self.rate} Hz, which no recording has; export it again"
            )
        found = re.search(r"(?:data|SSND)\s*:\s*(\d+) \(should be (\d+)\)", self._file.extra_info)
        if not found:
            return
        promised, present = int(found[1]), int(found[2])
        if present < promised < _UNKNOWN_LENGTH:
            raise AudioFileError(self._ends_early(self.seconds, self.seconds * promised / max(1, present)))

    def _ends_early(self, present_s: float, promised_s: float) -> str:
        return (
            f"{self.path} is cut off: it ends after {present_s:.1f} of {promised_s:.1f} s; "
            "export it again or restore it from a copy"
        )


def reason(error: OSError) -> str:
    """Say in words why the system refused, and what to do."""
    told = (error.strerror or "the system refused").lower()
    return _REASONS.get(error.errno or 0, f"{told}; check the disk and the path")


_REASONS = {
    errno.ENOENT: "it does not exist; check the name",
    errno.EACCES: "permission is missing; change the rights of the file or its folder",
    errno.EPERM: "permission is missing; change the rights of the file or its folder",
    errno.EROFS: "the disk is read-only; choose another folder",
    errno.EISDIR: "it is a folder; name a file",
    errno.ENOTDIR: "a part of the path is not a folder; check the path",
    errno.ENOSPC: "the disk is full; free space and run the command again",
    errno.EDQUOT: "the disk quota is used up; free space and run the command again",
    errno.EFBIG: "the file grew beyond the allowed size; choose another disk or a smaller depth",
    errno.ENAMETOOLONG: "the name is too long; choose a shorter one",
}


def _refuse_unreadable(path: Path) -> None:
    try:
        status = path.stat()
        if stat.S_ISDIR(status.st_mode):
            raise AudioFileError(f"{path} is a folder; name an audio file")
        if not stat.S_ISREG(status.st_mode):
            raise AudioFileError(f"{path} is not a regular file; name an audio file")
        if status.st_size == 0:
            raise AudioFileError(f"{path} is empty (0 bytes); export it again")
        with open(path, "rb"):
            pass
    except OSError as error:
        raise AudioFileError(f"{path} can't be read: {reason(error)}") from None


def _native_bits(subtype: str) -> Bits:
    if subtype in ("PCM_S8", "PCM_U8", "PCM_16"):
        return "16"
    return "32f" if subtype in ("PCM_32", "FLOAT", "DOUBLE") else "24"
