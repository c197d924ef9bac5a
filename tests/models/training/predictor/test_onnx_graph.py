"""Law of the graph: each shipped artifact's, on ONNX Runtime, computes the network's function to 1e-4 dB."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnxruntime
import torch

from dsp.bands import BAND_COUNT, band_mask
from models.artifact.manifest import GRAPH
from models.training.predictor.export import load_predictor
from models.training.predictor.onnx_graph import INPUTS, OUTPUTS


@torch.inference_mode()
def test_the_graph_is_the_same_function(artifact: Path) -> None:
    session = onnxruntime.InferenceSession(str(artifact / GRAPH), providers=["CPUExecutionProvider"])
    assert tuple(entry.name for entry in session.get_inputs()) == INPUTS
    network, _ = load_predictor(artifact)
    past, kept = network.start(2), [part.numpy() for part in network.start(2)]
    for frames, edge_hz in ((1, 2100.0), (1, 6000.0), (7, 24000.0), (40, 6000.0)):
        rng = np.random.default_rng(frames)
        levels = (-60 + 15 * rng.standard_normal((2, frames, BAND_COUNT))).astype(np.float32)
        tones = rng.random(levels.shape, np.float32)
        mask = np.broadcast_to(band_mask(48000, 0.0, edge_hz), levels.shape)
        envelope_db, tonality, *kept = session.run(
            OUTPUTS, dict(zip(INPUTS, (levels, tones, mask, *kept), strict=True))
        )
        expected, past = network(*map(torch.from_numpy, (levels, tones, mask.copy())), past)
        np.testing.assert_allclose(envelope_db, expected.levels_db, atol=1e-4)
        np.testing.assert_allclose(tonality, expected.tonality, atol=1e-5)
