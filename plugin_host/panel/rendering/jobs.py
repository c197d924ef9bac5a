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

from plugin_host.panel.rendering.region import cut
from plugin_host.preset.nodes import nodes_of
from plugin_host.settings.snapshots import LISTENING

ENDINGS = (".wav", ".flac", ".aif", ".aiff", ".ogg", ".mp3")
LARGEST_BYTES = 1 << 30
LARGEST_JOB_BYTES = 4 << 30
MOST_FILES = 32
_MOST_JOBS = 4
_NICENESS = 10
_PREVIEW = "-part"
Side = Literal["before", "after", "added", "picture"]


class RenderRefused(ValueError):
    """A job or a file is refused; the text is one sentence."""


@dataclass
class Job:
    """Files that are rendered together.

    Attributes:
        folder: Holds each in a folder of its number, under what is harmless of the name that it had.
        names: What the files are called.
        state: "waiting", "rendering", "done", "failed" or "stopped".
        said: What the render said, such as which file is bad.
        shares: How much of each file is done, 0..1.
        reports: What the render has reported of each file in the end.
    """

    folder: Path
    names: list[str] = field(default_factory=list)
    state: str = "waiting"
    said: str = ""
    shares: dict[int, float] = field(default_factory=dict)
    reports: dict[int, dict[str, Any]] = field(default_factory=dict)
    process: asyncio.subprocess.Process | None = None
    # Held while a file for the player is made, which several requests may want at once.
    deriving: asyncio.Lock = field(default_factory=asyncio.Lock)

    def path(self, index: int, side: Side) -> Path | None:
        """Return a file of the job, or None if it is not there (yet)."""
        place = {"before": "in", "after": "out", "added": "out", "picture": "out"}[side]
        endings = (".spectrogram.png",) if side == "picture" else ENDINGS
        found = sorted((self.folder / place / f"{index:04d}").glob("*"))
        return next((one for one in found if one.name.endswith(endings)), None)

    def new_path(self, ending: str) -> Path:
        """Return where the file that was named last is to be written."""
        folder = self.folder / "in" / f"{len(self.names) - 1:04d}"
        folder.mkdir(exist_ok=True)
        return folder / f"{_harmless(Path(self.names[-1]).stem) or 'sound'}{ending}"

    def size(self) -> int:
        """Return the bytes that were handed in."""
        return sum(file.stat().st_size for file in (self.folder / "in").rglob("*.*"))

    def results(self) -> list[tuple[str, Path]]:
        """Return the rendered files with the names that they are given to people under, each name once."""
        found: dict[str, Path] = {}
        for index, name in enumerate(self.names):
            if path := self.path(index, "after"):
                stem, count = Path(name).stem, 1
                while (copy := f"{stem}{'' if count == 1 else f' {count}'}.highband{path.suffix}") in found:
                    count += 1
                found[copy] = path
        return list(found.items())

    def read(self, line: bytes) -> None:
        """Read a line of the render's report."""
        report = json.loads(line)
        index = int(Path(report["file"]).parent.name)
        if "share" in report:
            self.shares[index] = float(report["share"])
        else:
            self.reports[index] = report

    def summary(self) -> dict[str, Any]:
        """Return what the page shows."""
        files = []
        for index, name in enumerate(self.names):
            is_done, has_picture = self.path(index, "after") is not None, bool(self.path(index, "picture"))
            share = 1.0 if is_done else self.shares.get(index, 0.0)
            report = self.reports.get(index, {})
            figures = {name: report.get(name) for name in ("lufs_before", "lufs_after", "generated_from_hz")}
            fault = _as_called(str(report.get("fault", "")), self)
            files.append(
                {"name": name, "done": is_done, "picture": has_picture, "share": share, "fault": fault, **figures}
            )
        return {"state": self.state, "said": self.said, "files": files}


class RenderJobs:
    """The jobs of one panel; the oldest are forgotten, and all of them when the panel ends."""

    def __init__(self) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="highband-panel-"))
        self._jobs: dict[str, Job] = {}
        self._one_at_a_time = asyncio.Lock()
        self._tasks: set[asyncio.Task[None]] = set()

    def open(self) -> str:
        """Make an empty job and return its id."""
        while len(files := [id for id in self._jobs if not id.endswith(_PREVIEW)]) >= _MOST_JOBS:
            self._forget(files[0])
            self._forget(files[0] + _PREVIEW)
        id = secrets.token_urlsafe(12)
        self._make(id)
        return id

    def preview(self, id: str, index: int, start_s: float, seconds: float) -> str:
        """Make a job of a part of a file, in place of the last such part, and return its id.

        Raises:
            RenderRefused: There is no such file.
            AudioFileError: It can't be read or ends before.
        """
        job = self.job(id)
        source = job.path(index, "before") if 0 <= index < len(job.names) else None
        if source is None:
            raise RenderRefused("these files are no longer here; drop them again")
        self._forget(id + _PREVIEW)
        part = self._make(id + _PREVIEW)
        part.names.append(f"{Path(job.names[index]).stem}.wav")
        cut(source, part.new_path(".wav"), start_s, seconds)
        return id + _PREVIEW

    def _make(self, id: str) -> Job:
        self._jobs[id] = job = Job(self._folder / id)
        (job.folder / "in").mkdir(parents=True)
        return job

    def _forget(self, id: str) -> None:
        if id in self._jobs:
            self.stop(id)
            shutil.rmtree(self._jobs.pop(id).folder, ignore_errors=True)

    def job(self, id: str) -> Job:
        """Return a job; raise RenderRefused if there is none."""
        if id not in self._jobs:
            raise RenderRefused("these files are no longer here; drop them again")
        return self._jobs[id]

    async def take(self, id: str, name: str, body: AsyncIterator[bytes]) -> None:
        """Take one file of a job.

        Args:
            id: The job's.
            name: What the file is called; no place is ever made of it but its ending, its letters and its digits.
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
        path = job.new_path(ending)
        try:
            with path.open("wb") as file:
                await _copy(body, file, min(LARGEST_BYTES, LARGEST_JOB_BYTES - job.size()))
        except BaseException as error:
            path.unlink()
            job.names.pop()
            if isinstance(error, OSError):
                why = (error.strerror or str(error)).lower()
                raise RenderRefused(f"the panel's machine can't keep the file: {why}; free some space") from None
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
        command = [sys.executable, "-P", "-m", "plugin_host.cli.main", "render", str(job.folder / "in"), "-o"]
        command += [str(job.folder / "out"), "--preset", str(job.folder / "panel.json"), "--picture", "--json"]
        command += ["--artifact", artifact] if artifact else []
        async with self._one_at_a_time:
            if job.state != "rendering":
                return
            # The sound comes first, and then whoever waits for a file.
            job.process = await asyncio.create_subprocess_exec(
                "nice", "-n", str(_NICENESS), *command, start_new_session=True,
                stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
            )  # fmt: skip
            _, said = await asyncio.gather(_follow(job, job.process), _all(job.process.stderr))
            await job.process.wait()
        job.said = _as_called(said.decode(errors="replace"), job)
        if job.state == "rendering":
            job.state = "done" if job.process.returncode == 0 else "failed"


def preset_of(state: Mapping[str, Any], settings: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Return what plays now as a preset file."""
    own = {knob: one["value"] for knob, one in settings.items() if "." not in knob and knob not in LISTENING}
    chain: Sequence[Mapping[str, Any]] = state["chain"]
    return {"schema": 1, "name": "Panel", "settings": own, **nodes_of(chain, settings, is_elsewhere=True)}


async def _follow(job: Job, process: asyncio.subprocess.Process) -> None:
    assert process.stdout is not None
    async for line in process.stdout:
        job.read(line)


async def _all(stream: asyncio.StreamReader | None) -> bytes:
    assert stream is not None
    return await stream.read()


def _as_called(said: str, job: Job) -> str:
    """Return what the render said with the names that the files came with."""
    for index, name in enumerate(job.names):
        if path := job.path(index, "before"):
            said = said.replace(str(path), name)
    return " ".join(said.replace("highband: ", "").split())[:1000]


def _harmless(name: str) -> str:
    """Return what a picture may show of a name, and what no system takes for more than a name."""
    return "".join(letter if letter.isalnum() or letter in "-_" else " " for letter in name[:40]).strip()


async def _copy(body: AsyncIterator[bytes], file: BinaryIO, most: int) -> None:
    size = 0
    async for part in body:
        size += len(part)
        if size > most:
            raise RenderRefused(
                f"a file has at most {LARGEST_BYTES >> 20} MiB here, and all together {LARGEST_JOB_BYTES >> 20} MiB; "
                "use highband render for more"
            )
        file.write(part)
