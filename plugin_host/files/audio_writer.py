"""An audio file in the making: whole or not at all."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from models.stage import Block
from plugin_host.files.audio_error import AudioFileError, reason
from plugin_host.files.audio_reader import AudioReader
from plugin_host.files.audio_tags import AudioTags
from plugin_host.files.containers.decoder import DAMAGE
from plugin_host.files.containers.wav_file import format_bytes
from plugin_host.files.encoders import SAMPLE_BYTES, open_encoder
from plugin_host.files.quantise import quantise
from plugin_host.files.second_reader import is_there
from plugin_host.files.suffixes import OUTPUT_SUFFIXES, Bits

# libsndfile's code for what the system refused, such as writing the header.
_SYSTEM_ERROR = 2
_LOSSY = (".mp3", ".opus", ".m4a")
_RATES: dict[str, tuple[int, ...]] = {
    ".mp3": (48000, 44100, 32000, 24000, 22050, 16000, 12000, 11025, 8000),
    ".opus": (48000, 24000, 16000, 12000, 8000),
    ".m4a": (96000, 88200, 64000, 48000, 44100, 32000, 24000, 22050, 16000, 12000, 11025, 8000),
}
_MOST_CHANNELS = {".flac": 8, ".mp3": 2, ".opus": 8, ".m4a": 8}
# Encoders of frames may add or swallow a few where the container can't say where the sound ends.
_LOSSY_SLACK = 4096


def held_rate(rate: int, suffix: str) -> int:
    """Return the rate at which a file of this suffix holds sound of a rate: the same, else the best that it can."""
    possible = _RATES.get(suffix.lower())
    return rate if possible is None or rate in possible else 48000


def held_bits(bits: Bits, suffix: str) -> Bits:
    """Return the depth at which a file of this suffix holds samples of a depth without clipping, where it can."""
    if suffix.lower() in _LOSSY:
        return "32f"
    return "24" if bits == "32f" and suffix.lower() == ".flac" else bits


def refuse_overwrite(source: Path, target: Path) -> None:
    """Make the target's folder; raise AudioFileError where the target is the source, or the folder can't be made."""
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        if target.exists() and target.samefile(source):
            raise AudioFileError(f"{target} is the input itself; choose another name for the output")
    except OSError as error:
        raise AudioFileError(f"{target} can't be written: {reason(error)}") from None


class AudioWriter:
    """An audio file in the making, written under a temporary name and put in place when complete.

    Use as a context manager: leaving it normally puts the file in place, leaving it by any exception
    (Ctrl-C too) removes every trace. Integer depths are rounded without dither, so that untouched samples stay
    bit-exact, and clipped at full scale; `clipped` counts the samples that were beyond it. MP3, Opus and m4a are
    written from floats; of these, AAC encoders alone turn down what is beyond full scale.
    """

    def __init__(
        self, path: Path, rate: int, channels: int, bits: Bits, frames: int = 0, tags: AudioTags | None = None
    ) -> None:
        """Open the temporary file; `frames` is the expected length and only guides the choice of header.

        Raises:
            AudioFileError: The place can't be written, or the format can't hold this rate, depth or layout.
        """
        self.path = path
        self.clipped = 0
        self._suffix = path.suffix.lower()
        self._bits: Bits = "32f" if self._suffix in _LOSSY else bits
        self._frames, self._rate, self._channels, self._tags = 0, rate, channels, tags
        _refuse_format(path, rate, channels, bits)
        self._temporary = _temporary_beside(path)
        try:
            self._encoder = open_encoder(self._temporary, self._suffix, rate, channels, self._bits, frames, tags)
        except (*DAMAGE, OSError) as error:
            self._temporary.unlink(missing_ok=True)
            if isinstance(error, OSError) or getattr(error, "code", None) == _SYSTEM_ERROR:
                raise self._full() from None
            raise AudioFileError(
                f"{path} can't be made with {channels} channels at {rate} Hz; choose another format with --format"
            ) from None

    def write(self, block: Block) -> None:
        """Append a block, shape (channels, samples); raise AudioFileError when the disk takes no more."""
        try:
            self._encoder.write(self._encodable(block))
        except (*DAMAGE, OSError):
            raise self._full() from None
        self._frames += block.shape[1]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if kind is None:
                self._put_in_place()
            else:
                self._encoder.abandon()
        finally:
            self._temporary.unlink(missing_ok=True)

    def _encodable(self, block: Block) -> NDArray[Any]:
        """Return the frames that the encoder gets, and count what is clipped."""
        if self._bits == "32f":
            if self._suffix == ".m4a":
                self.clipped += int(np.count_nonzero(np.abs(block) > 1.0))
            return np.ascontiguousarray(block.T)
        frames = np.empty(block.shape[::-1], np.int16 if self._bits == "16" else np.int32)
        # The kernel knows no other, and would be compiled once more.
        self.clipped += quantise(np.ascontiguousarray(block), 8 * SAMPLE_BYTES[self._bits], frames)
        return frames

    def _put_in_place(self) -> None:
        try:
            self._encoder.finish()
        except (*DAMAGE, OSError):
            self._encoder.abandon()
            raise self._full() from None
        try:
            self._write_tags()
            self._refuse_incomplete()
            with open(self._temporary, "rb+") as file:
                os.fsync(file.fileno())
            os.replace(self._temporary, self.path)
        except OSError as error:
            raise AudioFileError(f"{self.path} can't be written: {reason(error)}") from None

    def _write_tags(self) -> None:
        if not self._tags or self._suffix == ".wav":
            return
        if self._suffix == ".flac":
            size = SAMPLE_BYTES[self._bits]
            form = format_bytes(self._rate, self._channels, size, False, self._tags.mask_of(self._channels))
            self._tags.write_flac(self._temporary, form, self._frames * self._channels * size)
        else:
            write = {".mp3": self._tags.write_mp3, ".opus": self._tags.write_opus, ".m4a": self._tags.write_m4a}
            write[self._suffix](self._temporary)

    def _refuse_incomplete(self) -> None:
        """Read back what counts, to the last sample: a full disk may only show in the data that closing flushes."""
        slack = _LOSSY_SLACK if self._suffix in _LOSSY else 0
        try:
            with AudioReader(self._temporary) as reader:
                complete = (reader.rate, reader.channels) == (self._rate, self._channels)
                complete = complete and abs(reader.frames - self._frames) <= slack
                complete = complete and reader.read_at(reader.frames - 1, 1).shape[1] == 1
        except AudioFileError:
            complete = not self._frames
        if not complete:
            raise self._full()

    def _full(self) -> AudioFileError:
        return AudioFileError(f"{self.path} can't be written to its end; free disk space and run the command again")


def _refuse_format(path: Path, rate: int, channels: int, bits: Bits) -> None:
    suffix = path.suffix.lower()
    if suffix not in OUTPUT_SUFFIXES:
        raise AudioFileError(
            f"{path} can't be written: name a {', '.join(OUTPUT_SUFFIXES[:-1])} or {OUTPUT_SUFFIXES[-1]} file"
        )
    if os.path.isdir(path):
        raise AudioFileError(f"{path} is a folder; choose another name for the output")
    if suffix == ".flac" and bits == "32f":
        raise AudioFileError(f"{path} can't hold 32-bit floats; choose --bits 24 or --format wav")
    if channels > _MOST_CHANNELS.get(suffix, channels) or (suffix == ".flac" and rate > 655350):
        raise AudioFileError(f"{path} can't hold {channels} channels at {rate} Hz; choose --format wav")
    if held_rate(rate, suffix) != rate:
        raise AudioFileError(f"{path} can't hold a rate of {rate} Hz; choose --format wav")
    if suffix == ".m4a" and not is_there():
        raise AudioFileError(
            f"{path} needs ffmpeg on the PATH or 'pip install highband[av]' to be written; install one or name another "
            "format"
        )


def _temporary_beside(path: Path) -> Path:
    try:
        # The prefix is cut so that a long but allowed name stays allowed.
        handle, name = tempfile.mkstemp(".partial", f".{path.name[:40]}.", path.parent)
        mask = os.umask(0)
        os.umask(mask)
        os.fchmod(handle, 0o666 & ~mask)
        os.close(handle)
    except OSError as error:
        raise AudioFileError(f"{path} can't be written: {reason(error)}") from None
    return Path(name)
