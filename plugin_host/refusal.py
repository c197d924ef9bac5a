"""How a command says no: one sentence on the error stream and an exit status, never a traceback."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn

import typer

WORK_FAILED = 1
WRONG_USAGE = 2
INTERRUPTED = 130


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
