"""Moves of knobs on their way from the control interfaces to the audio thread, which takes them without a lock."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping

from plugin_host.settings.smoothing import Aims, Ramp, Smoother

Ramps = dict[str, Ramp]


class MoveQueue:
    """A queue with the ramps behind it; one thread at a time puts, the audio thread drains.

    Args:
        ramps: The knobs, each at its target.
        capacity: Most moves that wait; beyond it they are merged.
    """

    def __init__(self, ramps: Ramps, capacity: int) -> None:
        self._capacity = capacity
        self._queue: deque[Aims | Ramps] = deque()
        self._audio = Smoother(ramps)

    def restart(self, ramps: Ramps) -> None:
        """Set the values to the targets; call it only while `drain` is not called."""
        self._queue.clear()
        self._audio = Smoother(ramps)

    def put(self, item: Aims | Ramps, whole: Callable[[], tuple[Ramps, Aims]]) -> None:
        """Append a move, or another set of knobs.

        Args:
            item: The goals or the ramps.
            whole: Returns all ramps and all targets, which replace what waits where the audio thread rests or is late.
        """
        if len(self._queue) < self._capacity:
            self._queue.append(item)
            return
        self._queue.clear()
        self._queue.extend(whole())

    def drain(self, frames: int) -> Mapping[str, float]:
        """Apply what waits, move on by so many samples, and return every value after the last of them.

        Moves count from the first sample of the block, so the values are the same bits for any cutting. The mapping is
        the same object until the knobs change, and is rewritten by the next call.
        """
        queue, audio = self._queue, self._audio
        while queue:
            try:
                item = queue.popleft()
            except IndexError:
                break  # A request is merging the queue at this moment; its newest targets come with the next block.
            if isinstance(item, dict):
                audio.replace(item)
            else:
                audio.aim(item)
        return audio.advance(frames) if audio.moving else audio.values
