"""The recorder: what went in and what came out as two files, written by another thread than the audio thread."""

from __future__ import annotations

import threading
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path

from dsp.buffers.ring_buffer import RingBuffer
from models.stage import Block
from plugin_host.files.audio_reader import AudioFileError, reason
from plugin_host.files.audio_writer import AudioWriter

_RING_S = 10.0
_WRITE_EVERY_S = 0.1
# A WAV header counts to 4 GB; the recording goes on in a next pair of files before that.
_PART_BYTES = 3_500_000_000


class Recorder:
    """Writes `dry-<time>.wav` and `wet-<time>.wav`, 32-bit float; they appear when they are complete.

    Args:
        folder: Made if it is missing.
        sample_rate: In Hz.
        channels: Of each of the two.

    Raises:
        AudioFileError: The folder can't be made.
    """

    def __init__(self, folder: Path, sample_rate: int, channels: int) -> None:
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise AudioFileError(f"{folder} can't be written: {reason(error)}") from None
        self._folder, self._rate, self._channels = folder, sample_rate, channels
        self._ring = RingBuffer(2 * channels, round(_RING_S * sample_rate))
        self._ending = threading.Event()
        self._error: AudioFileError | None = None
        self._stamp = datetime.now().strftime("%Y%m%d-%H%M%S")
        self._thread = threading.Thread(target=self._run, name="recorder", daemon=True)
        self.files: list[Path] = []

    @property
    def lost(self) -> int:
        """Samples that the disk was too slow for; silence stands for them in the files."""
        return self._ring.lost

    @property
    def fault(self) -> AudioFileError | None:
        """Why nothing is written any more, or None."""
        return self._error

    def push(self, dry: Block, wet: Block) -> None:
        """Take a block; on the audio thread."""
        self._ring.push(dry, wet)

    def start(self) -> None:
        """Begin to write."""
        self._thread.start()

    def stop(self) -> None:
        """Write what is left and put the files in place; raise AudioFileError if the disk refused."""
        self._ending.set()
        self._thread.join()
        if self._error is not None:
            raise self._error

    def _run(self) -> None:
        part = 1
        try:
            while self._write_part(part):
                part += 1
        except AudioFileError as error:
            self._error = error

    def _write_part(self, part: int) -> bool:
        """Write one pair of files; returns whether another one follows."""
        suffix = self._stamp if part == 1 else f"{self._stamp}-{part}"
        paths = [self._folder / f"{kind}-{suffix}.wav" for kind in ("dry", "wet")]
        most = _PART_BYTES // (4 * self._channels)
        done = 0
        with ExitStack() as files:
            dry, wet = (files.enter_context(AudioWriter(path, self._rate, self._channels, "32f")) for path in paths)
            while done < most:
                is_last = self._ending.wait(_WRITE_EVERY_S)
                block = self._ring.pop()
                dry.write(block[: self._channels])
                wet.write(block[self._channels :])
                done += block.shape[1]
                if is_last:
                    break
        self.files += paths
        return done >= most and not self._ending.is_set()
