"""Laws of the export: what is written is what was trained or, where a run asks for it, its mean with an artifact."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import soundfile
import torch

from models.predictor.network import Predictor
from models.training.predictor.export import export
from models.training.predictor.run import RunConfig
from models.training.predictor.start import predictor_weights

MANIFEST = """\
path,source,licence,speaker,split,sample_rate,seconds,true_bandwidth_hz,category,language,channels,lossy_source,brickwall_hz
a.wav,Here,CC0,nobody,train,16000,1.0,7000,speech,en,1,,
"""


def test_a_blend_is_the_mean_of_both(folders: Mapping[str, Path], tmp_path: Path) -> None:
    (tmp_path / "MANIFEST.csv").write_text(MANIFEST)
    soundfile.write(tmp_path / "a.wav", np.linspace(-0.5, 0.5, 16000), 16000)
    other = predictor_weights(folders["untrained-live"])
    run = RunConfig.model_validate(
        {
            "name": "mean",
            "corpus": tmp_path,
            "predictor": {"width": 24, "hidden": 24},
            "blend": folders["untrained-live"].as_posix(),
        }
    )
    torch.manual_seed(5)
    mine = Predictor(run.extender().predictor).state_dict()
    written = predictor_weights(export(run, mine, 0, tmp_path / "artifacts" / "mean"))
    assert written.keys() == mine.keys()
    for name, value in written.items():
        torch.testing.assert_close(value, (mine[name] + other[name]) / 2)
    plain = predictor_weights(export(run.model_copy(update={"blend": None}), mine, 0, tmp_path / "artifacts" / "mine"))
    assert all(torch.equal(plain[name], mine[name]) for name in mine)
