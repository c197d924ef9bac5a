"""Parts of a render in processes of their own, so that a long file has more than one core: source, turns and sink.

They are copies of the process that renders, which costs a few milliseconds, and nothing for memory that nobody changes.
They end with it.
"""

from __future__ import annotations

import contextlib
import ctypes
import mmap
import multiprocessing
import os
import signal
import sys
from collections.abc import Callable, Generator, Iterable, Iterator
from functools import partial
from multiprocessing.process import BaseProcess
from typing import Any, Generic, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from models.extender.extender import Extender
from models.stage import Stage
from plugin_host.render.stopped import ProcessLost

Item = TypeVar("Item")
Answer = TypeVar("Answer")

# Of the memory for arrays that are under way; one of them takes a second of stereo.
_SLOTS, _SLOT_BYTES = 4, 1 << 19
# Of Linux.
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
        self._given, self._answered = _Stream(), _Stream()
        self._process = _start(_answer, self._answered, function, self._given)
        self._given.only_give()
        self._answered.only_take()
        self.answers: Iterator[Answer] = _received(self._answered)

    def ask(self, item: Item) -> None:
        """Hand over an item; raise ProcessLost if the process has ended."""
        try:
            self._given.send((item, None, False))
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


def _send_all(stream: _Stream, items: Iterable[Item], *, is_last: bool = False) -> None:
    """Send each item, and how they end; raise what computing them raises where this process goes on with it."""
    try:
        for item in items:
            stream.send((item, None, False))
        stream.send((None, None, True))
    except BrokenPipeError:
        raise
    except BaseException as error:
        stream.send((None, _GivenUp() if is_last else error, True))
        if is_last:
            raise


class _Place(NamedTuple):
    """Where an array stood that comes after the message."""

    shape: tuple[int, ...]
    dtype: str


class _Stream:
    """Messages from one process to another: a pipe for what they say, and memory that both have for their arrays.

    What passes through a pipe is copied into pages that the system has to find each time. The memory is a ring of
    slots, which are written and read in turn: a byte in the pipe says that one is full, a byte in another pipe, the
    other way round, that one is free again. Who waits for either sees the end of the other process.
    """

    def __init__(self) -> None:
        self._taken, self._given = multiprocessing.Pipe(duplex=False)
        self._freed, self._free = multiprocessing.Pipe(duplex=False)
        self._memory = memoryview(mmap.mmap(-1, _SLOTS * _SLOT_BYTES))
        self._slot, self._left = 0, _SLOTS

    def only_give(self) -> None:
        """Close what the process that takes uses: with a copy of it open, the end of that would not be seen."""
        self._taken.close()
        self._free.close()

    def only_take(self) -> None:
        """Close what the process that gives uses; see `only_give`."""
        self._given.close()
        self._freed.close()

    def close(self) -> None:
        """Close all; the memory goes with the last process that has it."""
        self.only_give()
        self.only_take()

    def send(self, message: object) -> None:
        """Send a message, and then the arrays in its tuples and lists; raise BrokenPipeError where nobody takes it."""
        arrays: list[NDArray[Any]] = []
        self._given.send(_exchanged(message, np.ndarray, partial(_put_aside, arrays)))
        for array in arrays:
            for part in _parts(array):
                if not self._left:
                    self._left = len(os.read(self._freed.fileno(), _SLOTS))
                if not self._left:
                    raise BrokenPipeError
                self._next_slot(part.nbytes)[:] = part
                self._left -= 1
                os.write(self._given.fileno(), b"+")

    def receive(self) -> Any:
        """Return the next message; raise EOFError where none comes."""
        return _exchanged(self._taken.recv(), _Place, self._read)

    def _read(self, place: _Place) -> NDArray[Any]:
        array = np.empty(place.shape, place.dtype)
        for part in _parts(array):
            if not os.read(self._taken.fileno(), 1):
                raise EOFError
            part[:] = self._next_slot(part.nbytes)
            # The other process may have sent all that it had.
            with contextlib.suppress(BrokenPipeError):
                os.write(self._free.fileno(), b"-")
        return array

    def _next_slot(self, count: int) -> memoryview:
        start = self._slot * _SLOT_BYTES
        self._slot = (self._slot + 1) % _SLOTS
        return self._memory[start : start + count]


def _parts(array: NDArray[Any]) -> Iterator[memoryview]:
    """Yield an array's memory in parts that fit into a slot."""
    content = array.data.cast("B")
    for start in range(0, content.nbytes, _SLOT_BYTES):
        yield content[start : start + _SLOT_BYTES]


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


def _received(stream: _Stream) -> Iterator[Any]:
    while True:
        try:
            item, error, is_end = stream.receive()
        except (EOFError, OSError):
            raise _lost() from None
        if error is not None:
            raise error
        if is_end:
            return
        yield item


def _lost() -> ProcessLost:
    return ProcessLost("a process that had a part of the render died")


def _answer(answer: _Stream, function: Callable[[Iterator[Any]], Iterable[Any]], given: _Stream) -> None:
    given.only_take()
    answer.only_give()
    _send_all(answer, function(_received(given)))


def _start(target: Callable[..., None], *arguments: Any) -> BaseProcess:
    process = multiprocessing.get_context("fork").Process(target=_run, args=(os.getpid(), target, *arguments))
    process.start()
    return process


def _run(parent: int, target: Callable[..., None], *arguments: Any) -> None:
    ctypes.CDLL(None).prctl(_SET_DEATH_SIGNAL, signal.SIGKILL)
    if os.getppid() == parent:
        with contextlib.suppress(BrokenPipeError):
            target(*arguments)
