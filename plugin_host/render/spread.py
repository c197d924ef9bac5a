"""Parts of a render in processes of their own, so that a long file has more than one core: its source and its sink.

They are copies of the process that renders, which costs a few milliseconds, and nothing for memory that nobody changes.
They end with it.
"""

from __future__ import annotations

import contextlib
import ctypes
import multiprocessing
import os
import signal
import sys
from collections.abc import Callable, Generator, Iterable, Iterator
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from typing import Any, TypeVar

if sys.platform != "win32":
    import fcntl

Item = TypeVar("Item")
Answer = TypeVar("Answer")

# Of Linux. A pipe that takes two blocks of a second of stereo at once wakes the other side less often.
_SET_PIPE_BYTES, _PIPE_BYTES = 1031, 1 << 20
_SET_DEATH_SIGNAL = 1


class ProcessLost(Exception):
    """A process that had a part of a render died; the render is worth a new try."""


class _GivenUp(Exception):
    """The items end here because computing them has failed."""


def can_spread() -> bool:
    """Return whether this process can be copied: on Linux, where no other thread could hold a lock meanwhile."""
    return sys.platform == "linux" and len(os.listdir("/proc/self/task")) == 1


def ahead(items: Iterable[Item]) -> Generator[Item]:
    """Yield the items, which another process computes while this one works on those before.

    Raises:
        ProcessLost: It died.
        Exception: What computing them raised.
    """
    here, there = _pipe()
    process = _start(_send_all, there, items)
    there.close()
    try:
        yield from _received(here)
    finally:
        process.kill()
        process.join()
        here.close()


def beside(function: Callable[[Iterator[Item]], Answer], items: Iterable[Item]) -> Answer:
    """Return what a function of the items returns, which runs in another process while this one computes the items.

    Raises:
        ProcessLost: It died.
        Exception: What the function raised, or computing the items; the function has then met an exception too.
    """
    (taken, given), (answered, answer) = _pipe(), _pipe()
    process = _start(_answer, answer, function, taken, given)
    taken.close()
    answer.close()
    try:
        # Where the function has failed, the reason comes instead of its answer.
        with contextlib.suppress(BrokenPipeError):
            _send_all(given, items, is_last=True)
        result: Answer = next(_received(answered))
        return result
    finally:
        given.close()
        process.join()
        answered.close()


def _send_all(connection: Connection, items: Iterable[Item], *, is_last: bool = False) -> None:
    """Send each item, and how they end; raise what computing them raises where this process goes on with it."""
    try:
        for item in items:
            connection.send((item, None, False))
        connection.send((None, None, True))
    except BrokenPipeError:
        raise
    except BaseException as error:
        connection.send((None, _GivenUp() if is_last else error, True))
        if is_last:
            raise


def _received(connection: Connection) -> Iterator[Any]:
    while True:
        try:
            item, error, is_end = connection.recv()
        except (EOFError, OSError):
            raise ProcessLost("a process that had a part of the render died") from None
        if error is not None:
            raise error
        if is_end:
            return
        yield item


def _answer(answer: Connection, function: Callable[[Iterator[Any]], Any], taken: Connection, given: Connection) -> None:
    # With this copy open, the end of the process that gives the items would not be seen.
    given.close()
    _send_all(answer, map(function, [_received(taken)]))


def _pipe() -> tuple[Connection, Connection]:
    here, there = multiprocessing.Pipe(duplex=False)
    # A person may have only so many large ones; a small one is slower.
    with contextlib.suppress(OSError):
        fcntl.fcntl(there.fileno(), _SET_PIPE_BYTES, _PIPE_BYTES)
    return here, there


def _start(target: Callable[..., None], *arguments: Any) -> BaseProcess:
    process = multiprocessing.get_context("fork").Process(target=_run, args=(os.getpid(), target, *arguments))
    process.start()
    return process


def _run(parent: int, target: Callable[..., None], *arguments: Any) -> None:
    ctypes.CDLL(None).prctl(_SET_DEATH_SIGNAL, signal.SIGKILL)
    if os.getppid() == parent:
        with contextlib.suppress(BrokenPipeError):
            target(*arguments)
