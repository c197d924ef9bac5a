"""The network that defines a predictor, run by torch itself, to compare the kernel with."""

from __future__ import annotations

import torch

from models.predictor.inference import Array, Predicted
from models.predictor.network import Past, Predictor


class TorchInference:
    """The definition itself; see `models.predictor.inference.Inference`."""

    def __init__(self, predictor: Predictor) -> None:
        self._predictor = predictor.eval()

    def reset(self, channels: int) -> None:
        """Forget the past."""
        self._past = self._next = self._predictor.start(channels)

    @torch.inference_mode()
    def predict(self, levels_db: Array, tonality: Array, mask: Array) -> Predicted:
        """Predict the envelope of frames."""
        levels, tones, trusted = (torch.from_numpy(part) for part in (levels_db, tonality, mask[None, None]))
        envelope, self._next = self._predictor(levels, tones, trusted, Past(*self._past))
        return Predicted(envelope.levels_db.numpy(), envelope.tonality.numpy())

    def commit(self) -> None:
        """Make the last prediction part of the past."""
        self._past = self._next
