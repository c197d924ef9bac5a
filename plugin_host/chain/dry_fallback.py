"""A chain with the aligned dry signal beside it, so that something right plays while the chain rests or fails."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from dsp.buffers.delay_line import DelayLine
from dsp.finite import is_finite
from models.stage import Block, Stage

FADE_S = 0.010
# The step where the chain falls away is faded out in this many samples.
_RESCUE_SAMPLES = 64
_WARM_UP_BLOCKS = (128,) * 16


class Lane:
    """One chain on the audio thread.

    A chain that rests is not called at all, which is the only way to win its time back. What it plays just after
    holds a splice, so the dry signal stays until that has passed, then the two cross-fade.

    Attributes:
        chain: The stage.
        error: The last fault of the chain.
        dryness: Share of the dry signal that plays, 0..1.
    """

    def __init__(self, chain: Stage) -> None:
        self.chain = chain
        self.error: Exception | None = None
        self.dryness = 0.0

    def prepare(self, sample_rate: int, channels: int, max_block: int) -> None:
        """Prepare the chain, play it warm on silence and forget that; raise ValueError if it can't do this."""
        self.chain.prepare(sample_rate, channels, max_block)
        self._fade = max(1, round(FADE_S * sample_rate))
        self._ramp = (1.0 - np.arange(1, _RESCUE_SAMPLES + 1, dtype=np.float32) / _RESCUE_SAMPLES)[None]
        self._steps = np.arange(1, max_block + 1, dtype=np.float32)[None]
        self._forget(channels)

    def warm_up(self, channels: int, max_block: int, settings: Mapping[str, float]) -> None:
        """Play silence, so that everything lazy is done, and forget it; not on the audio thread."""
        # The largest block first: a plug-in would prepare itself again for a larger one than it had.
        for size in (max_block, *_WARM_UP_BLOCKS):
            self.play(np.zeros((channels, min(size, max_block)), np.float32), settings)
        self.chain.reset()
        self._forget(channels)
        self.error = None

    def _forget(self, channels: int) -> None:
        self._dry = DelayLine(channels, self.latency_samples + 1)
        self._last = np.zeros((channels, 1), np.float32)
        self._unfit, self.dryness = 0, 0.0

    @property
    def latency_samples(self) -> int:
        """The chain's."""
        return self.chain.latency_samples

    def play(self, block: Block, settings: Mapping[str, float], rest: bool = False) -> Block:
        """Return a block of the same shape; never raises.

        Args:
            block: Finite samples, shape (channels, samples), no longer than prepared for.
            settings: Control values in their units.
            rest: Leave the chain alone and play the dry signal.
        """
        count = block.shape[1]
        self._dry.append(block)
        out = None if rest else self._wet(block, settings)
        if out is None:
            self._unfit = self.latency_samples
            out = self._rescued(self._aligned(count))
            self.dryness = 1.0
        elif self.dryness > 0.0:
            out = self._returned(self._aligned(count), out)
        if count:
            # What is lent, such as the block itself, may be gone by the next one.
            self._last = out[:, -1:].copy() if out is block or out.base is not None else out
        return out

    def _aligned(self, count: int) -> Block:
        return self._dry.newest(count, self.latency_samples)

    def _wet(self, block: Block, settings: Mapping[str, float]) -> Block | None:
        try:
            wet = self.chain.process(block, settings)
            if wet.shape != block.shape or not is_finite(wet):
                raise RuntimeError("the chain gave a block of another shape or values that are not numbers")
        except Exception as error:  # The contract allows none; a third party's stage may still raise any.
            self.error = error
            return None
        return wet

    def _rescued(self, dry: Block) -> Block:
        """Return the dry signal, reached without a step from the last sample that was played."""
        count = min(_RESCUE_SAMPLES, dry.shape[1])
        before = self._dry.newest(1, self.latency_samples + dry.shape[1])
        rescued = dry.copy()
        rescued[:, :count] += (self._last[:, -1:] - before) * self._ramp[:, :count]
        return rescued

    def _returned(self, dry: Block, wet: Block) -> Block:
        """Return the dry signal, or the cross-fade to the wet one once that is whole again."""
        count = dry.shape[1]
        if self._unfit > 0:
            self._unfit -= count
            return self._rescued(dry)
        share = np.maximum(self.dryness - self._steps[:, :count] / self._fade, 0.0).astype(np.float32)
        out: Block = wet + share * (dry - wet)
        self.dryness = float(share[0, -1])
        return out
