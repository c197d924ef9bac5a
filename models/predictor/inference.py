"""The teller: how the stage asks the predictor, whatever computes it.

`Predictor` is the definition, a pure function of frames and past. A teller holds the past for it and offers two steps:
`tell` may be asked again and again about what comes next, `keep` makes the newest answer part of the past.
"""

from __future__ import annotations

from typing import NamedTuple, Protocol

import numpy as np
import torch
from numpy.typing import NDArray

from models.predictor.network import Past, Predictor

Array = NDArray[np.float32]


class Told(NamedTuple):
    """The `Envelope` of the network as arrays, shape (channels, frames, bands); valid until the next call."""

    levels_db: Array
    tonality: Array


class Teller(Protocol):
    """Tells the envelope of frames."""

    def start(self, channels: int) -> None:
        """Forget everything, for so many channels."""
        ...

    def tell(self, levels_db: Array, tonality: Array, mask: Array) -> Told:
        """Predict the envelope of the frames that follow the past; the past stays as it is.

        Args:
            levels_db: Log band energies of the input, shape (channels, frames, bands).
            tonality: Of the input's bands, same shape.
            mask: 1 where a band may be trusted, shape (bands,).
        """
        ...

    def keep(self) -> None:
        """Put the frames that were told last into the past."""
        ...


class TorchTeller:
    """The definition itself."""

    def __init__(self, predictor: Predictor) -> None:
        self._predictor = predictor.eval()

    def start(self, channels: int) -> None:
        """Forget everything, for so many channels."""
        self._past = self._next = self._predictor.start(channels)

    def tell(self, levels_db: Array, tonality: Array, mask: Array) -> Told:
        """Predict; see `Teller`."""
        with torch.inference_mode():
            levels, tones, trusted = (torch.from_numpy(part) for part in (levels_db, tonality, mask[None, None]))
            envelope, self._next = self._predictor(levels, tones, trusted, Past(*self._past))
            return Told(envelope.levels_db.numpy(), envelope.tonality.numpy())

    def keep(self) -> None:
        """Put the frames that were told last into the past."""
        self._past = self._next
