"""A player in a process of its own, for what is tried on a whole host from outside."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from tests.stress.player import Part

# Loading takes seconds, on a busy machine many.
_PATIENCE_S = 60.0


class PlayerError(ValueError):
    """A player can't be had or broke off; one sentence."""


class Player:
    """A process that plays a part.

    Args:
        part: What it plays.
        more: Environment beyond this program's own.

    Attributes:
        process: The process.
    """

    def __init__(self, part: Part, more: Mapping[str, str] | None = None) -> None:
        command = [sys.executable, "-m", "tests.stress.player", part.model_dump_json()]
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0, env={**os.environ, **(more or {})}
        )

    def send(self, data: bytes) -> None:
        """Send the bytes of a MIDI message."""
        assert self.process.stdin is not None
        self.process.stdin.write(data)

    def ready(self) -> dict[str, Any]:
        """Wait until it plays, and return what it plays on."""
        return self._read("ready")

    def end(self) -> dict[str, Any]:
        """End it and return its figures."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        return self._read("played")

    def _read(self, word: str) -> dict[str, Any]:
        assert self.process.stdout is not None
        patience = threading.Timer(_PATIENCE_S, self.process.kill)
        patience.start()
        line = self.process.stdout.readline()
        patience.cancel()
        try:
            message: dict[str, Any] = json.loads(line)[word]
        except (ValueError, KeyError):
            status = self.process.wait(_PATIENCE_S)
            raise PlayerError(f"a player ended with status {status}; its last words are above") from None
        return message


@contextmanager
def playing(part: Part, more: Mapping[str, str] | None = None) -> Iterator[Player]:
    """Run a player, and end it whatever happens; see `Player`."""
    player = Player(part, more)
    try:
        yield player
    finally:
        player.process.kill()
        player.process.wait()
        for stream in (player.process.stdin, player.process.stdout):
            if stream is not None:
                stream.close()
