"""A task whose input or output is elsewhere: fetched, rendered here, put in its place, with new tries after faults."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any, TypeVar

from plugin_host.chain.file_program import Sound
from plugin_host.render.batch.journal import Staged
from plugin_host.render.batch.plan import Job
from plugin_host.render.batch.storage import filesystem, is_remote, join, trace_of
from plugin_host.render.batch.task import Result, Task, perform
from plugin_host.render.stopped import Progress, Stopped

Answer = TypeVar("Answer")

# After a fault of the network the next try comes after so many seconds.
_BACK_OFF_S = (0.5, 2.0, 8.0)


def run_task(task: Task, sound: Sound, progress: Progress, stopped: Stopped) -> Result:
    """Do one task, wherever its files are; raise RenderStopped where `stopped` says so, with nothing left."""
    job = task.job
    if not is_remote(job.source) and not is_remote(job.target):
        return perform(task, sound, progress, stopped)
    with tempfile.TemporaryDirectory(prefix="highband-") as folder:
        try:
            trace = trace_of(job.source)
            local = replace(task, job=_fetched(job, folder), staging=_staging(task, folder))
            result = perform(local, sound, progress, stopped)
            result = replace(result, input_trace=trace, fault=_as_named(result.fault, local.job, job))
            if result.staged is None or not is_remote(job.target):
                return result
            _upload(result.staged, job)
            return replace(result, staged=replace(result.staged, path=job.target))
        except OSError as error:
            reason = " ".join(str(error).split()) or type(error).__name__
            return Result(fault=f"{job.source} can't be fetched, or {job.target} not be written: {reason}")


def _fetched(job: Job, folder: str) -> Job:
    """Return the job with its input here."""
    if not is_remote(job.source):
        return replace(job, target=os.path.join(folder, os.path.basename(job.target)))
    source = os.path.join(folder, "in", os.path.basename(job.source))
    os.makedirs(os.path.dirname(source))
    system, path = filesystem(job.source)
    _again(partial(system.get_file, path, source))
    target = os.path.join(folder, os.path.basename(job.target)) if is_remote(job.target) else job.target
    return replace(job, source=source, target=target)


def _staging(task: Task, folder: str) -> str:
    return os.path.join(folder, "staged") if is_remote(task.job.target) else task.staging


def _as_named(fault: str, local: Job, job: Job) -> str:
    """Return a sentence with the names that a person knows."""
    return fault.replace(local.source, job.source).replace(local.target, job.target)


def _upload(staged: Staged, job: Job) -> None:
    """Put the output, and what is staged beside it, in place; a reader sees the whole file or none."""
    here, there = os.path.dirname(staged.path), job.target.rpartition("/")[0]
    for name in sorted(os.listdir(here), key=lambda name: name == os.path.basename(staged.path)):
        system, path = filesystem(join(there, name))
        _again(partial(_put, system, os.path.join(here, name), path))


def _put(system: Any, local: str, path: str) -> None:
    protocols = getattr(system, "protocol", ())
    if "s3" in protocols or "memory" in protocols:
        # An object appears when it is complete.
        system.put_file(local, path)
        return
    folder, _, name = path.rpartition("/")
    system.makedirs(folder, exist_ok=True)
    system.put_file(local, f"{folder}/.{name}.partial")
    system.mv(f"{folder}/.{name}.partial", path)


def _again(act: Callable[[], Answer]) -> Answer:
    for pause_s in _BACK_OFF_S:
        try:
            return act()
        except FileNotFoundError:
            raise
        except OSError:
            time.sleep(pause_s)
    return act()
