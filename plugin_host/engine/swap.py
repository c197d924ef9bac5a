"""The swap of one chain for another while sound is played: the new one comes in warm, then both are cross-faded."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from models.stage import Block
from plugin_host.chain.chain import Chain
from plugin_host.metering.levels import NewestSamples

FADE_S = 0.020
# So much of the newest input is played to the new chain first: filters, reverbs and the network have settled.
_HISTORY_S = 0.25
# Blocks arrive meanwhile; after so many rounds the chain comes in with a gap.
_MOST_ROUNDS = 20
# What a gap in its input leaves in a chain has passed after this.
_GAP_S = 0.05


class Swap:
    """A chain that comes in; prepared and caught up outside the audio thread, then played there.

    Args:
        chain: Prepared and warmed up.
        sample_rate: In Hz.
        max_block: The longest block to come.

    Attributes:
        chain: What comes in.
        is_over: Whether it plays alone.
    """

    def __init__(self, chain: Chain, sample_rate: int, max_block: int) -> None:
        self.chain, self.is_over = chain, False
        self._rate, self._max_block = sample_rate, max_block
        self._steps = np.arange(1, max_block + 1, dtype=np.float32)[None]
        self._wait = self._reached = 0

    def catch_up(self, old: Chain, newest: NewestSamples, settings: Mapping[str, float]) -> None:
        """Play the newest input, until the chain has come as far as the sound.

        It goes on with the bandwidth that the old chain has measured, so that the generated band stays.
        """
        history = round(_HISTORY_S * self._rate)
        begin = reached = max(0, newest.written - history)
        self.chain.reset(begin)
        self.chain.copy_bandwidth(old)
        for _ in range(_MOST_ROUNDS):
            end = newest.written
            if end == reached:
                break
            samples = newest.read(min(end - reached, history), end)
            for start in range(0, samples.shape[1], self._max_block):
                self.chain.play(np.ascontiguousarray(samples[:, start : start + self._max_block]), settings)
            reached = end
        # Without the samples above, which the old chain has measured already.
        self.chain.copy_bandwidth(old)
        self._wait, self._reached = max(0, self.chain.latency_samples - (reached - begin)), reached

    def play(self, block: Block, old: Block, settings: Mapping[str, float], rest: bool, position: int) -> Block:
        """Play a block and return the cross-fade from the old chain's, once what the new one plays is whole.

        Args:
            block: The input, see `Chain.play`.
            old: The old chain's output for it.
            settings: Control values in their units.
            rest: Whether both play the dry signal.
            position: Samples played before this block.
        """
        if position != self._reached:
            self._wait = self.chain.latency_samples + round(_GAP_S * self._rate)
        count = block.shape[1]
        self._reached = position + count
        new = self.chain.play(block, settings, rest)
        share = np.clip((self._steps[:, :count] - self._wait) / (FADE_S * self._rate), 0.0, 1.0)
        self._wait -= count
        self.is_over = bool(share[0, -1] >= 1.0)
        mixed: Block = (old + share * (new - old)).astype(np.float32)
        return np.where(share == 1.0, new, mixed)
