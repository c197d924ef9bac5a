"""The recorder: input and output of a session as takes, written by another thread than the audio thread."""

from __future__ import annotations

import threading
from pathlib import Path

import numpy as np

from dsp.buffers.ring_buffer import RingBuffer
from models.stage import Block
from plugin_host.files.audio_error import AudioFileError, reason
from plugin_host.session.take import Take

_RING_S = 10.0
_WRITE_EVERY_S = 0.1
# A WAV header counts to 4 GB; the recording goes on in a next take before that.
_TAKE_BYTES = 3_500_000_000


class Recorder:
    """Writes takes into a folder: a new one for every rate, and before a file grows too large.

    Args:
        folder: Made if it is missing.

    Raises:
        AudioFileError: The folder can't be made.

    Attributes:
        lost: Samples that the disk was too slow for; silence stands for them in the files.
        files: The files that are complete.
    """

    def __init__(self, folder: Path) -> None:
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise AudioFileError(f"{folder} can't be written: {reason(error)}") from None
        self.folder, self.lost, self.files = folder, 0, list[Path]()
        self._ending = threading.Event()
        self._error: AudioFileError | None = None
        self._thread: threading.Thread | None = None

    @property
    def fault(self) -> AudioFileError | None:
        """Why nothing is written any more, or None."""
        return self._error

    def push(self, dry: Block, wet: Block) -> None:
        """Append a block; on the audio thread."""
        self._ring.push(dry, wet)

    def prepare(self, rate: int, channels: int) -> None:
        """Begin a take at this rate (Hz) and end the one before; raise AudioFileError if the disk refuses.

        No sound may play meanwhile.
        """
        self.stop()
        self._ring = RingBuffer(2 * channels, round(_RING_S * rate))
        self._ending.clear()
        take = Take(self.folder, rate, channels)
        self._thread = threading.Thread(target=self._run, args=(take, rate, channels), name="recorder", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Write what is left and close the take; raise AudioFileError if the disk refused."""
        thread, self._thread = self._thread, None
        if thread is None:
            return
        self._ending.set()
        thread.join()
        self.lost += self._ring.lost
        if self._error is not None:
            raise self._error

    def _run(self, take: Take, rate: int, channels: int) -> None:
        try:
            while self._write(take, _TAKE_BYTES // (4 * channels)):
                take = Take(self.folder, rate, channels)
        except AudioFileError as error:
            self._error = error

    def _write(self, take: Take, most: int) -> bool:
        """Write one take of at most so many samples; return whether another one follows."""
        is_last = False
        while not is_last and take.frames < most:
            is_last = self._ending.wait(_WRITE_EVERY_S)
            dry, wet = np.split(self._ring.pop(), 2)
            take.write(dry, wet)
        take.close()
        self.files += take.paths
        return not is_last
