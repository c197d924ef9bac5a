"""Laws of the comparison: it judges what was trained, all by the same clips, and no system sees the future."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from models.artifact.load import load_extender
from models.exciters.ltv_layer import HOP
from models.predictor.config import PredictorConfig
from models.predictor.network import Predictor
from models.training import metrics
from models.training.data import corpus
from models.training.exciter.acoustic_loss import REACH
from models.training.exciter.run import WaveformRun
from models.training.exciter.train import train
from scripts.studies import comparison
from scripts.studies.learned_system import LearnedSystem, costs, predicted_db
from tests.models.training.exciter.waveforms import tiny_corpus, tiny_run


@pytest.fixture
def tiny(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder of runs in which two of the systems were trained, on a tiny corpus."""
    folder = tmp_path / "corpus"
    folder.mkdir()
    clips = [clip for clip in tiny_corpus(folder) if clip.split == "train"]
    runs = {
        name: tiny_run(name=name, steps=1, filtered=name.endswith("ltv"), conditioned="2" in name)
        for name in comparison.SYSTEMS.values()
    }

    def read(file: Path) -> WaveformRun:
        return runs[file.stem]

    monkeypatch.setattr(comparison, "read_waveform_run", read)
    monkeypatch.setattr(corpus, "DEFAULT_FOLDER", folder)
    monkeypatch.setattr(comparison, "SECONDS", 1.0)
    for name in ("learned-seanet", "learned-seanet2-ltv"):
        (tmp_path / "runs" / name).mkdir(parents=True)
        train(runs[name], clips, [], tmp_path / "runs" / name)
    return tmp_path / "runs"


def test_everything_that_was_trained_is_in_the_figures(
    tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(metrics, "visqol", lambda clean, restored: 3.0)
    comparison.main(tmp_path / "out.json", tiny)
    content = json.loads((tmp_path / "out.json").read_text())
    assert set(content["systems"]) == {"sinc", comparison.DSP, "SEANet", "SEANet-2 + LTV"}
    for name in ("SEANet", "SEANet-2 + LTV"):
        assert {"weights", "seed", "steps", "run", "real_time_factor", "latency_samples"} <= content["systems"][
            name
        ].keys()
        assert 0 < content["systems"][name]["flatness"] <= 1
    judged = {(row["category"], row["rate"], row["system"]) for row in content["rows"]}
    assert judged == {(k, r, s) for k in ("speech", "instrument") for r in (8000, 16000) for s in content["systems"]}
    assert not list(tmp_path.glob("*.partial"))


def test_the_predictor_counts_where_its_features_are_used(tiny: Path) -> None:
    learned = comparison.learned_systems(tiny)
    assert costs(learned["SEANet"][0]).predictor == 0
    assert costs(learned["SEANet-2 + LTV"][0]).predictor > 10_000


def test_a_system_keeps_shape_and_low_band_of_any_length(tiny: Path) -> None:
    system = comparison.learned_systems(tiny)["SEANet-2 + LTV"][0]
    degraded = 0.1 * np.random.default_rng(1).normal(size=(2, 5001)).astype(np.float32)
    restored = system(degraded, 48000)
    assert restored.shape == degraded.shape
    assert restored.dtype == np.float32


@torch.inference_mode()
@pytest.mark.parametrize("horizon", [3, 1, -2])
def test_predicted_features_use_what_the_horizon_allows_and_no_more(horizon: int) -> None:
    predictor = Predictor(PredictorConfig(width=8, hidden=8, horizon=horizon)).eval()
    signal = 0.1 * torch.randn(1, 20 * HOP)
    changed = signal.clone()
    at = 2560
    changed[:, at:] = 0.1 * torch.randn(1, 20 * HOP - at)
    one, other = (predicted_db(predictor, signal, 4000.0) for signal in (signal, changed))
    assert one.shape == (1, 21, 64)
    # Frame k is predicted from input up to (k - horizon) * HOP + REACH.
    first = (at - REACH) // HOP + 1 + horizon
    torch.testing.assert_close(one[:, :first], other[:, :first])
    assert float((one - other)[:, first].abs().max()) > 1e-6


@torch.inference_mode()
def test_a_realisable_system_is_causal(tiny: Path) -> None:
    system = comparison.learned_systems(tiny)["SEANet-2 + LTV"][0]
    assert load_extender("live").config.predictor.horizon == 3
    assert isinstance(system, LearnedSystem)
    signal = 0.1 * np.random.default_rng(2).normal(size=(1, 40 * HOP)).astype(np.float32)
    changed = signal.copy()
    changed[:, 5000:] = 0
    one, other = (system.restored(signal, 4000.0) for signal in (signal, changed))
    np.testing.assert_allclose(one[:, :5000], other[:, :5000], atol=1e-5)
