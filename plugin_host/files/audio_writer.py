"""A WAV or FLAC file in the making: whole or not at all."""

from __future__ import annotations

import os
import tempfile
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
import soundfile
from numpy.typing import NDArray

from models.stage import Block
from plugin_host.files.audio_error import AudioFileError, reason
from plugin_host.files.audio_reader import OUTPUT_SUFFIXES, Bits
from plugin_host.files.audio_tags import AudioTags
from plugin_host.files.containers.decoder import DAMAGE

# Above this the 32-bit sizes of a WAV header overflow; RF64 holds 64-bit ones.
_WAV_BYTES = 4_000_000_000
# libsndfile's code for what the system refused, such as writing the header.
_SYSTEM_ERROR = 2
_BYTES: dict[Bits, int] = {"16": 2, "24": 3, "32f": 4}
_SUBTYPES: dict[Bits, str] = {"16": "PCM_16", "24": "PCM_24", "32f": "FLOAT"}


def refuse_overwrite(source: Path, target: Path) -> None:
    """Make the target's folder; raise AudioFileError where the target is the source, or the folder can't be made."""
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        if target.exists() and target.samefile(source):
            raise AudioFileError(f"{target} is the input itself; choose another name for the output")
    except OSError as error:
        raise AudioFileError(f"{target} can't be written: {reason(error)}") from None


class AudioWriter:
    """A WAV or FLAC file in the making: written under a temporary name, put in place when complete.

    Use as a context manager: leaving it normally puts the file in place, leaving it by any exception
    (Ctrl-C too) removes every trace. Integer depths are rounded without dither, so that untouched samples stay
    bit-exact, and clipped at full scale; `clipped` counts the samples that were beyond it.
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
        self._bits, self._frames, self._channels, self._tags = bits, 0, channels, tags
        self._is_flac = path.suffix.lower() == ".flac"
        _refuse_format(path, rate, channels, bits)
        self._temporary = _temporary_beside(path)
        is_long = frames * channels * _BYTES[bits] > _WAV_BYTES
        container = "FLAC" if self._is_flac else "RF64" if is_long else "WAV"
        try:
            self._file = soundfile.SoundFile(self._temporary, "w", rate, channels, _SUBTYPES[bits], format=container)
        except (*DAMAGE, OSError) as error:
            self._temporary.unlink(missing_ok=True)
            if getattr(error, "code", None) == _SYSTEM_ERROR:
                raise self._full() from None
            raise AudioFileError(
                f"{path} can't be made with {channels} channels at {rate} Hz; choose another format with --format"
            ) from None

    def write(self, block: Block) -> None:
        """Append a block, shape (channels, samples); raise AudioFileError when the disk takes no more."""
        try:
            self._file.write(self._quantise(block.T))
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
                # The reason for giving up must not be replaced by a fault of closing what nobody wants.
                with suppress(AudioFileError):
                    self._close()
        finally:
            self._temporary.unlink(missing_ok=True)

    def _quantise(self, frames: NDArray[np.float32]) -> NDArray[Any]:
        if self._bits == "32f":
            return np.ascontiguousarray(frames)
        self.clipped += int(np.count_nonzero(np.abs(frames) > 1.0))
        # libsndfile writes floats times 32767 and reads them divided by 32768; one power of two keeps samples exact.
        full = np.float32(1 << 15 if self._bits == "16" else 1 << 23)
        whole = np.clip(np.rint(frames * full), -full, full - 1)
        quantised: NDArray[Any] = whole.astype(np.int16) if self._bits == "16" else whole.astype(np.int32) << 8
        return quantised

    def _close(self) -> None:
        try:
            self._file.close()
        except DAMAGE:
            raise self._full() from None

    def _put_in_place(self) -> None:
        self._close()
        try:
            if self._tags:
                self._tags.write(self._temporary, is_flac=self._is_flac)
            self._refuse_incomplete()
            with open(self._temporary, "rb+") as file:
                os.fsync(file.fileno())
            os.replace(self._temporary, self.path)
        except OSError as error:
            raise AudioFileError(f"{self.path} can't be written: {reason(error)}") from None

    def _refuse_incomplete(self) -> None:
        """Read the last sample back: a full disk may only show in the data that closing flushes."""
        try:
            with soundfile.SoundFile(self._temporary) as file:
                file.seek(max(0, self._frames - 1))
                complete = file.frames == self._frames and len(file.read(1)) == min(1, self._frames)
                complete = complete and "should be" not in file.extra_info
        except DAMAGE:
            complete = False
        if not complete:
            raise self._full()

    def _full(self) -> AudioFileError:
        return AudioFileError(f"{self.path} can't be written to its end; free disk space and run the command again")


def _refuse_format(path: Path, rate: int, channels: int, bits: Bits) -> None:
    if path.suffix.lower() not in OUTPUT_SUFFIXES:
        raise AudioFileError(f"{path} can't be written: name a .wav or .flac file")
    if os.path.isdir(path):
        raise AudioFileError(f"{path} is a folder; choose another name for the output")
    if path.suffix.lower() == ".flac" and bits == "32f":
        raise AudioFileError(f"{path} can't hold 32-bit floats; choose --bits 24 or --format wav")
    if path.suffix.lower() == ".flac" and (channels > 8 or rate > 655350):
        raise AudioFileError(f"{path} can't hold {channels} channels at {rate} Hz; choose --format wav")


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
