"""How a command ends before its end: a sentence and an exit status where it fails, Ctrl-C as a request to stop.

Work in hand ends at its next block, so that nothing is left half done.
"""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import NoReturn

import typer

from plugin_host.cli.main import INTERRUPTED as INTERRUPTED

WORK_FAILED = 1
WRONG_USAGE = 2


def refuse(sentence: str, status: int) -> NoReturn:
    """Print the sentence on the error stream and end the command with the status."""
    complain(sentence)
    raise typer.Exit(status)


def complain(sentence: str) -> None:
    """Print one sentence on the error stream."""
    print(f"highband: {sentence}", file=sys.stderr, flush=True)


@contextmanager
def refusing(status: int, *kinds: type[Exception]) -> Iterator[None]:
    """End the command with the error's own sentence if one of these errors leaves the block."""
    try:
        yield
    except kinds as error:
        refuse(" ".join(str(error).split()), status)


@contextmanager
def stoppable() -> Iterator[Callable[[], bool]]:
    """Yield a function that returns whether Ctrl-C or SIGTERM came; a second one interrupts at once.

    Use it on the main thread.
    """
    is_requested = False

    def request(number: int, frame: FrameType | None) -> None:
        nonlocal is_requested
        if is_requested:
            raise KeyboardInterrupt
        is_requested = True

    before = {number: signal.signal(number, request) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield lambda: is_requested
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
