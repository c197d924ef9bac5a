"""Processes that render side by side, warm and each with one task at a time; one that dies costs its task a new try."""

from __future__ import annotations

import os
import shutil
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess

from plugin_host.chain.file_program import Sound
from plugin_host.render.batch.plan import BatchError, Job, Plan
from plugin_host.render.batch.task import Result, Task
from plugin_host.render.batch.template import default_jobs, worker_context
from plugin_host.render.batch.transfer import run_task
from plugin_host.render.stopped import ProcessLost, RenderStopped, Stopped

# A process may die by chance, such as by the system that is out of memory; a file that ends each that takes it is bad.
_MOST_TRIES = 3
_WAIT_S = 0.2
# A minute of stereo.
_LONG_BYTES = 10_000_000
# Processes that share a long file wait for each other; a worker with less priority fills the gaps.
_LESS_PRIORITY = 5
# A worker ends at its next block; one that does not is ended.
_STOP_S = 10.0
# Of what a file's progress is reported.
_REPORT_EVERY_S = 0.1

Begun = Callable[[Job], None]
Progress = Callable[[Job, float], None]


class Inline:
    """Renders in this process, one task after the other.

    Args:
        sound: The stage and the settings.
    """

    def __init__(self, sound: Sound) -> None:
        self._sound = sound
        # What is wrong with it is said before any file is begun.
        _ = sound.stage

    def run(
        self, tasks: Iterator[Task], begun: Begun, progress: Progress, stopped: Stopped
    ) -> Iterator[tuple[Task, Result]]:
        """Yield what became of each task; see `Engine`."""
        for task in tasks:
            if stopped():
                raise RenderStopped
            begun(task.job)
            yield task, run_task(task, self._sound, partial(progress, task.job), stopped)


def engine_for(sound: Sound, build: Callable[[], Sound], jobs: int | None, plan: Plan) -> Inline | Workers:
    """Return what renders the files of a plan.

    Args:
        sound: For this process.
        build: Makes it in others.
        jobs: Processes at once; by default `default_jobs`.
        plan: A single file is rendered here, unless it is so long that it may have more than one core.
    """
    count = _count(jobs, plan)
    return Workers(count, build) if count else Inline(sound)


def _count(jobs: int | None, plan: Plan) -> int:
    """Return how many processes are worth it, 0 for none but this one."""
    most, files = jobs or default_jobs(), len(plan)
    return 0 if most == 1 or (files == 1 and plan.total_bytes < _LONG_BYTES) else min(most, files)


@contextmanager
def standing_engine(sound: Sound, build: Callable[[], Sound], jobs: int | None) -> Iterator[Inline | Workers]:
    """Yield what renders, warm from one batch to the next; see `engine_for`."""
    count = jobs or default_jobs()
    if count == 1:
        yield Inline(sound)
        return
    workers = Workers(count, build, stay=True)
    try:
        yield workers
    finally:
        workers.close()


@dataclass
class _Worker:
    process: BaseProcess
    connection: Connection
    task: Task | None = None


class Workers:
    """Renders in processes of its own.

    Args:
        count: Of processes.
        build: Makes the stage and the settings in each of them; a function that other processes can import.
        stay: Whether they stay after a run, warm for the next one, until `close`.
    """

    def __init__(self, count: int, build: Callable[[], Sound], *, stay: bool = False) -> None:
        self._count = self._most = count
        self._build, self._stay = build, stay
        self._workers: list[_Worker] = []
        self._context = worker_context()
        self._tries: dict[str, int] = {}

    def run(
        self, tasks: Iterator[Task], begun: Begun, progress: Progress, stopped: Stopped
    ) -> Iterator[tuple[Task, Result]]:
        """Yield what became of each task, in the order in which they end; see `Engine`."""
        workers, again = self._workers, list[Task]()
        self._most = self._count
        stays = False
        try:
            while True:
                if stopped():
                    raise RenderStopped
                while self._is_free(workers) and (task := again.pop() if again else next(tasks, None)):
                    if worker := next((one for one in workers if one.task is None), None) or self._started(workers):
                        self._hand(task, worker)
                        begun(task.job)
                    else:
                        again.append(task)
                busy = [worker for worker in workers if worker.task]
                if not busy:
                    stays = self._stay
                    return
                ready = wait([worker.connection for worker in busy], _WAIT_S)
                for worker in busy:
                    if worker.connection in ready and (ended := self._receive(worker, workers, progress, again)):
                        yield ended
        finally:
            if not stays:
                self.close()

    def close(self) -> None:
        """End the processes."""
        _end(self._workers)
        self._workers.clear()

    def _is_free(self, workers: list[_Worker]) -> bool:
        return len(workers) < self._most or any(worker.task is None for worker in workers)

    def _started(self, workers: list[_Worker]) -> _Worker | None:
        """Return a new worker; None where the system gives no more than those that there are."""
        gives_way = sys.platform == "linux" and any(map(_has_long, workers))
        for _ in range(_MOST_TRIES):
            try:
                here, there = self._context.Pipe()
                process = self._context.Process(target=_serve, args=(there, self._build, gives_way))
                process.start()
            except (EOFError, OSError) as error:
                # Also where the process died that it was to be copied from; the next try starts another one.
                refusal = getattr(error, "strerror", None) or "it ended at once"
                continue
            there.close()
            workers.append(_Worker(process, here))
            return workers[-1]
        if not workers:
            raise ValueError(
                f"no process that renders can be started ({refusal.lower()}); raise the limit, or try --jobs 1"
            )
        self._most = len(workers)
        return None

    def _hand(self, task: Task, worker: _Worker) -> None:
        worker.task = task
        self._tries[task.staging] = self._tries.get(task.staging, 0) + 1
        try:
            worker.connection.send(task)
        except OSError:
            # It died while it had nothing to do; its end is seen when its answer is waited for.
            return

    def _receive(
        self, worker: _Worker, workers: list[_Worker], progress: Progress, again: list[Task]
    ) -> tuple[Task, Result] | None:
        task = worker.task
        assert task is not None
        try:
            answer = worker.connection.recv()
        except (EOFError, OSError):
            workers.remove(worker)
            return self._lose(worker, task, again)
        if isinstance(answer, float):
            progress(task.job, answer)
            return None
        worker.task = None
        if isinstance(answer, str):
            raise BatchError(answer)
        self._tries.pop(task.staging)
        return task, answer

    def _lose(self, worker: _Worker, task: Task, again: list[Task]) -> tuple[Task, Result] | None:
        worker.process.join()
        worker.connection.close()
        if self._tries[task.staging] < _MOST_TRIES:
            again.append(task)
            return None
        shutil.rmtree(task.staging, ignore_errors=True)
        code = worker.process.exitcode or 0
        reason = f"signal {-code}" if code < 0 else f"status {code}"
        return task, Result(fault=f"{task.job.source} ends each process that renders it ({reason}); leave it out")


def _has_long(worker: _Worker) -> bool:
    return worker.task is not None and worker.task.job.size >= _LONG_BYTES


def _end(workers: list[_Worker]) -> None:
    """End all processes; the batch gives up what they had begun."""
    for worker in workers:
        # A worker that renders sees this at its next block, one that waits ends at once.
        worker.connection.close()
    for worker in workers:
        worker.process.join(_STOP_S)
        if worker.process.is_alive():
            worker.process.kill()
            worker.process.join()


def _now_and_then(report: Callable[[float], None]) -> Callable[[float], None]:
    """Return progress that does not wake the other side for each block; the end is always reported."""
    reported_at = 0.0

    def progress(share: float) -> None:
        nonlocal reported_at
        now = time.monotonic()
        if share >= 1.0 or now - reported_at >= _REPORT_EVERY_S:
            reported_at = now
            report(share)

    return progress


def _serve(connection: Connection, build: Callable[[], Sound], gives_way: bool) -> None:
    """Render what comes until the other side is gone, by its own will or not."""
    if gives_way:
        os.nice(_LESS_PRIORITY)
    # Ctrl-C reaches the whole group; the command decides and closes the connection.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    try:
        try:
            sound = build()
            _ = sound.stage
        except ValueError as error:
            connection.send(str(error))
            return
        while True:
            task: Task = connection.recv()
            # While a task is rendered nothing is sent from the other side: what can be read is its end.
            progress = _now_and_then(connection.send)
            connection.send(run_task(replace(task, spreads=True), sound, progress, connection.poll))
    except (EOFError, OSError, RenderStopped, ProcessLost):
        return
