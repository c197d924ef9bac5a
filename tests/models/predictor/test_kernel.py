"""Laws of the predictor as a kernel: what torch tells, one frame or many at a time, and a past kept on request."""

from __future__ import annotations

import numpy as np
import pytest

from dsp.bands import BAND_COUNT, band_mask
from dsp.fft import Array
from models.predictor.inference import TorchTeller
from models.predictor.kernel import KernelTeller
from models.predictor.network import Predictor, PredictorConfig


def levels(frames: int, seed: int = 0) -> Array:
    return (-60 + 15 * np.random.default_rng(seed).standard_normal((2, frames, BAND_COUNT))).astype(np.float32)


def tones(frames: int, seed: int = 0) -> Array:
    return np.random.default_rng(seed).random((2, frames, BAND_COUNT), np.float32)


@pytest.mark.parametrize("horizon", [3, -2])
@pytest.mark.parametrize("kernel", [1, 3, 5])
@pytest.mark.parametrize("edge_hz", [100.0, 2100.0, 6000.0, 24000.0])
def test_it_tells_what_torch_tells(horizon: int, kernel: int, edge_hz: float) -> None:
    predictor = Predictor(PredictorConfig(width=24, hidden=40, kernel=kernel, horizon=horizon, is_held=True))
    mask = band_mask(48000, 0.0, edge_hz).numpy()
    mine, torchs = KernelTeller(predictor), TorchTeller(predictor)
    for teller in (mine, torchs):
        teller.start(2)
    for seed, frames in enumerate((1, 1, 7, 2, 1)):
        told, wanted = (teller.tell(levels(frames, seed), tones(frames, seed), mask) for teller in (mine, torchs))
        np.testing.assert_allclose(told.levels_db, wanted.levels_db, atol=1e-4)
        np.testing.assert_allclose(told.tonality, wanted.tonality, atol=1e-5)
        for teller in (mine, torchs):
            teller.keep()


def test_what_is_not_kept_may_be_asked_again() -> None:
    teller = KernelTeller(Predictor(PredictorConfig(width=24, hidden=40)))
    mask = np.ones(BAND_COUNT, np.float32)
    teller.start(2)
    first = teller.tell(levels(1, 1), tones(1), mask).levels_db.copy()
    teller.tell(levels(1, 2), tones(1), mask)
    np.testing.assert_array_equal(teller.tell(levels(1, 1), tones(1), mask).levels_db, first)
    teller.keep()
    assert np.abs(teller.tell(levels(1, 1), tones(1), mask).levels_db - first).max() > 1e-3
    teller.start(2)
    np.testing.assert_array_equal(teller.tell(levels(1, 1), tones(1), mask).levels_db, first)


def test_several_recurrent_layers_are_refused() -> None:
    with pytest.raises(ValueError, match="choose onnx or torch"):
        KernelTeller(Predictor(PredictorConfig(width=8, hidden=8, layers=2)))
