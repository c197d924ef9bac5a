"""Samples that lie in a file as plain numbers: they need no decoder, and are read at a fraction of its price."""

from __future__ import annotations

from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from dsp.compile import background_kernel
from plugin_host.files.containers.spliced import read_into

# libsndfile's name of each coding that is read here, its numbers in the file, and what makes full scale 1 of them.
_CODINGS = {
    "PCM_U8": ("u1", 1 / 128), "PCM_16": ("<i2", 2.0**-15), "PCM_24": ("V3", 2.0**-23), "PCM_32": ("<i4", 2.0**-31),
    "FLOAT": ("<f4", 1.0), "DOUBLE": ("<f8", 1.0),
}  # fmt: skip
_MOST_CHANNELS = 1024


class PlainSamples:
    """Reads samples as `Decoder` does, to the same bits.

    Args:
        file: What they lie in; it stays open when this is closed.
        start: Of the first, in bytes.
        frames: Samples per channel.
        rate: In Hz.
        channels: How many lie side by side.
        coding: One that `can_read`.

    Attributes:
        samplerate, channels, subtype, frames, can_seek, is_mpeg: As of `Decoder`.
    """

    can_seek, is_mpeg = True, False

    def __init__(self, file: BinaryIO, start: int, frames: int, rate: int, channels: int, coding: str) -> None:
        self._file, self._start, self._at = file, start, 0
        self.samplerate, self.channels, self.subtype, self.frames = rate, channels, coding, frames
        self._align = channels * np.dtype(_CODINGS[coding][0]).itemsize

    def copy_metadata(self) -> dict[str, str]:
        """Return nothing: the text of such a file lies elsewhere."""
        return {}

    def seek(self, frame: int) -> None:
        """Move to a frame."""
        self._at = frame

    def next(self, count: int) -> NDArray[np.float32]:
        """Return up to `count` frames, shape (frames, channels)."""
        data = np.empty(self._align * max(0, min(count, self.frames - self._at)), np.uint8)
        place, done = self._start + self._at * self._align, 0
        while done < len(data) and (more := read_into(data.data[done:], self._file, place + done)):
            done += more
        frames = done // self._align
        self._at += frames
        return self._numbers(data[: frames * self._align]).reshape(frames, self.channels)

    def _numbers(self, data: NDArray[np.uint8]) -> NDArray[np.float32]:
        kind, scale = _CODINGS[self.subtype]
        if self.subtype == "PCM_24":
            return _of_three_bytes(data, np.float32(scale), np.empty(len(data) // 3, np.float32))
        # What is no number, or beyond single precision, stays so for whoever reads it.
        with np.errstate(over="ignore", invalid="ignore"):
            numbers: NDArray[np.float32] = data.view(kind).astype(np.float32, copy=False)
        if self.subtype == "PCM_U8":
            numbers -= np.float32(128)
        if scale != 1.0:
            numbers *= np.float32(scale)
        return numbers

    def close(self) -> None:
        """Do nothing: the file belongs to others."""


def can_read(rate: int, channels: int, coding: str) -> bool:
    """Whether samples are plain numbers, of a rate and a number of channels that libsndfile plays, too."""
    return coding in _CODINGS and 0 < rate < 1 << 31 and 0 < channels <= _MOST_CHANNELS


@background_kernel
def _of_three_bytes(data: NDArray[np.uint8], scale: np.float32, numbers: NDArray[np.float32]) -> NDArray[np.float32]:
    for i in range(len(numbers)):
        low, middle, high = np.int32(data[3 * i]), np.int32(data[3 * i + 1]), np.int32(np.int8(data[3 * i + 2]))
        numbers[i] = np.float32(low | middle << 8 | high << 16) * scale
    return numbers
