"""Loudness meter: momentary and short-term loudness (EBU R 128) of a signal, measured off the audio thread."""

from __future__ import annotations

import math
import threading
from collections import deque
from collections.abc import Callable

import numpy as np

from dsp.loudness import k_weighting, weigh
from models.stage import Block

_STEP_S = 0.1
_MOMENTARY_STEPS, _SHORT_STEPS = 4, 30
_OFFSET_DB = -0.691
# Mean square below which there is nothing to measure, about -120 LUFS.
_SILENCE = 1e-12


class LoudnessMeter:
    """Adds up K-weighted energies over steps of a tenth of a second.

    Args:
        sample_rate: In Hz.
        channels: Of the signal.
    """

    def __init__(self, sample_rate: int, channels: int) -> None:
        self._filters, self._step = k_weighting(sample_rate), round(_STEP_S * sample_rate)
        self._state, self._sums = np.zeros((channels, 2, 2)), np.zeros(channels)
        self._filled, self._position = 0, 0
        self._energies: deque[float] = deque(maxlen=_SHORT_STEPS)
        # Several control interfaces may read the meters; the audio thread does not.
        self._lock = threading.Lock()
        # The kernel is compiled or loaded here, and not while a display waits.
        self._add(np.zeros((channels, 0), np.float32))

    def follow(self, read: Callable[[int], Block], written: int, kept: int) -> dict[str, float | None]:
        """Add the samples that are new and return the loudness in LUFS over the last 0.4 s and 3 s.

        Args:
            read: Returns so many samples before the position `written`, shape (channels, samples).
            written: Position in the signal behind the newest sample.
            kept: How many samples `read` can return.

        Returns:
            "momentary" and "short"; None before there is so much signal, and in silence.
        """
        with self._lock:
            count = written - self._position
            if not 0 <= count <= kept:
                # Nobody has looked for longer than samples are kept.
                self._energies.clear()
                count = min(written, kept)
            if count:
                self._add(read(count))
            self._position = written
            return {"momentary": self._loudness(_MOMENTARY_STEPS), "short": self._loudness(_SHORT_STEPS)}

    def _add(self, block: Block) -> None:
        steps = np.zeros((len(block), 1 + block.shape[1] // self._step))
        done = (self._filled + block.shape[1]) // self._step
        self._filled = weigh(
            np.ascontiguousarray(block), self._filters, self._state, self._sums, self._filled, self._step, steps
        )
        self._energies.extend(steps[:, :done].sum(axis=0) / self._step)

    def _loudness(self, steps: int) -> float | None:
        if len(self._energies) < steps:
            return None
        energy = sum(list(self._energies)[-steps:]) / steps
        return None if energy < _SILENCE else round(_OFFSET_DB + 10.0 * math.log10(energy), 1)
