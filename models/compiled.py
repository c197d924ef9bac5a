"""The predictor compiled for live use: the artifact's ONNX graph on ONNX Runtime, one thread, no spinning."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor

from models.predictor import Envelope, Past

INPUTS = ("levels_db", "mask", "past_frames", "past_state")
OUTPUTS = ("envelope_db", "tonality", "next_frames", "next_state")


class CompiledPredictor:
    """The same function as `models.predictor.Predictor`, to 1e-5."""

    def __init__(self, graph: Path) -> None:
        """Load a graph; raises ValueError where it is not one of ours."""
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        try:
            self._session = onnxruntime.InferenceSession(str(graph), options, providers=["CPUExecutionProvider"])
        except Exception as error:  # ONNX Runtime raises classes of its own that share no useful base.
            raise ValueError(f"{graph} is not an ONNX graph that this version runs: {error}") from None
        names = tuple(entry.name for entry in self._session.get_inputs())
        if names != INPUTS:
            raise ValueError(f"{graph} takes {', '.join(names)} where a predictor takes {', '.join(INPUTS)}")

    def __call__(self, levels_db: Tensor, mask: Tensor, past: Past) -> tuple[Envelope, Past]:
        """Predict as `Predictor.forward` does."""
        given = (levels_db, mask.expand_as(levels_db).contiguous(), *past)
        feed = dict(zip(INPUTS, (tensor.contiguous().numpy() for tensor in given), strict=True))
        levels, tone, frames, state = (torch.from_numpy(array) for array in self._session.run(OUTPUTS, feed))
        return Envelope(levels, tone), Past(frames, state)
