"""Loudness and true peak of a whole stream (ITU-R BS.1770-4)."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from dsp.loudness import gated_loudness, k_weighting, peak_filters, true_peak, weigh
from models.stage import Block

_STEP_S = 0.1
# Of the channels of 5.1: left, right, centre, low frequencies (which don't count), left and right surround.
_SURROUND_WEIGHTS = (1.0, 1.0, 1.0, 0.0, 1.41, 1.41)


class LoudnessMeter:
    """Measures a stream, handed over in blocks of any length, in memory of 8 bytes for 100 ms.

    Args:
        sample_rate: In Hz.
        channels: Of 6, the fourth is taken for the low frequencies of 5.1.
    """

    def __init__(self, sample_rate: int, channels: int) -> None:
        self._step = round(_STEP_S * sample_rate)
        self._filters, self._peak_filters = k_weighting(sample_rate), peak_filters()
        self._weights = np.array(_SURROUND_WEIGHTS if channels == len(_SURROUND_WEIGHTS) else [1.0] * channels)
        self._state, self._sums = np.zeros((channels, 2, 2)), np.zeros(channels)
        self._filled = 0
        self._steps: list[NDArray[np.float64]] = []
        self._tail: Block = np.zeros((channels, self._peak_filters.shape[1] - 1), np.float32)
        self._peak = 0.0

    def add(self, block: Block) -> None:
        """Measure the next samples, shape (channels, samples), finite."""
        if not block.shape[1]:
            return
        # The kernels know no other, and would be compiled once more.
        block = np.ascontiguousarray(block)
        steps = np.zeros((len(block), (self._filled + block.shape[1]) // self._step))
        self._filled = weigh(block, self._filters, self._state, self._sums, self._filled, self._step, steps)
        if steps.shape[1]:
            self._steps.append(self._weights @ steps / self._step)
        reach = self._tail.shape[1]
        seam = np.concatenate([self._tail, block[:, :reach]], axis=1)
        self._peak = true_peak(block, self._peak_filters, true_peak(seam, self._peak_filters, self._peak))
        self._tail = (block if block.shape[1] >= reach else seam)[:, -reach:].copy()

    @property
    def energies(self) -> NDArray[np.float64]:
        """The weighted mean squares of each 100 ms, shape (steps,)."""
        return np.concatenate([np.zeros(0), *self._steps])

    @property
    def lufs(self) -> float | None:
        """The integrated loudness, or None where all is silence or shorter than 400 ms."""
        return gated_loudness(self.energies)

    @property
    def true_peak_db(self) -> float:
        """The highest value, also between samples, in dB against full scale; -inf for silence."""
        silence = np.zeros((len(self._tail), self._tail.shape[1]), np.float32)
        peak = true_peak(np.concatenate([self._tail, silence], axis=1), self._peak_filters, self._peak)
        return 20 * math.log10(peak) if peak > 0 else -math.inf
