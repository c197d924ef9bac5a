"""The tape: the newest samples of a signal, side by side, moved to the front only now and then."""

from __future__ import annotations

import numpy as np

from models.stage import Block

_LEAST_ROOM = 2048


class Tape:
    """Keeps at least so many of a signal's newest samples where they can be looked at without a copy.

    Args:
        channels: Rows.
        past: Samples that stay in reach, silence before there were any; what is being added comes on top.
    """

    def __init__(self, channels: int, past: int) -> None:
        self._past = past
        self._samples = np.zeros((channels, past + _LEAST_ROOM), np.float32)
        self._end = past

    def extend(self, count: int) -> Block:
        """Make so many samples the newest and return the view, shape (channels, count), to be filled by the caller."""
        start = self.advance(count)
        return self._samples[:, start : self._end]

    def advance(self, count: int) -> int:
        """Make so many samples the newest and return where in `samples` they begin, for a kernel that fills them."""
        start = self._end
        if start + count > self._samples.shape[1]:
            self._rewind(count)
            start = self._end
        self._end = start + count
        return start

    @property
    def samples(self) -> Block:
        """All that is held, for kernels: they are told where in it to look, by `end`."""
        return self._samples

    @property
    def end(self) -> int:
        """Where in `samples` the newest one's successor would lie."""
        return self._end

    def newest(self, count: int, before: int = 0) -> Block:
        """Return a view of the `count` samples that end `before` samples before the end."""
        end = self._end - before
        return self._samples[:, end - count : end]

    def _rewind(self, count: int) -> None:
        kept = self.newest(self._past).copy()
        if self._past + count > self._samples.shape[1]:
            self._samples = np.zeros((len(kept), self._past + count), np.float32)
        self._samples[:, : self._past] = kept
        self._end = self._past
