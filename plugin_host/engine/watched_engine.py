"""An engine that also knows how long its callback was kept waiting."""

from __future__ import annotations

import time
from typing import Any

from models.stage import Stage
from plugin_host.engine.engine import Engine, Frames, SettingsSource
from plugin_host.metering.load import LoadMeter

# What a block costs goes round with the model's hop, by 2, 4 or 8 blocks: this meets all of them in turn.
_EVERY = 7


class WatchedEngine(Engine):
    """Measures, beside the load, the part of it without the processor: waiting for the interpreter or the system.

    Attributes:
        waiting: The waiting of every seventh call as shares of its deadline, the newest ones.
    """

    def __init__(self, chain: Stage, store: SettingsSource) -> None:
        super().__init__(chain, store)
        self.waiting = LoadMeter()

    def prepare(self, rate: int, channels: int, max_block: int) -> None:
        """Prepare the engine and forget what was measured."""
        self.waiting.clear()
        super().prepare(rate, channels, max_block)

    def callback(self, indata: Frames, outdata: Frames, xrun: bool = False) -> None:
        """Play one block; see `Engine.callback`."""
        # The system is asked for a thread's time by a call that costs more than the rest of this.
        if self.load.calls % _EVERY:
            super().callback(indata, outdata, xrun)
            return
        worked = time.thread_time()
        super().callback(indata, outdata, xrun)
        waited_s = self._took_s - (time.thread_time() - worked)
        if len(indata):
            self.waiting.add(max(0.0, waited_s), len(indata) / self._rate)

    def stats(self) -> dict[str, Any]:
        """Return the engine's figures with `waiting`, see `LoadMeter.figures`."""
        return {**super().stats(), "waiting": self.waiting.figures()}
