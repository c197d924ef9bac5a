"""Laws of the kernel: it computes the network's function, one frame or many at a time, and commits on request."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from dsp.bands import BAND_COUNT, band_mask
from dsp.fft import Array
from models.predictor.config import PredictorConfig
from models.predictor.kernel import KernelInference
from models.predictor.network import Predictor


def levels(frames: int, seed: int = 0, channels: int = 2) -> Array:
    spread = np.random.default_rng(seed).standard_normal((channels, frames, BAND_COUNT))
    return (-60 + 15 * spread).astype(np.float32)


def tones(frames: int, seed: int = 0, channels: int = 2) -> Array:
    return np.random.default_rng(seed).random((channels, frames, BAND_COUNT), np.float32)


def inference(channels: int = 2, layers: int = 1) -> KernelInference:
    config = PredictorConfig(width=24, hidden=40, layers=layers, horizon=-4, is_held=True)
    predictor = Predictor(config)
    kernel = KernelInference(predictor.config, predictor.arrays())
    kernel.reset(channels)
    return kernel


@torch.inference_mode()
@pytest.mark.parametrize("horizon", [3, -2])
@pytest.mark.parametrize("kernel", [1, 3, 5])
@pytest.mark.parametrize("edge_hz", [100.0, 2100.0, 6000.0, 24000.0])
def test_it_predicts_what_torch_predicts(horizon: int, kernel: int, edge_hz: float) -> None:
    network = Predictor(PredictorConfig(width=24, hidden=40, kernel=kernel, horizon=horizon, is_held=True)).eval()
    mask, past = band_mask(48000, 0.0, edge_hz), network.start(2)
    mine = KernelInference(network.config, network.arrays())
    mine.reset(2)
    for seed, frames in enumerate((1, 1, 7, 2, 40, 1)):
        seen = levels(frames, seed), tones(frames, seed)
        predicted = mine.predict(*seen, mask)
        expected, past = network(*map(torch.from_numpy, seen), torch.from_numpy(mask)[None, None], past)
        np.testing.assert_allclose(predicted.levels_db, expected.levels_db, atol=1e-4)
        np.testing.assert_allclose(predicted.tonality, expected.tonality, atol=1e-5)
        mine.commit()


@pytest.mark.parametrize("channels", [1, 2, 3])
def test_frames_at_once_equal_frames_in_turn(channels: int) -> None:
    kernel, mask = inference(channels), band_mask(48000, 0.0, 6000.0)
    seen = levels(50, 3, channels), tones(50, 3, channels)
    whole = kernel.predict(*seen, mask).levels_db.copy()
    for frame in range(50):
        one = kernel.predict(seen[0][:, frame : frame + 1].copy(), seen[1][:, frame : frame + 1].copy(), mask)
        np.testing.assert_allclose(one.levels_db[:, 0], whole[:, frame], atol=2e-5)
        kernel.commit()


def test_a_prediction_may_be_repeated_until_it_is_committed() -> None:
    kernel = inference()
    mask = np.ones(BAND_COUNT, np.float32)
    first = kernel.predict(levels(1, 1), tones(1), mask).levels_db.copy()
    kernel.predict(levels(1, 2), tones(1), mask)
    np.testing.assert_array_equal(kernel.predict(levels(1, 1), tones(1), mask).levels_db, first)
    kernel.commit()
    assert np.abs(kernel.predict(levels(1, 1), tones(1), mask).levels_db - first).max() > 1e-3
    kernel.reset(2)
    np.testing.assert_array_equal(kernel.predict(levels(1, 1), tones(1), mask).levels_db, first)


def test_several_recurrent_layers_are_refused() -> None:
    with pytest.raises(ValueError, match="one recurrent layer, not 2"):
        inference(layers=2)


def test_weights_of_another_size_are_refused() -> None:
    weights = Predictor(PredictorConfig(width=24, hidden=40)).arrays()
    with pytest.raises(ValueError, match=r"no enter.weight of shape \(25, 149, 3\)"):
        KernelInference(PredictorConfig(width=25, hidden=40), weights)
    del weights["mix.bias"]
    with pytest.raises(ValueError, match=r"no mix\.bias"):
        KernelInference(PredictorConfig(width=24, hidden=40), weights)
