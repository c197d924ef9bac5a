"""Parts of a render in processes of their own, so that a long file has more than one core: source, turns and sink.

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
from functools import partial
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from typing import Any, Generic, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from models.extender.extender import Extender
from models.stage import Stage
from plugin_host.render.stopped import ProcessLost

if sys.platform != "win32":
    import fcntl

Item = TypeVar("Item")
Answer = TypeVar("Answer")

# Of Linux. A pipe that takes two blocks of a second of stereo at once wakes the other side less often.
_SET_PIPE_BYTES, _PIPE_BYTES = 1031, 1 << 20
_SET_DEATH_SIGNAL = 1


class _GivenUp(Exception):
    """The items end here because computing them has failed."""


def can_spread() -> bool:
    """Return whether this process can be copied: on Linux, where no other thread could hold a lock meanwhile."""
    return sys.platform == "linux" and len(os.listdir("/proc/self/task")) == 1


class Aside(Generic[Item, Answer]):
    """Another process that works on items while this one does something else.

    Args:
        function: Yields answers to the items that are handed to the process.
    """

    def __init__(self, function: Callable[[Iterator[Item]], Iterable[Answer]]) -> None:
        (taken, self._given), (self._answered, answer) = _pipe(), _pipe()
        self._process = _start(_answer, answer, function, taken, self._given)
        taken.close()
        answer.close()
        self.answers: Iterator[Answer] = _received(self._answered)

    def ask(self, item: Item) -> None:
        """Hand over an item; raise ProcessLost if the process has ended."""
        try:
            _send(self._given, (item, None, False))
        except BrokenPipeError:
            raise _lost() from None

    def answer(self) -> Answer:
        """Return the next answer, or raise what computing it has raised."""
        return next(self.answers)

    def give(self, items: Iterable[Item]) -> None:
        """Hand over items and how they end, unless the process has ended."""
        # Where it has failed, the reason comes instead of its answer.
        with contextlib.suppress(BrokenPipeError):
            _send_all(self._given, items, is_last=True)

    def close(self, *, now: bool = True) -> None:
        """End the process, now or when it sees that no items come."""
        self._given.close()
        if now:
            self._process.kill()
        self._process.join()
        self._answered.close()


def ahead(items: Iterable[Item]) -> Generator[Item]:
    """Yield the items, which another process computes while this one works on those before.

    Raises:
        ProcessLost: It died.
        Exception: What computing them raised.
    """
    aside: Aside[None, Item] = Aside(lambda _: items)
    try:
        yield from aside.answers
    finally:
        aside.close()


def beside(function: Callable[[Iterator[Item]], Answer], items: Iterable[Item]) -> Answer:
    """Return what a function of the items returns, which runs in another process while this one computes the items.

    Raises:
        ProcessLost: It died.
        Exception: What the function raised, or computing the items; the function has then met an exception too.
    """
    aside: Aside[Item, Answer] = Aside(lambda given: map(function, [given]))
    try:
        aside.give(items)
        return aside.answer()
    finally:
        aside.close(now=False)


def extender_of(stage: Stage) -> object:
    """Return the extender of a chain, or the stage itself."""
    # A chain is not named: loading what its effects need takes long.
    return getattr(stage, "extender", stage)


@contextlib.contextmanager
def turns_aside(stage: Stage) -> Iterator[None]:
    """Have the turns of a stage's extender played in a process of their own."""
    extender = extender_of(stage)
    with contextlib.ExitStack() as open_ones:

        def make(function: Callable[[Item], Answer]) -> Aside[Item, Answer]:
            aside: Aside[Item, Answer] = Aside(partial(map, function))
            open_ones.callback(aside.close)
            return aside

        if isinstance(extender, Extender):
            extender.make_aside = make
            open_ones.callback(setattr, extender, "make_aside", None)
        yield


def _send_all(connection: Connection, items: Iterable[Item], *, is_last: bool = False) -> None:
    """Send each item, and how they end; raise what computing them raises where this process goes on with it."""
    try:
        for item in items:
            _send(connection, (item, None, False))
        _send(connection, (None, None, True))
    except BrokenPipeError:
        raise
    except BaseException as error:
        _send(connection, (None, _GivenUp() if is_last else error, True))
        if is_last:
            raise


class _Place(NamedTuple):
    """Where an array stood that comes after the message."""

    shape: tuple[int, ...]
    dtype: str


def _send(connection: Connection, message: object) -> None:
    """Send a message, and then the arrays in its tuples and lists as they lie in memory."""
    arrays: list[NDArray[Any]] = []
    connection.send(_exchanged(message, np.ndarray, partial(_put_aside, arrays)))
    for array in arrays:
        part = array.data.cast("B")
        while part.nbytes:
            part = part[os.write(connection.fileno(), part) :]


def _receive(connection: Connection) -> Any:
    return _exchanged(connection.recv(), _Place, partial(_read, connection))


def _exchanged(value: Any, kind: type, change: Callable[[Any], Any]) -> Any:
    """Return a value with all that is of a kind in its tuples and lists changed."""
    if isinstance(value, kind):
        return change(value)
    if type(value) in (tuple, list):
        return type(value)(_exchanged(one, kind, change) for one in value)
    return value


def _put_aside(arrays: list[NDArray[Any]], array: NDArray[Any]) -> Any:
    if not array.size:
        return array
    arrays.append(np.ascontiguousarray(array))
    return _Place(array.shape, array.dtype.str)


def _read(connection: Connection, place: _Place) -> NDArray[Any]:
    array = np.empty(place.shape, place.dtype)
    part = array.data.cast("B")
    while part.nbytes:
        count = os.readv(connection.fileno(), [part])
        if not count:
            raise EOFError
        part = part[count:]
    return array


def _received(connection: Connection) -> Iterator[Any]:
    while True:
        try:
            item, error, is_end = _receive(connection)
        except (EOFError, OSError):
            raise _lost() from None
        if error is not None:
            raise error
        if is_end:
            return
        yield item


def _lost() -> ProcessLost:
    return ProcessLost("a process that had a part of the render died")


def _answer(
    answer: Connection, function: Callable[[Iterator[Any]], Iterable[Any]], taken: Connection, given: Connection
) -> None:
    # With this copy open, the end of the process that gives the items would not be seen.
    given.close()
    _send_all(answer, function(_received(taken)))


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
