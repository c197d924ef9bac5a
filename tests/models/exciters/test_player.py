"""Laws of a trained network in the exciter's place; those of the stream are held for it with all other artifacts."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from copy import copy
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file

from models.artifact.load import load_extender
from models.artifact.manifest import MANIFEST, WEIGHTS, ArtifactError, find_artifact, read_manifest
from models.exciters.config import SeanetConfig
from models.exciters.player import NetworkExciter, network_of
from models.exciters.two_stage import LearnedExtender
from models.extender.extender import Extender
from models.training.exciter import export as export_learned
from models.training.exciter.run import WaveformRun
from tests.models.extender.extenders import music, prepared, whole

NAMES = ("untrained-seanet", "untrained-wavenet")


@pytest.mark.parametrize("name", NAMES)
def test_what_was_exported_is_what_was_trained(folders: Mapping[str, Path], name: str) -> None:
    extender, manifest = load_extender(folders[name]), read_manifest(folders[name])
    weights = load_file(folders[name] / WEIGHTS)
    assert manifest.weights == sum(values.size for values in weights.values())
    lent = find_artifact(manifest.provenance["predictor"]["artifact"])
    assert extender.config.lookahead_hops == read_manifest(lent).extender.lookahead_hops
    assert all(np.array_equal(values, weights[key]) for key, values in load_file(lent / WEIGHTS).items())


@pytest.mark.parametrize("name", NAMES)
def test_the_band_is_made_of_what_the_network_makes(folders: Mapping[str, Path], name: str) -> None:
    extender, sound = prepared(folders[name]), music(seconds=0.5)
    config = extender.config.network
    assert config is not None
    changed = Extender(extender.config, copy(extender.predictor), NetworkExciter(network_of(config).eval()))
    changed.set_bandwidth(6000.0)
    changed.prepare(48000, 1, 1024)
    settings = {"delta": 1.0, "ceiling": 24000.0}
    one, two = whole(extender, sound, settings), whole(changed, sound, settings)
    # As loud, since it is whitened and shaped to the same envelope, but another sound.
    loudness = [float(np.sqrt(np.mean(band[:, 12000:] ** 2))) for band in (one, two, one - two)]
    assert 0.4 < loudness[0] / loudness[1] < 2.5
    assert loudness[2] > 0.3 * loudness[0]


@pytest.mark.parametrize("name", NAMES)
def test_no_noise_is_added_unless_it_is_asked_for(folders: Mapping[str, Path], name: str) -> None:
    extender, sound = prepared(folders[name]), music(seconds=0.3)
    alone = [whole(extender, sound, {"delta": 1.0, "tone": tone}) for tone in (0.0, 100.0, -100.0)]
    assert np.array_equal(alone[0], alone[1])
    assert float(np.abs(alone[0] - alone[2]).max()) > 1e-4


def test_a_conditioned_network_is_refused() -> None:
    with pytest.raises(ValueError, match="without conditioning"):
        NetworkExciter(network_of(SeanetConfig(channels=(3, 4), strides=(4,), conditioning=64)))


@pytest.mark.parametrize("differs", [{"filtered": False}, {"conditioned": True}], ids=str)
def test_an_exciter_that_can_not_be_played_is_refused_in_a_sentence(
    folders: Mapping[str, Path], tmp_path: Path, differs: dict[str, bool]
) -> None:
    run = WaveformRun.model_validate(
        {"kind": "waveform", "name": "odd", "network": "wavenet", "filtered": True, "sizes": {"channels": 2}} | differs
    )
    with pytest.raises(ValueError, match=r"odd can't be played: .* 'filtered = true' and without 'conditioned'"):
        export_learned.export(run, LearnedExtender(run.extender()).state_dict(), 0, tmp_path / "odd")
    assert not (tmp_path / "odd").exists()


@pytest.mark.parametrize(
    "change",
    [
        {"exciter": "harmonics"},
        {"exciter": "wavenet"},
        {"network": None},
        {"network": {"inputs": 1, "channels": [3], "strides": [], "dilations": [1], "kernel": 3, "conditioning": 64}},
        {"network": {"inputs": 1, "channels": [9999], "strides": [], "dilations": [1], "kernel": 3, "conditioning": 0}},
        {
            "network": {
                "inputs": 1,
                "channels": [3, 4],
                "strides": [3],
                "dilations": [1],
                "kernel": 3,
                "conditioning": 0,
            }
        },
        {
            "network": {
                "inputs": 1,
                "channels": [3, 4],
                "strides": [4],
                "dilations": [1],
                "kernel": 3,
                "conditioning": 0,
            }
        },
    ],
    ids=str,
)
def test_a_manifest_that_does_not_fit_its_network_is_refused(
    folders: Mapping[str, Path], tmp_path: Path, change: dict[str, object]
) -> None:
    copy = Path(shutil.copytree(folders["untrained-seanet"], tmp_path / "copy"))
    file = copy / MANIFEST
    content = json.loads(file.read_text())
    content["extender"] |= change
    file.write_text(json.dumps(content))
    with pytest.raises(ArtifactError) as refusal:
        load_extender(copy)
    assert len(str(refusal.value).splitlines()) == 1


def test_sizes_and_network_come_together(folders: Mapping[str, Path]) -> None:
    extender = load_extender(folders["untrained-seanet"])
    with pytest.raises(ValueError, match="a network goes with a config"):
        Extender(extender.config, extender.predictor)
