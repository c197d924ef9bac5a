"""One task of a batch, as any process can do it: an input's content hashed, rendered, and staged beside its place."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from plugin_host.chain.file_program import Sound
from plugin_host.files.audio_error import AudioFileError
from plugin_host.files.suffixes import Bits
from plugin_host.render.batch.journal import Staged, content_digest
from plugin_host.render.batch.plan import Job
from plugin_host.render.batch.storage import trace_of
from plugin_host.render.figures import Rendering
from plugin_host.render.loudness import LoudnessTarget
from plugin_host.render.stopped import ProcessLost, Progress, RenderStopped, Stopped, remove_rest

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from plugin_host.render.checkpoint import Checkpoint

PICTURE_SUFFIX = ".spectrogram.png"


@dataclass(frozen=True)
class Task:
    """What a worker is handed.

    Attributes:
        job: The input and the output.
        staging: A folder on the output's disk that the worker makes; the batch moves out of it what is complete. It
            may hold what a stopped render left to go on from.
        sound_digest: Hash of all that decides the output but the input's content.
        done_key: Key of the output that is in its place; where the input's content gives the same, nothing is done.
        bits: Depth of the output; by default the input's.
        loudness: Where the output is brought to; by default it stays.
        picture: Whether to draw the spectrograms before and after.
        spreads: Whether a long file may have more than one core.
        measures: Whether only to find out how loud the output is before it is brought to a loudness.
    """

    job: Job
    staging: str
    sound_digest: str
    done_key: str | None = None
    bits: Bits | None = None
    loudness: LoudnessTarget | None = None
    picture: bool = False
    measures: bool = False
    spreads: bool = False


@dataclass(frozen=True)
class Result:
    """What became of a task: something staged, or a fault in one sentence, or neither where nothing had changed.

    Attributes:
        staged: The complete output.
        rendering: Its figures.
        input_digest, input_trace: Hash of the input's content; its size and time before that was read.
        fault: Why there is no output.
        energies: Of an output that was only measured, as `LoudnessMeter.energies` has them.
    """

    staged: Staged | None = None
    rendering: Rendering | None = None
    input_digest: str = ""
    input_trace: tuple[int, int] | None = None
    fault: str = ""
    energies: NDArray[np.float64] | None = None


class Engine(Protocol):
    """Runs tasks, somewhere, in any order."""

    def run(
        self, tasks: Iterator[Task], begun: Callable[[Job], None], progress: Callable[[Job, float], None],
        stopped: Stopped,
    ) -> Iterator[tuple[Task, Result]]:  # fmt: skip
        """Yield what became of each task; raise RenderStopped soon after `stopped` says so."""
        ...


def sound_digest(settings: Mapping[str, float], identity: Mapping[str, Any], **rest: Any) -> str:
    """Return the hash of all that decides an output but its input's content."""
    decisive = {"settings": dict(settings), "identity": dict(identity), **rest}
    return hashlib.sha256(json.dumps(decisive, sort_keys=True, default=str).encode()).hexdigest()


def key_of(input_digest: str, digest: str) -> str:
    """Return the key of an output: the hash of its input's content and of what it is rendered with."""
    return hashlib.sha256(f"{input_digest} {digest}".encode()).hexdigest()


def tape_key(input_digest: str, sound: Sound, target: str) -> str:
    """Return the key of what an extender gives for an output: it does not depend on loudness, depth or picture."""
    suffix = os.path.splitext(target)[1].lower()
    return key_of(
        input_digest, sound_digest(sound.settings, sound.identity, version=version("highband"), suffix=suffix)
    )


def perform(task: Task, sound: Sound, progress: Progress, stopped: Stopped) -> Result:
    """Render one file into its staging folder.

    Raises:
        RenderStopped: `stopped` said so; nothing is left but what a long file can be gone on with.
        ProcessLost: One that had a part of the work died; likewise.
    """
    from plugin_host.render.checkpoint import Checkpoint
    from plugin_host.render.render import measure_file

    job, digest = task.job, ""
    trace = trace_of(job.source)
    # A worker that died may have begun it.
    remove_rest(task.staging)
    try:
        digest = content_digest(job.source) if trace and os.path.isfile(job.source) else ""
        key = key_of(digest, task.sound_digest)
        if digest and key == task.done_key:
            return Result(input_digest=digest, input_trace=trace)
        place = Checkpoint(Path(task.staging), tape_key(digest, sound, job.target), keeps=task.measures)
        if task.measures:
            suffix = os.path.splitext(job.target)[1]
            energies = measure_file(
                sound.stage, sound.settings, Path(job.source), suffix, checkpoint=place, spreads=task.spreads,
                progress=progress, stopped=stopped,
            )  # fmt: skip
            return Result(input_digest=digest, input_trace=trace, energies=energies)
        rendering = _render(task, sound, digest, place, progress, stopped)
        staged = Staged(os.path.join(task.staging, os.path.basename(job.target)), digest, key, figures_of(rendering))
        return Result(staged, rendering, digest, trace)
    except (RenderStopped, ProcessLost):
        remove_rest(task.staging)
        raise
    except (AudioFileError, OSError) as error:
        fault = " ".join(str(error).split())
    except Exception as error:  # a fault of ours in one file is no reason to lose the others of a night's batch
        first = (str(error).splitlines() or [""])[0]
        fault = f"{job.source} met a fault, please report it: {type(error).__name__}: {first}"
    shutil.rmtree(task.staging, ignore_errors=True)
    # A person knows the place, not where the output is staged.
    return Result(
        input_digest=digest, input_trace=trace,
        fault=fault.replace(task.staging + os.sep, os.path.join(os.path.dirname(job.target), "")),
    )  # fmt: skip


def figures_of(rendering: Rendering) -> dict[str, Any]:
    """Return what the journal keeps of a rendering."""
    figures = {name: value for name, value in asdict(rendering).items() if name not in ("source", "target")}
    return {**figures, "warnings": rendering.warnings}


def _render(
    task: Task, sound: Sound, digest: str, place: Checkpoint, progress: Progress, stopped: Stopped
) -> Rendering:
    from plugin_host.render.provenance import origin
    from plugin_host.render.render import render_file

    source, staged = Path(task.job.source), Path(task.staging) / os.path.basename(task.job.target)
    rendering = render_file(
        sound.stage, sound.settings, source, staged, bits=task.bits, loudness=task.loudness,
        origin=origin(sound, digest), checkpoint=place, spreads=task.spreads, progress=progress, stopped=stopped,
    )  # fmt: skip
    if task.picture:
        _draw(source, staged, sound, rendering)
    return replace(rendering, target=Path(task.job.target))


def _draw(source: Path, staged: Path, sound: Sound, rendering: Rendering) -> None:
    from plugin_host.render.spectrogram import draw

    crossover_hz = sound.settings.get("crossover") or rendering.edge_hz
    parts = [sound.preset, sound.artifact, rendering.figures]
    caption = ", ".join(part for part in parts if part)
    draw(source, staged, staged.with_name(staged.stem + PICTURE_SUFFIX), crossover_hz=crossover_hz, caption=caption)
