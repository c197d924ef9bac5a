"""A take: the two files of one recording, kept whatever ends it, and found again after a crash."""

from __future__ import annotations

import errno
import fcntl
import os
from contextlib import suppress
from datetime import datetime
from itertools import count
from pathlib import Path
from typing import NamedTuple

import soundfile

from models.stage import Block
from plugin_host.files.audio_error import AudioFileError, reason
from plugin_host.files.containers.decoder import DAMAGE

KINDS = ("dry", "wet")
_SUFFIX = ".wav"
_PARTIAL = ".partial"
# libsndfile's command that keeps the header in step with the samples, so that a crash leaves a file that opens.
_UPDATE_HEADER_AUTO = 0x1061


class _TakeFile:
    """One WAV file of a take: 32-bit float under a hidden name, locked while it grows.

    Raises:
        FileExistsError: Another take has this name.
    """

    def __init__(self, path: Path, rate: int, channels: int) -> None:
        self.path, self._partial = path, _partial_of(path)
        # Exclusive, so that of two hosts which start in the same second only one gets the name.
        self._lock = os.open(self._partial, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o666)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX)
            if path.exists():
                raise FileExistsError(errno.EEXIST, "is there already", str(path))
            self._file = soundfile.SoundFile(os.dup(self._lock), "w", rate, channels, "FLOAT", format="WAV")
            soundfile._snd.sf_command(self._file._file, _UPDATE_HEADER_AUTO, soundfile._ffi.NULL, 1)
        except BaseException:
            self.remove()
            raise

    def write(self, block: Block) -> None:
        self._file.write(block.T)

    def remove(self) -> None:
        self._partial.unlink(missing_ok=True)
        os.close(self._lock)

    def keep(self, frames: int) -> None:
        """Cut the file to so many samples and give it its name; raise OSError if the disk refuses."""
        try:
            with suppress(*DAMAGE):
                self._file.truncate(frames)
            with suppress(*DAMAGE):
                self._file.close()
            os.fsync(self._lock)
            os.rename(self._partial, self.path)
        finally:
            os.close(self._lock)


class Take:
    """Writes `dry-<time>.wav` and `wet-<time>.wav`, 32-bit float, under names that no other take has.

    Both have hidden names until `close`; their headers are right after every write.

    Args:
        folder: Must be there.
        rate: In Hz.
        channels: Of each of the two.

    Raises:
        AudioFileError: The folder can't be written.

    Attributes:
        paths: The names of the two files once they are closed.
        frames: Samples that both of them hold.
    """

    def __init__(self, folder: Path, rate: int, channels: int) -> None:
        self._rate, self.frames = rate, 0
        stamp = datetime.now().strftime("%Y%m%d-%H%M%S")
        for number in count(1):
            name = stamp if number == 1 else f"{stamp}-{number}"
            with suppress(FileExistsError):
                self._files = _open_pair([folder / f"{kind}-{name}{_SUFFIX}" for kind in KINDS], rate, channels)
                break
        self.paths = [file.path for file in self._files]

    def write(self, *blocks: Block) -> None:
        """Append a block to each file, shape (channels, samples).

        Raises:
            AudioFileError: The disk is full; what was written before is kept, and the take is closed.
        """
        try:
            for file, block in zip(self._files, blocks, strict=True):
                file.write(block)
        except (*DAMAGE, OSError):
            self.close()
            raise AudioFileError(f"the disk is full: {self.text}; free disk space to record more") from None
        self.frames += blocks[0].shape[1]

    @property
    def text(self) -> str:
        """Return a part of a sentence that names the files and their length."""
        if not self.frames:
            return "nothing was recorded"
        return f"{self.paths[0]} and {self.paths[1].name} hold {self.frames / self._rate:.1f} s"

    def close(self) -> None:
        """Give the files their names, both equally long; an empty take leaves none.

        Raises:
            AudioFileError: The folder can't be written any more.
        """
        files, self._files = self._files, []
        for file in files:
            try:
                if self.frames:
                    file.keep(self.frames)
                else:
                    file.remove()
            except OSError as error:
                raise AudioFileError(f"{file.path} can't be written: {reason(error)}") from None


class Recovered(NamedTuple):
    """A file that a crash cut off.

    Attributes:
        path: The name that it has now.
        seconds: What it holds.
    """

    path: Path
    seconds: float

    @property
    def text(self) -> str:
        """The same as a sentence."""
        return f"a recording that broke off is kept: {self.path} holds {self.seconds:.1f} s"


def recover_takes(folder: Path) -> list[Recovered]:
    """Give the files of takes that a crash cut off their names; return them.

    What another host records at this moment is left alone.
    """
    return [one for kind in KINDS for path in sorted(folder.glob(f".{kind}-*{_SUFFIX}{_PARTIAL}"))
            if (one := _recover(path))]  # fmt: skip


def _recover(partial: Path) -> Recovered | None:
    with suppress(OSError, *DAMAGE):
        handle = os.open(partial, os.O_RDWR)
        try:
            # Refused where the host that writes it is alive.
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            with soundfile.SoundFile(partial) as file:
                seconds = file.frames / file.samplerate
            if not seconds:
                partial.unlink()
                return None
            name = partial.name[1 : -len(_PARTIAL)]
            path = free_name(partial.with_name(name))
            os.rename(partial, path)
        finally:
            os.close(handle)
        return Recovered(path, seconds)
    return None


def free_name(path: Path) -> Path:
    """Return the path, with a number behind its name where a file has that name."""
    names = (path.with_stem(f"{path.stem}-{number}") for number in count(2))
    return path if not path.exists() else next(name for name in names if not name.exists())


def _open_pair(paths: list[Path], rate: int, channels: int) -> list[_TakeFile]:
    files: list[_TakeFile] = []
    try:
        for path in paths:
            files.append(_TakeFile(path, rate, channels))
    except BaseException as error:
        for file in files:
            file.remove()
        if isinstance(error, FileExistsError) or not isinstance(error, (OSError, *DAMAGE)):
            raise
        raise AudioFileError(f"{paths[0]} can't be written: {_words(error)}") from None
    return files


def _words(error: BaseException) -> str:
    return reason(error) if isinstance(error, OSError) else "the disk is full"


def _partial_of(path: Path) -> Path:
    return path.with_name(f".{path.name}{_PARTIAL}")
