"""What turns samples into the bytes of a WAV, FLAC, MP3, Opus or m4a file."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import soundfile
from numpy.typing import NDArray

from plugin_host.files.audio_tags import AudioTags
from plugin_host.files.containers.wav_file import WavFile, format_bytes
from plugin_host.files.second_reader import has_av
from plugin_host.files.suffixes import Bits

Frames = NDArray[np.float32]
SAMPLE_BYTES: dict[Bits, int] = {"16": 2, "24": 3, "32f": 4}
_LIBRARY: dict[str, tuple[str, str, dict[str, Any]]] = {
    ".mp3": ("MP3", "MPEG_LAYER_III", {"compression_level": 0.0, "bitrate_mode": "CONSTANT"}),
    ".opus": ("OGG", "OPUS", {"compression_level": 0.0}),
}
_M4A_BITS_PER_CHANNEL = 128_000


class Encoder(Protocol):
    """A file in the making; every method may raise OSError or what libsndfile raises."""

    def write(self, frames: NDArray[Any]) -> None:
        """Append frames, shape (frames, channels): int16, int32 that holds 24 bits, left-justified, or float32."""
        ...

    def finish(self) -> None:
        """Complete the file and close it."""
        ...

    def abandon(self) -> None:
        """Close the file, whatever becomes of it."""
        ...


def open_encoder(
    path: Path, suffix: str, rate: int, channels: int, bits: Bits, frames: int, tags: AudioTags | None
) -> Encoder:
    """Open an encoder for a file of this suffix at another path."""
    if suffix == ".wav":
        return WavEncoder(path, rate, channels, bits, frames, tags or AudioTags())
    if suffix == ".m4a":
        return PipeEncoder(path, rate, channels) if not has_av() else AvEncoder(path, rate, channels)
    return LibraryEncoder(path, suffix, rate, channels, bits)


class WavEncoder:
    """A WAV file, RF64 where it grows beyond 4 GiB; its tags are chunks."""

    def __init__(self, path: Path, rate: int, channels: int, bits: Bits, frames: int, tags: AudioTags) -> None:
        size = SAMPLE_BYTES[bits]
        form = format_bytes(rate, channels, size, bits == "32f", tags.mask_of(channels))
        head, self._tail = tags.wav_chunks(rate)
        self._bits = bits
        self._handle = open(path, "wb")  # noqa: SIM115
        try:
            self._file = WavFile(self._handle, form, size * channels, head, frames)
        except BaseException:
            self.abandon()
            raise

    def write(self, frames: NDArray[Any]) -> None:
        """Append frames."""
        if self._bits == "32f":
            self._file.write(frames.astype("<f4", copy=False).tobytes())
        elif self._bits == "16":
            self._file.write(frames.astype("<i2", copy=False).tobytes())
        else:
            parts = np.ascontiguousarray(frames, "<i4").view(np.uint8).reshape(-1, 4)
            self._file.write(parts[:, 1:].tobytes())

    def finish(self) -> None:
        """Append the chunks behind the sound and close the file."""
        self._file.finish(self._tail)
        self._handle.close()

    def abandon(self) -> None:
        """Close the file."""
        with suppress(OSError):
            self._handle.close()


class LibraryEncoder:
    """A file that libsndfile writes: FLAC, MP3 at 320 kbit/s or Opus at the highest rate of bits."""

    def __init__(self, path: Path, suffix: str, rate: int, channels: int, bits: Bits) -> None:
        container, coding, options = _LIBRARY.get(suffix, ("FLAC", f"PCM_{bits}", {}))
        self._file = soundfile.SoundFile(path, "w", rate, channels, coding, format=container, **options)

    def write(self, frames: NDArray[Any]) -> None:
        """Append frames."""
        self._file.write(frames)

    def finish(self) -> None:
        """Close the file."""
        self._file.close()

    def abandon(self) -> None:
        """Close the file."""
        with suppress(Exception):
            self._file.close()


class AvEncoder:
    """AAC in an m4a file, written by PyAV."""

    def __init__(self, path: Path, rate: int, channels: int) -> None:
        import av

        self._faults = av.error.FFmpegError
        # By default the length is written in milliseconds.
        options = {"movie_timescale": str(rate)}
        self._container = av.open(os.fspath(path), "w", format="ipod", options=options)
        layout = {1: "mono", 2: "stereo", 6: "5.1", 8: "7.1"}.get(channels, f"{channels}c")
        self._stream: Any = self._container.add_stream("aac", rate=rate, layout=layout)
        self._stream.bit_rate = _M4A_BITS_PER_CHANNEL * channels
        self._frames_of: Callable[..., Any] = av.AudioFrame.from_ndarray
        self._resampler = av.AudioResampler("fltp", layout, rate, frame_size=1024)
        self._rate, self._layout, self._written = rate, layout, 0

    def write(self, frames: NDArray[Any]) -> None:
        """Append frames."""
        frame = self._frames_of(np.ascontiguousarray(frames.reshape(1, -1)), "flt", self._layout)
        frame.sample_rate, frame.pts = self._rate, self._written
        self._written += len(frames)
        self._encode(lambda: self._resampler.resample(frame))

    def finish(self) -> None:
        """Encode what is left and close the file."""
        self._encode(lambda: [*self._resampler.resample(None), None])
        self._container.close()

    def abandon(self) -> None:
        """Close the file."""
        with suppress(Exception):
            self._container.close()

    def _encode(self, frames: Callable[[], Any]) -> None:
        try:
            for frame in frames():
                self._container.mux(self._stream.encode(frame))
        except self._faults as error:
            raise OSError(error.errno, error.strerror) from error


class PipeEncoder:
    """AAC in an m4a file, written by ffmpeg."""

    def __init__(self, path: Path, rate: int, channels: int) -> None:
        self._process = subprocess.Popen(
            [
                shutil.which("ffmpeg") or "ffmpeg", "-nostdin", "-v", "error", "-y", "-f", "f32le", "-ar", str(rate),
                "-ac", str(channels), "-i", "pipe:0", "-c:a", "aac", "-b:a", str(_M4A_BITS_PER_CHANNEL * channels),
                "-movie_timescale", str(rate), "-f", "ipod", f"file:{path.absolute()}",
            ],
            stdin=subprocess.PIPE, stderr=subprocess.DEVNULL,
        )  # fmt: skip

    def write(self, frames: NDArray[Any]) -> None:
        """Append frames."""
        assert self._process.stdin is not None
        self._process.stdin.write(frames.astype("<f4", copy=False).tobytes())

    def finish(self) -> None:
        """Wait until all is written."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        if self._process.wait():
            raise OSError("ffmpeg could not write it")

    def abandon(self) -> None:
        """End ffmpeg."""
        self._process.kill()
        with suppress(OSError):
            self._process.communicate()
