"""Artifacts that the laws run over: untrained ones made here, and those that are shipped."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch

from models.artifact.manifest import list_artifacts
from models.exciters.two_stage import LearnedExtender
from models.predictor.network import Predictor
from models.training.exciter import export as export_learned
from models.training.exciter.run import WaveformRun
from models.training.predictor.export import export
from models.training.predictor.run import RunConfig

SMALL = {"width": 24, "hidden": 24}
UNTRAINED: Mapping[str, dict[str, object]] = {
    "untrained-live": {},
    "untrained-translation": {"lookahead_hops": 4, "exciter": "translation"},
}
# A network in the exciter's place, with the predictor of a shipped artifact.
NETWORKS: Mapping[str, dict[str, object]] = {
    "untrained-seanet": {
        "network": "seanet",
        "sizes": {"inputs": 2, "channels": [3, 4, 5], "strides": [4, 8], "dilations": [1, 3]},
        "predictor": "live",
    },
    "untrained-wavenet": {
        "network": "wavenet",
        "sizes": {"channels": 6, "dilations": [1, 2, 4], "stride": 4},
        "predictor": "studio",
    },
}
SHIPPED = {info.name: info.path for info in list_artifacts()}
LAYOUTS = ((44100, 1), (48000, 2), (48000, 3), (88200, 2), (96000, 1))
# The code is the same for every artifact: one goes through every layout. The translation is there for comparison
# only, so it has to keep the laws of the stream and none of the knobs.
CASES = [
    *((name, rate, channels) for name in SHIPPED for rate, channels in LAYOUTS[: 5 if name == "live" else 2]),
    ("untrained-translation", 48000, 2),
    ("untrained-seanet", 48000, 2),
    ("untrained-wavenet", 44100, 2),
]
MANIFEST = """\
path,source,licence,speaker,split,sample_rate,seconds,true_bandwidth_hz,category,language,channels,lossy_source,brickwall_hz
a.wav,Here,CC0,nobody,train,16000,1.0,7000,speech,en,1,,
"""


@pytest.fixture(scope="session")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Path]:
    """Return the folder of every artifact by name."""
    home = tmp_path_factory.mktemp("artifacts")
    corpus = tmp_path_factory.mktemp("corpus")
    (corpus / "MANIFEST.csv").write_text(MANIFEST)
    soundfile.write(corpus / "a.wav", np.linspace(-0.5, 0.5, 16000), 16000)
    artifacts = {}
    for seed, (name, differs) in enumerate(UNTRAINED.items()):
        torch.manual_seed(seed)
        run = RunConfig.model_validate({"name": name, "corpus": corpus, "predictor": SMALL, **differs})
        weights = Predictor(run.extender().predictor).state_dict()
        artifacts[name] = export(run, weights, 0, home / name)
    for name, differs in NETWORKS.items():
        play = WaveformRun.model_validate(
            {
                "kind": "waveform",
                "name": name,
                "corpus": corpus,
                "filtered": True,
                "least_bandwidth_hz": 5000.0,
                **differs,
            }
        )
        artifacts[name] = export_learned.export(play, LearnedExtender(play.extender()).state_dict(), 0, home / name)
    return {**artifacts, **SHIPPED}


@pytest.fixture(scope="session", params=[*SHIPPED])
def artifact(request: pytest.FixtureRequest) -> Path:
    return SHIPPED[request.param]


@pytest.fixture(scope="session", params=CASES, ids=lambda case: "-".join(map(str, case)))
def case(request: pytest.FixtureRequest, folders: Mapping[str, Path]) -> tuple[Path, int, int]:
    """Return an artifact's folder, a rate in Hz and a number of channels."""
    name, rate, channels = request.param
    return folders[name], rate, channels
