"""Laws of training on a plain folder: a shipped model is trained further on the recordings that are there."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
import soundfile
from typer.testing import CliRunner

from models.artifact.manifest import find_artifact, read_manifest
from models.training.checkpoint import run_of
from models.training.folder_run import write_run
from models.training.predictor.run import read_run
from plugin_host.cli.app import app

RATE = 48000


def recordings(folder: Path, *names: str) -> Path:
    for number, name in enumerate(names):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        noise = np.random.default_rng(number).standard_normal(RATE // 2)
        soundfile.write(folder / name, 0.1 * noise, RATE)
    return folder


@pytest.mark.parametrize("artifact", ["live", "studio"])
def test_a_shipped_model_is_what_it_starts_from(tmp_path: Path, artifact: str) -> None:
    folder = recordings(tmp_path / "My Voice, 2024", "a.wav", "b.wav", "c.flac", 'so "so"/d.wav')
    run = read_run(write_run(folder, tmp_path / "runs", artifact))
    assert (run.name, run.corpus, run.artifact, run.start) == ("my-voice-2024", folder, artifact, None)
    assert run.examples().categories == {"audio": 0.75, 'so "so"': 0.25}
    extender = read_manifest(find_artifact(artifact)).extender
    sizes = run.extender()
    assert (sizes.predictor.width, sizes.predictor.hidden) == (extender.predictor.width, extender.predictor.hidden)
    assert (sizes.lookahead_hops, sizes.window_fall) == (extender.lookahead_hops, extender.window_fall)


def test_a_run_file_that_is_there_stays(tmp_path: Path) -> None:
    folder = recordings(tmp_path / "takes", "a.wav")
    file = write_run(folder, tmp_path)
    file.write_text(re.sub(r"steps = \d+", "steps = 7", file.read_text()))
    assert read_run(write_run(folder, tmp_path)).steps == 7


@pytest.mark.parametrize(
    ("artifact", "sentence"), [("live", "holds no recordings"), ("mine", "no run of a model 'mine'")]
)
def test_what_can_not_be_trained_on_is_named(tmp_path: Path, artifact: str, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        write_run(tmp_path, tmp_path / "runs", artifact)


def test_the_command_trains_on_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    folder = recordings(tmp_path / "takes", *(f"{number}.wav" for number in range(3)))
    file = write_run(folder, Path("runs"))
    kept = re.sub(r"^(steps|speeds|degradations|rows) = .*\n", "", file.read_text(), flags=re.MULTILINE)
    file.write_text("steps = 1\nspeeds = [1.0]\ndegradations = 0\nrows = 1\n" + kept)
    done = CliRunner().invoke(app, ["train", "takes"])
    assert done.exit_code == 0, done.output
    assert "highband export runs/takes.toml" in done.output
    run, step = run_of(tmp_path / "runs" / "takes" / "last.safetensors")
    assert (step, run["corpus"]) == (1, str(folder))
