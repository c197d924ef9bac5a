"""The predictor as an ONNX graph, for programs that have a runtime for such graphs; Highband itself plays a kernel."""

from __future__ import annotations

import warnings
from pathlib import Path

import torch
from torch import Tensor, nn

from dsp.bands import BAND_COUNT
from models.predictor.network import Past, Predictor

INPUTS = ("levels_db", "tonality", "mask", "past_frames", "past_state", "past_references")
OUTPUTS = ("envelope_db", "harmonicity", "next_frames", "next_state", "next_references")


class _Flat(nn.Module):
    """The predictor with its past as plain tensors, as a graph takes them."""

    def __init__(self, predictor: Predictor) -> None:
        super().__init__()
        self.predictor = predictor

    def forward(self, levels_db: Tensor, tonality: Tensor, mask: Tensor, *past: Tensor) -> tuple[Tensor, ...]:
        envelope, following = self.predictor(levels_db, tonality, mask, Past(*past))
        return envelope.levels_db, envelope.tonality, *following


def write_graph(predictor: Predictor, file: Path) -> None:
    """Write the predictor as an ONNX graph whose batch and frames may have any size."""
    import onnx

    frames = torch.zeros(2, 3, BAND_COUNT)
    example = (frames, frames, torch.ones(2, 3, BAND_COUNT), *predictor.start(2))
    axes = {name: {0: "batch", 1: "frames"} for name in (*INPUTS[:3], *OUTPUTS[:2])}
    axes |= {name: {0: "batch"} for name in (INPUTS[3], INPUTS[5], OUTPUTS[2], OUTPUTS[4])}
    axes |= {name: {1: "batch"} for name in (INPUTS[4], OUTPUTS[3])}
    with warnings.catch_warnings():
        # The exporter by tracing keeps the GRU one node; the newer one unrolls it for a fixed number of frames.
        warnings.simplefilter("ignore")
        torch.onnx.export(
            # The exporter puts back the mode it finds, into all that is inside too.
            _Flat(predictor).eval(),
            example,
            str(file),
            input_names=list(INPUTS),
            output_names=list(OUTPUTS),
            dynamic_axes=axes,
            opset_version=18,
            dynamo=False,
        )
    onnx.checker.check_model(str(file))
