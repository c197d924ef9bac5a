"""Work that may take seconds, done one after another beside a thread that must not wait."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Generic, TypeVar

Result = TypeVar("Result")


class Worker(Generic[Result]):
    """One thread that does submitted tasks in turn.

    It is a daemon: a piece of work that hangs, such as a plug-in that loads for ever, does not keep the program from
    ending, as the standard library's executors would.
    """

    def __init__(self, name: str) -> None:
        self._waiting: queue.SimpleQueue[tuple[Callable[[], Result], Future[Result]] | None] = queue.SimpleQueue()
        threading.Thread(target=self._run, name=name, daemon=True).start()

    def submit(self, work: Callable[[], Result]) -> Future[Result]:
        """Queue a task; the future gets its result or its error."""
        future: Future[Result] = Future()
        self._waiting.put((work, future))
        return future

    def end(self) -> None:
        """End after the tasks that were submitted before; this call does not wait for them."""
        self._waiting.put(None)

    def _run(self) -> None:
        while (task := self._waiting.get()) is not None:
            work, future = task
            try:
                future.set_result(work())
            except Exception as error:
                future.set_exception(error)
