"""Work that may take seconds, done one after another beside a thread that must not wait."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Generic, TypeVar

Result = TypeVar("Result")


class Errands(Generic[Result]):
    """One thread that works through what it is given.

    It is a daemon: a piece of work that hangs, such as a plug-in that loads for ever, does not keep the program from
    ending, as the standard library's executors would.
    """

    def __init__(self, name: str) -> None:
        self._waiting: queue.SimpleQueue[tuple[Callable[[], Result], Future[Result]] | None] = queue.SimpleQueue()
        threading.Thread(target=self._run, name=name, daemon=True).start()

    def give(self, work: Callable[[], Result]) -> Future[Result]:
        """Take on a piece of work; the future gets its result or its error."""
        future: Future[Result] = Future()
        self._waiting.put((work, future))
        return future

    def end(self) -> None:
        """Do what was given before, then end; this call does not wait for it."""
        self._waiting.put(None)

    def _run(self) -> None:
        while (errand := self._waiting.get()) is not None:
            work, future = errand
            try:
                future.set_result(work())
            except Exception as error:
                future.set_exception(error)
