"""How a command ends before its end: a sentence and an exit status where it fails, Ctrl-C as a request to stop.

Work in hand ends at its next block, so that nothing is left half done.
"""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
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
    """Print one sentence on the error stream; a terminal that was closed is no reason to stop."""
    with suppress(OSError):
        print(f"highband: {sentence}", file=sys.stderr, flush=True)


def end_signals() -> list[signal.Signals]:
    """Return the signals that ask a program to end; a closed terminal's only where nohup has not switched it off."""
    names = ("SIGINT", "SIGTERM", "SIGHUP")
    numbers = [signal.Signals[name] for name in names if hasattr(signal, name)]
    return [number for number in numbers if number == signal.SIGINT or signal.getsignal(number) != signal.SIG_IGN]


@contextmanager
def refusing(status: int, *kinds: type[Exception]) -> Iterator[None]:
    """End the command with the error's own sentence if one of these errors leaves the block."""
    try:
        yield
    except kinds as error:
        refuse(" ".join(str(error).split()), status)


@contextmanager
def stoppable() -> Iterator[Callable[[], bool]]:
    """Yield a function that returns whether Ctrl-C, SIGTERM or the end of the terminal came; use it on the main thread.

    A second Ctrl-C or SIGTERM interrupts at once. A terminal that closes may send its signal twice by itself.
    """
    is_requested = False

    def request(number: int, frame: FrameType | None) -> None:
        nonlocal is_requested
        if is_requested and number in (signal.SIGINT, signal.SIGTERM):
            raise KeyboardInterrupt
        is_requested = True

    before = {number: signal.signal(number, request) for number in end_signals()}
    try:
        yield lambda: is_requested
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
