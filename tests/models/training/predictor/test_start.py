"""Laws of starting weights: a network that was grown predicts what the smaller one did, and can learn with all."""

from __future__ import annotations

from pathlib import Path

import torch

from dsp.bands import BAND_COUNT
from models.artifact.manifest import read_manifest
from models.exciters.torch_bands import band_mask
from models.predictor.config import PredictorConfig
from models.predictor.network import Predictor
from models.training.predictor.run import RunConfig
from models.training.predictor.start import grow, origin, start


def test_a_grown_network_predicts_what_the_smaller_one_did() -> None:
    torch.manual_seed(3)
    small, large = (Predictor(PredictorConfig(width=w, hidden=h)).eval() for w, h in ((12, 16), (20, 24)))
    grow(small.state_dict(), large)
    levels, tones = -60 + 15 * torch.randn(2, 20, BAND_COUNT), torch.rand(2, 20, BAND_COUNT)
    mask = band_mask(48000, 0.0, 6000.0)[None, None]
    one, other = (network(levels, tones, mask, network.start(2))[0] for network in (small, large))
    torch.testing.assert_close(other.levels_db, one.levels_db)
    torch.testing.assert_close(other.tonality, one.tonality)
    large(levels, tones, mask, large.start(2))[0].levels_db.square().mean().backward()
    assert all(float(weight.grad.abs().max()) > 0 for weight in large.parameters() if weight.grad is not None)


def test_a_run_starts_from_an_artifact_and_says_so(artifact: Path, tmp_path: Path) -> None:
    manifest = read_manifest(artifact)
    sizes = {"width": 200, "hidden": 328, "kernel": manifest.extender.predictor.kernel}
    run = RunConfig(name="grown", artifact=str(artifact), predictor=sizes)
    network = Predictor(run.extender().predictor)
    before = network.leave.bias.clone()
    start(run, network, tmp_path)
    assert not torch.equal(network.leave.bias, before)
    assert origin(tmp_path)[-1]["step"] == manifest.provenance["step"]
