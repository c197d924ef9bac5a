"""A chain that knows how long each of its stages takes."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence

from dsp.control import Control
from models.stage import Block, Stage
from plugin_host.chain import Chain
from plugin_host.load import LoadMeter


class TimedStage:
    """A stage with a meter of its share of the deadline around it."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.load = LoadMeter()
        name = getattr(stage, "name", None)
        self.name = name if isinstance(name, str) else "extender"
        self._rate = 1

    @property
    def controls(self) -> Sequence[Control]:
        """The stage's."""
        return self.stage.controls

    @property
    def latency_samples(self) -> int:
        """The stage's."""
        return self.stage.latency_samples

    @property
    def error(self) -> Exception | None:
        """The last fault that the stage kept."""
        return getattr(self.stage, "error", None)

    def forget_error(self) -> None:
        """Forget the last fault."""
        if hasattr(self.stage, "error"):
            self.stage.error = None

    def prepare(self, sample_rate: int, channels: int, max_block: int) -> None:
        """Prepare the stage."""
        self._rate = sample_rate
        self.load.clear()
        self.stage.prepare(sample_rate, channels, max_block)

    def process(self, block: Block, settings: Mapping[str, float]) -> Block:
        """Process and note how long it took."""
        began = time.perf_counter()
        out = self.stage.process(block, settings)
        self.load.add(time.perf_counter() - began, max(1, block.shape[1]) / self._rate)
        return out

    def reset(self) -> None:
        """Reset the stage and forget what its warm-up took."""
        self.load.clear()
        self.stage.reset()


class TimedChain(Chain):
    """The chain as it plays live: `loads` tells where the time goes."""

    def __init__(self, before: Sequence[Stage], extender: Stage | None, after: Sequence[Stage]) -> None:
        self._timed = [TimedStage(stage) for stage in (*before, *([extender] if extender else []), *after)]
        middle = len(before)
        end = middle + (extender is not None)
        super().__init__(self._timed[:middle], self._timed[middle] if extender else None, self._timed[end:])

    def loads(self) -> dict[str, dict[str, float]]:
        """Return each stage's share of the deadline; see `LoadMeter.figures`."""
        return {timed.name: timed.load.figures() for timed in self._timed}

    @property
    def crossover_hz(self) -> float | None:
        """Where the generated band begins now, in Hz, or None where nothing is generated."""
        found = (getattr(timed.stage, "crossover_hz", None) for timed in self._timed)
        return next((edge for edge in found if isinstance(edge, float)), None)

    def take_error(self) -> Exception | None:
        """Return the last fault and forget it; for the main thread."""
        fault = super().take_error()
        for timed in self._timed:
            timed.forget_error()
        return fault
