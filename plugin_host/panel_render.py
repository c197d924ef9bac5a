"""Files dropped on the panel: rendered by `highband render` with the present settings, in a process of its own."""

from __future__ import annotations

import asyncio
import json
import secrets
import shutil
import signal
import sys
import tempfile
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, Literal

from plugin_host.panel_chain import nodes_of
from plugin_host.slots import LISTENING

ENDINGS = (".wav", ".flac", ".aif", ".aiff", ".ogg", ".mp3")
LARGEST_BYTES = 1 << 30
MOST_FILES = 32
_MOST_JOBS = 4
_NICENESS = 10
Side = Literal["before", "after", "picture"]


class RenderRefused(ValueError):
    """A job or a file is refused; the text is one sentence."""


@dataclass
class Job:
    """Files that are rendered together.

    Attributes:
        folder: Holds them under numbers; the names that they had are only shown.
        names: What the files are called.
        state: "waiting", "rendering", "done", "failed" or "stopped".
        told: What the render said, such as which file is bad.
    """

    folder: Path
    names: list[str] = field(default_factory=list)
    state: str = "waiting"
    told: str = ""
    process: asyncio.subprocess.Process | None = None

    def path(self, index: int, side: Side) -> Path | None:
        """Return a file of the job, or None if it is not there (yet)."""
        place = {"before": "in", "after": "out", "picture": "out"}[side]
        ending = ".spectrogram.png" if side == "picture" else ""
        found = sorted((self.folder / place).glob(f"{index:04d}{ending or '.*'}"))
        return next((one for one in found if ending or one.suffix in ENDINGS), None)

    def told_as(self) -> dict[str, Any]:
        """Return what the page shows."""
        files = [
            {"name": name, "done": self.path(index, "after") is not None, "picture": bool(self.path(index, "picture"))}
            for index, name in enumerate(self.names)
        ]
        return {"state": self.state, "told": self.told, "files": files}


class RenderJobs:
    """The jobs of one panel; the oldest are forgotten, and all of them when the panel ends."""

    def __init__(self) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="highband-panel-"))
        self._jobs: dict[str, Job] = {}
        self._one_at_a_time = asyncio.Lock()
        self._tasks: set[asyncio.Task[None]] = set()

    def open(self) -> str:
        """Make an empty job and return its id."""
        while len(self._jobs) >= _MOST_JOBS:
            oldest = next(iter(self._jobs))
            self.stop(oldest)
            shutil.rmtree(self._jobs.pop(oldest).folder, ignore_errors=True)
        id = secrets.token_urlsafe(12)
        job = Job(self._folder / id)
        (job.folder / "in").mkdir(parents=True)
        self._jobs[id] = job
        return id

    def job(self, id: str) -> Job:
        """Return a job; raise RenderRefused if there is none."""
        if id not in self._jobs:
            raise RenderRefused("these files are no longer here; drop them again")
        return self._jobs[id]

    async def take(self, id: str, name: str, body: AsyncIterator[bytes]) -> None:
        """Take one file of a job.

        Args:
            id: The job's.
            name: What the file is called; no place is ever made of it but its ending.
            body: Its bytes.

        Raises:
            RenderRefused: It is too large, one too many, or of no audio format.
        """
        job = self.job(id)
        ending = Path(name.replace("\\", "/")).suffix.lower()
        if ending not in ENDINGS:
            raise RenderRefused(f"'{name[:100]}' is no audio file; drop WAV, FLAC, AIFF, OGG or MP3")
        if job.state != "waiting" or len(job.names) >= MOST_FILES:
            raise RenderRefused(f"at most {MOST_FILES} files are rendered at once; drop the rest afterwards")
        job.names.append(Path(name.replace("\\", "/")).name[:200])
        path = job.folder / "in" / f"{len(job.names) - 1:04d}{ending}"
        try:
            with path.open("wb") as file:
                await _copy(body, file)
        except RenderRefused:
            path.unlink()
            job.names.pop()
            raise

    def start(self, id: str, preset: Mapping[str, Any], artifact: str) -> None:
        """Render a job's files as soon as no other is rendered."""
        job = self.job(id)
        if job.state != "waiting" or not job.names:
            raise RenderRefused("there is nothing to render; drop files first")
        (job.folder / "panel.json").write_text(json.dumps(preset), encoding="utf-8")
        job.state = "rendering"
        task = asyncio.get_running_loop().create_task(self._render(job, artifact))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def stop(self, id: str) -> None:
        """Stop a job; what is done stays."""
        job = self.job(id)
        if job.state in ("waiting", "rendering"):
            job.state = "stopped"
            if job.process is not None and job.process.returncode is None:
                job.process.send_signal(signal.SIGINT)

    async def close(self) -> None:
        """Stop everything and remove every file."""
        for id in self._jobs:
            self.stop(id)
        await asyncio.gather(*self._tasks, return_exceptions=True)
        shutil.rmtree(self._folder, ignore_errors=True)

    async def _render(self, job: Job, artifact: str) -> None:
        command = [sys.executable, "-m", "plugin_host.cli", "render", str(job.folder / "in"), "-o"]
        command += [str(job.folder / "out"), "--preset", str(job.folder / "panel.json"), "--picture", "--quiet"]
        command += ["--artifact", artifact] if artifact else []
        async with self._one_at_a_time:
            if job.state != "rendering":
                return
            # The sound comes first, and then whoever waits for a file.
            job.process = await asyncio.create_subprocess_exec(
                "nice", "-n", str(_NICENESS), *command, stderr=asyncio.subprocess.PIPE, start_new_session=True
            )
            _, said = await job.process.communicate()
        job.told = _as_called(said.decode(errors="replace"), job)
        if job.state == "rendering":
            job.state = "done" if job.process.returncode == 0 else "failed"


def preset_of(state: Mapping[str, Any], settings: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Return what plays now as a preset file."""
    own = {knob: one["value"] for knob, one in settings.items() if "." not in knob and knob not in LISTENING}
    chain: Sequence[Mapping[str, Any]] = state["chain"]
    return {"schema": 1, "name": "Panel", "settings": own, **nodes_of(chain, settings)}


def _as_called(said: str, job: Job) -> str:
    """Return what the render said with the names that the files came with."""
    for index, name in enumerate(job.names):
        if path := job.path(index, "before"):
            said = said.replace(str(path), name)
    return " ".join(said.replace("highband: ", "").split())[:1000]


async def _copy(body: AsyncIterator[bytes], file: BinaryIO) -> None:
    size = 0
    async for part in body:
        size += len(part)
        if size > LARGEST_BYTES:
            raise RenderRefused(f"a file has at most {LARGEST_BYTES >> 20} MiB here; use highband render for this one")
        file.write(part)
