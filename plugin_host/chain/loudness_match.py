"""The loudness match: the loudness of dry and wet (ITU-R BS.1770), and gains that turn the louder one down.

The audio thread only writes its samples into a ring buffer; filters and gates run on the thread that calls `look`.
"""

from __future__ import annotations

from collections import deque
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dsp.buffers.ring_buffer import RingBuffer
from dsp.loudness import STEPS_A_BLOCK, gated_loudness
from models.stage import Block
from plugin_host.chain.effects import EffectsStage
from plugin_host.preset.file import EffectNode

# The short-term window of EBU R 128, gated as BS.1770 gates: blocks of 400 ms that overlap by three quarters.
WINDOW_S = 3.0
_STEP_S = 0.1
# Beyond this one of the two is all but silent, and the other one is not turned down so far.
_MOST_DB = 24.0
_RING_S = 2.0


def k_weighting() -> EffectsStage:
    """Return BS.1770's two filters, with pyloudnorm's figures; a high-pass of Q 0.5 is twice one of the first order."""
    low_cut = EffectNode(effect="HighpassFilter", settings={"cutoff_frequency_hz": 38.0})
    shelf = EffectNode(
        effect="HighShelfFilter", settings={"cutoff_frequency_hz": 1500.0, "gain_db": 4.0, "q": 0.5**0.5}
    )
    return EffectsStage([shelf, low_cut, low_cut], name="weighting")


class LoudnessMatch:
    """Measures dry and wet side by side while they are compared.

    Args:
        window_s: How much of the newest sound is measured.

    Attributes:
        gains: What dry and wet are multiplied by to be equally loud; at most 1, and the softer one stays.
    """

    def __init__(self, window_s: float = WINDOW_S) -> None:
        self.gains = (1.0, 1.0)
        self._energies: deque[NDArray[np.float64]] = deque(maxlen=round(window_s / _STEP_S))
        self._source: object = None
        self._ring: RingBuffer | None = None
        self._is_fresh = True
        self._loudness_of: tuple[float | None, float | None] = (None, None)

    def prepare(self, source: object, rate: int, channels: int) -> None:
        """Measure another source, which plays soon; not on the audio thread."""
        self._channels, self._step = channels, round(_STEP_S * rate)
        self._filters = k_weighting()
        self._filters.prepare(rate, 2 * channels, self._step)
        self._source = source
        self._ring = RingBuffer(2 * channels, round(_RING_S * rate))
        self._is_fresh = True

    def begin(self) -> None:
        """Forget what was measured: a comparison begins; on the audio thread."""
        self._is_fresh = True

    def push(self, source: object, dry: Block, wet: Block) -> None:
        """Write a block of both, aligned; on the audio thread. Only the newest source counts."""
        if source is self._source and self._ring is not None:
            self._ring.push(dry, wet)

    def look(self) -> None:
        """Measure the samples since the last call; on one thread without a deadline."""
        ring = self._ring
        if ring is None:
            return
        if self._is_fresh:
            self._is_fresh = False
            self._filters.reset()
            self._waiting: Block = np.zeros((2 * self._channels, 0), np.float32)
            self._energies.clear()
        both = ring.pop()
        if both.shape[1]:
            self._waiting = np.concatenate([self._waiting, self._filters.process(both, {})], axis=1)
            self._add_steps()
            self._compare()

    def _add_steps(self) -> None:
        while self._waiting.shape[1] >= self._step:
            step, self._waiting = self._waiting[:, : self._step], self._waiting[:, self._step :]
            squares = np.square(step, dtype=np.float64).mean(axis=1)
            self._energies.append(np.array([part.sum() for part in np.split(squares, 2)]))

    def _compare(self) -> None:
        if len(self._energies) < STEPS_A_BLOCK:
            return
        dry, wet = (gated_loudness(row) for row in np.array(self._energies).T)
        self._loudness_of = dry, wet
        if dry is not None and wet is not None:
            over_db = min(_MOST_DB, max(-_MOST_DB, wet - dry))
            self.gains = 10.0 ** (min(0.0, over_db) / 20.0), 10.0 ** (-max(0.0, over_db) / 20.0)

    def figures(self) -> dict[str, Any]:
        """Return the loudness of both in LUFS, by how many dB wet is the louder one, and which is turned down.

        `seconds` says how much was measured.
        """
        dry, wet = self._loudness_of
        offset = None if dry is None or wet is None else round(wet - dry, 2)
        lower = "" if not offset else "wet" if offset > 0.0 else "dry"
        rounded = [None if loud is None else round(loud, 2) for loud in (dry, wet)]
        measured_s = round(_STEP_S * len(self._energies), 1)
        return {
            "dry_lufs": rounded[0], "wet_lufs": rounded[1], "offset_db": offset, "turned_down": lower,
            "seconds": measured_s,
        }  # fmt: skip
