"""Recording on request: takes of input and output in one folder, begun, ended and listed while the sound plays."""

from __future__ import annotations

import threading
from contextlib import suppress
from pathlib import Path
from typing import Any

import platformdirs
import soundfile

from plugin_host.engine.engine import Engine
from plugin_host.files.audio_reader import AudioFileError
from plugin_host.files.containers.decoder import DAMAGE
from plugin_host.session.recorder import Recorder
from plugin_host.session.take import Recovered, recover_takes

_MOST_LISTED = 50


def default_folder() -> Path:
    """Return where takes go that nobody chose a folder for."""
    return Path(platformdirs.user_music_dir()) / "Highband"


class Takes:
    """The recordings of a session; every method may be called from any thread but the audio thread.

    Args:
        engine: What is recorded.

    Attributes:
        folder: Takes the files.
        lost: Samples that the disk was too slow for.
        recovered: What earlier sessions left that ended without closing their takes.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine, self._lock = engine, threading.RLock()
        self.folder = default_folder()
        self.lost = 0
        self.recovered: list[Recovered] = []
        self._recorder: Recorder | None = None
        self._format: tuple[int, int] | None = None
        self._started_at = 0

    @property
    def is_on(self) -> bool:
        """Whether something is recorded."""
        return self._recorder is not None

    def recover(self, folders: set[Path]) -> list[str]:
        """Give takes that a crash cut off their names; return a sentence for each."""
        found = [one for folder in sorted(folders) for one in recover_takes(folder)]
        self.recovered += found
        return [one.text for one in found]

    def start(self) -> None:
        """Begin a take, unless one is under way; raise AudioFileError, one sentence, if the folder can't be written."""
        with self._lock:
            if self._recorder is not None:
                return
            recorder = Recorder(self.folder)
            if self._format is not None:
                recorder.prepare(*self._format)
            self._started_at = self._engine.position
            self._recorder = self._engine.listener = recorder

    def follow(self, rate: int, channels: int) -> None:
        """Go on at another rate (Hz) or number of channels in a new take; no sound may play meanwhile.

        Raises:
            AudioFileError: The folder can't be written any more.
        """
        with self._lock:
            self._format = (rate, channels)
            self._started_at = 0
            if self._recorder is not None:
                self._recorder.prepare(rate, channels)

    def stop(self) -> None:
        """End the take and give its files their names; raise AudioFileError if the disk refused."""
        with self._lock:
            recorder, self._recorder = self._recorder, None
            self._engine.listener = None
            if recorder is not None:
                try:
                    recorder.stop()
                finally:
                    self.lost += recorder.lost

    def fault(self) -> AudioFileError | None:
        """Return why nothing is written any more, or None."""
        return None if self._recorder is None else self._recorder.fault

    def state(self) -> dict[str, Any]:
        """Return whether something is recorded, for how many seconds, and where."""
        seconds = (self._engine.position - self._started_at) / self._format[0] if self._format and self.is_on else 0.0
        return {"on": self.is_on, "seconds": round(max(0.0, seconds), 1), "folder": str(self.folder)}

    def listed(self) -> list[dict[str, Any]]:
        """Return the newest complete takes, newest first: name, paths, seconds, and whether a crash cut it off."""
        saved = {one.path for one in self.recovered}
        takes = []
        files = sorted(self.folder.glob("wet-*.wav"), key=lambda path: path.stat().st_mtime_ns, reverse=True)
        for wet in files[:_MOST_LISTED]:
            with suppress(OSError, *DAMAGE):
                length = soundfile.info(wet)
                takes.append({
                    "name": wet.stem.removeprefix("wet-"), "seconds": round(length.frames / length.samplerate, 1),
                    "wet": str(wet), "dry": str(wet.with_name(wet.name.replace("wet-", "dry-", 1))),
                    "recovered": wet in saved,
                })  # fmt: skip
        return takes
