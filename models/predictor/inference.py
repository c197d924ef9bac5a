"""Inference: how the extender runs a predictor, whatever computes it.

An inference holds the predictor's past and works in two steps: `predict` may be repeated for the frames that come next,
with another mask; `commit` makes the newest of them part of the past.
"""

from __future__ import annotations

from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]


class Predicted(NamedTuple):
    """The envelope of frames, shape (channels, frames, bands); valid until the next call.

    Attributes:
        levels_db: Log band energies.
        tonality: Share of harmonics in each band's power, 0..1.
    """

    levels_db: Array
    tonality: Array


class Inference(Protocol):
    """Predicts the envelope of frames."""

    def reset(self, channels: int) -> None:
        """Forget the past, and prepare for so many channels."""
        ...

    def predict(self, levels_db: Array, tonality: Array, mask: Array) -> Predicted:
        """Predict the envelope of the frames that follow the past; the past stays as it is.

        Args:
            levels_db: Log band energies of the input, shape (channels, frames, bands).
            tonality: Of the input's bands, same shape.
            mask: 1 where a band may be trusted, shape (bands,).
        """
        ...

    def commit(self) -> None:
        """Make the frames of the last prediction part of the past."""
        ...
