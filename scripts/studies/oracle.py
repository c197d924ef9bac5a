"""The exact envelope: what the extender would do if its predictor were never wrong, as a ceiling for comparison."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from dsp import bands
from dsp.fft import Array
from models.extender.extender import Extender
from models.predictor.inference import Predicted
from models.stage import Block
from models.training.data.features import levels_of, tonality_of
from models.training.metrics import RATE


class ExactEnvelope:
    """An inference whose envelope is that of one clean recording.

    Args:
        clean: Shape (channels, samples) at 48 kHz.
        horizon: The predictor's horizon in frames.
        merge: Neighbouring bands that share one level, to find what a coarser scale would cost.
    """

    def __init__(self, clean: Block, horizon: int, merge: int = 1) -> None:
        rows = [np.ascontiguousarray(channel) for channel in clean]
        levels = torch.stack([torch.from_numpy(levels_of(row, RATE).astype(np.float32)) for row in rows])
        self._levels = _merged(levels, merge).numpy()
        self._tonality = np.stack([tonality_of(row, RATE).astype(np.float32) / np.float32(255) for row in rows])
        # The newest input frame is centred half a window, two hops, before its end.
        self._first = horizon - bands.window_samples(RATE) // (2 * bands.hop_samples(RATE))

    def reset(self, channels: int) -> None:
        """Begin the recording again."""
        self._at = self._next = self._first

    def predict(self, levels_db: Array, tonality: Array, mask: Array) -> Predicted:
        """Return the true envelope of the next frames, whatever the input."""
        self._next = self._at + levels_db.shape[1]
        index = np.arange(self._at, self._next).clip(0, self._levels.shape[1] - 1)
        return Predicted(self._levels[:, index], self._tonality[:, index])

    def commit(self) -> None:
        """Go on behind the frames of the last prediction."""
        self._at = self._next


def exact_extender(extender: Extender, clean: Block, merge: int = 1) -> Extender:
    """Return an extender like this one whose envelope is exact for a recording."""
    truth = ExactEnvelope(clean, extender.config.predictor.horizon, merge)
    return Extender(extender.config, truth, extender.network, extender.fine)


def _merged(levels_db: Tensor, merge: int) -> Tensor:
    groups = levels_db.unfold(-1, merge, merge)
    power = torch.pow(10.0, groups / 10).mean(-1, keepdim=True).expand_as(groups)
    return (10 * torch.log10(power + 1e-12)).flatten(-2)
