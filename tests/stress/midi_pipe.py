"""A MIDI port for a machine without a MIDI system: messages of three bytes, one after another, on a pipe."""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import suppress

_MESSAGE = 3
_AT_ONCE = 65536


class MidiPipe:
    """Reads messages from a file descriptor; what is sent back goes nowhere.

    Args:
        descriptor: Open for reading; it is closed with the port.

    Attributes:
        name: "pipe" while it is open, or "".
        messages: How many came so far.
        ended: Whether the other side has closed it.
    """

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        os.set_blocking(descriptor, False)
        self._rest = b""
        self.name = ""
        self.messages = 0
        self.ended = False

    def look(self) -> bool:
        """Open it at the first call."""
        is_new = not self.name and not self.ended
        self.name = "" if self.ended else "pipe"
        return is_new

    def receive(self, most: int) -> list[Sequence[int]]:
        """Return the messages that wait, at most so many."""
        if len(self._rest) < _MESSAGE * most and not self.ended:
            with suppress(BlockingIOError):
                more = os.read(self._descriptor, _AT_ONCE)
                self.ended = not more
                self._rest += more
        whole = min(most, len(self._rest) // _MESSAGE) * _MESSAGE
        taken, self._rest = self._rest[:whole], self._rest[whole:]
        self.messages += whole // _MESSAGE
        return [taken[start : start + _MESSAGE] for start in range(0, whole, _MESSAGE)]

    def send(self, data: bytes) -> None:
        """Do nothing: nobody listens."""

    def close(self) -> None:
        """Close it for good."""
        if self.name:
            self.name, self.ended = "", True
            os.close(self._descriptor)
