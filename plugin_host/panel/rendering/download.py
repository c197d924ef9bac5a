"""What became of a batch as one download, and what a browser can't play as something that it can."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from plugin_host.files.audio_reader import AudioReader
from plugin_host.files.audio_writer import AudioWriter

_PART = 1 << 18
# What every browser plays to the sample; of a lossy format each has its own idea where it begins.
PLAYABLE = (".wav", ".flac")


class _Drain:
    """A file that only ever goes forward; what was written is taken away part by part."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []

    def write(self, data: bytes, /) -> int:
        """Take some bytes."""
        self._parts.append(bytes(data))
        return len(data)

    def flush(self) -> None:
        """Do nothing: nothing is kept back."""

    def close(self) -> None:
        """Do nothing: what is left is still to be taken."""

    def take(self) -> bytes:
        """Return what has come since the last call."""
        data, self._parts = b"".join(self._parts), []
        return data


def zipped(files: Sequence[tuple[str, Path]]) -> Iterator[bytes]:
    """Yield a ZIP archive of files, given as name and path, while it is made; sound is not packed, as it hardly can be.

    Raises:
        OSError: A file is gone.
    """
    drain = _Drain()
    with zipfile.ZipFile(drain, "w", zipfile.ZIP_STORED) as archive:
        for name, path in files:
            entry = zipfile.ZipInfo.from_file(path, name)
            with path.open("rb") as source, archive.open(entry, "w", force_zip64=True) as target:
                while part := source.read(_PART):
                    target.write(part)
                    yield drain.take()
    yield drain.take()


def playable(source: Path, folder: Path) -> Path:
    """Return a file that browsers play in step with the rendered one: the source itself, or a copy of it as WAV.

    Args:
        source: An audio file.
        folder: Takes the copy; it is made where it is missing.

    Raises:
        AudioFileError: The source can't be read or the copy can't be written.
    """
    if source.suffix.lower() in PLAYABLE:
        return source
    copy = folder / f"{source.stem}.wav"
    if not copy.exists():
        folder.mkdir(parents=True, exist_ok=True)
        with (
            AudioReader(source) as reader,
            AudioWriter(copy, reader.rate, reader.channels, "24", reader.frames) as made,
        ):
            for block in reader.blocks(reader.block_frames()):
                made.write(block)
    return copy
