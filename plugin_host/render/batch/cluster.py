"""A batch beyond one machine: the same tasks on the workers of a Dask cluster."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from plugin_host.chain.file_program import Sound
from plugin_host.render.batch.plan import BatchError, Job, Plan
from plugin_host.render.batch.storage import is_remote
from plugin_host.render.batch.task import Engine, Result, Task
from plugin_host.render.batch.transfer import run_task
from plugin_host.render.batch.workers import engine_for
from plugin_host.render.stopped import RenderStopped, Stopped

SCHEME = "dask://"
_MOST_TRIES = 4
_BACK_OFF_S = 1.0
_POLL_S = 0.2
_CONNECT_S = 10.0
# They may be starting at the same time.
_WORKERS_S = 60.0
# Enough in hand that no worker waits, and so few that a stop is quick.
_IN_HAND_A_THREAD = 2

# A stage plays one file at a time: each thread of a worker keeps its own, warm.
_warm = threading.local()


class Cluster:
    """Renders on the workers of a Dask scheduler.

    Args:
        address: Such as "dask://scheduler:8786".
        build: Makes the stage and the settings on the workers, which need the same presets and artifacts.

    Raises:
        BatchError: The library is missing, or nothing answers there.
    """

    def __init__(self, address: str, build: Callable[[], Sound]) -> None:
        try:
            from distributed import Client
        except ImportError:
            raise BatchError(f"{address} needs dask.distributed; install highband[cluster]") from None
        self._build, self._address = build, address
        try:
            connect: Any = Client
            self._client = connect("tcp://" + address.removeprefix(SCHEME), timeout=_CONNECT_S)
        except (OSError, ValueError):
            raise BatchError(f"no Dask scheduler answers at {address}; start one with dask scheduler") from None

    def close(self) -> None:
        """Leave the cluster."""
        self._client.close()

    def run(
        self, tasks: Iterator[Task], begun: Callable[[Job], None], progress: Callable[[Job, float], None],
        stopped: Stopped,
    ) -> Iterator[tuple[Task, Result]]:  # fmt: skip
        """Yield what became of each task, in the order in which they end; see `Engine`."""
        futures: dict[Any, Task] = {}
        tries: dict[str, int] = {}
        self._wait_for_workers(stopped)
        try:
            while True:
                if stopped():
                    raise RenderStopped
                while len(futures) < self._most() and (task := next(tasks, None)):
                    futures[self._submit(task)] = task
                    begun(task.job)
                if not futures:
                    return
                ended = [future for future in futures if future.done()]
                for future in ended:
                    task = futures.pop(future)
                    if (result := self._result(future, task, tries, futures)) is not None:
                        yield task, result
                if not ended:
                    time.sleep(_POLL_S)
        finally:
            for future in futures:
                future.cancel()

    def _wait_for_workers(self, stopped: Stopped) -> None:
        end = time.monotonic() + _WORKERS_S
        while not self._client.nthreads():
            if stopped():
                raise RenderStopped
            if time.monotonic() > end:
                raise BatchError(f"{self._address} has no worker; start one with dask worker, on each machine")
            time.sleep(_POLL_S)

    def _most(self) -> int:
        return max(1, _IN_HAND_A_THREAD * sum(map(int, self._client.nthreads().values())))

    def _submit(self, task: Task) -> Any:
        # A worker that is lost gives its tasks back to the scheduler, which hands them to another one.
        return self._client.submit(perform_there, _from_root(task), self._build, pure=False)

    def _result(self, future: Any, task: Task, tries: dict[str, int], futures: dict[Any, Task]) -> Result | None:
        """Return what became of a task, or submit it again and return None."""
        error = future.exception() if future.status != "cancelled" else RuntimeError("it was cancelled")
        if error is None:
            result: Result = future.result()
            return result
        count = tries[task.staging] = tries.get(task.staging, 0) + 1
        if count >= _MOST_TRIES:
            return Result(fault=f"{task.job.source} failed on {count} workers: {type(error).__name__}: {error}")
        time.sleep(_BACK_OFF_S * 2 ** (count - 1))
        future.release()
        futures[self._submit(task)] = task
        return None


def _from_root(task: Task) -> Task:
    """Return a task with whole paths: workers run in other folders."""
    source, target, staging = (
        path if is_remote(path) else os.path.abspath(path) for path in (task.job.source, task.job.target, task.staging)
    )
    return replace(task, job=replace(task.job, source=source, target=target), staging=staging)


def chosen_engine(
    address: str | None, sound: Sound, build: Callable[[], Sound], jobs: int | None, plan: Plan
) -> Engine:
    """Return a cluster where an address is given, else what `engine_for` returns; raise BatchError for another one."""
    if address is None:
        return engine_for(sound, build, jobs, plan)
    if not address.startswith(SCHEME):
        raise BatchError(f"'{address}' is no engine; give the address of a scheduler, such as dask://localhost:8786")
    return Cluster(address, build)


def perform_there(task: Task, build: Callable[[], Sound]) -> Result:
    """Do one task on a worker, with the stage that its thread keeps."""
    key = repr(build)
    if getattr(_warm, "key", None) != key:
        _warm.key, _warm.sound = key, build()
    return run_task(task, _warm.sound, lambda share: None, lambda: False)
