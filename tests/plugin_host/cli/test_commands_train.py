"""Laws of `highband train`: the run file decides what is trained."""

from __future__ import annotations

from pathlib import Path

from typer.testing import CliRunner

from plugin_host.cli.app import app
from tests.models.training.exciter.waveforms import tiny_corpus

RUN = """\
kind = "waveform"
name = "tiny"
corpus = "{corpus}"
network = "wavenet"
steps = 1
rows = 1
seconds = 0.15
[sizes]
channels = 2
dilations = [1]
stride = 8
"""


def trained(file: Path, folder: Path) -> tuple[int, str]:
    result = CliRunner().invoke(app, ["train", str(file), "--runs", str(folder)])
    return result.exit_code, result.output


def test_a_run_on_waveforms_is_trained_by_the_same_command(tmp_path: Path) -> None:
    (tmp_path / "corpus").mkdir()
    tiny_corpus(tmp_path / "corpus")
    (tmp_path / "tiny.toml").write_text(RUN.format(corpus=tmp_path / "corpus"))
    status, output = trained(tmp_path / "tiny.toml", tmp_path / "runs")
    assert (status, "scripts.studies.comparison" in output) == (0, True), output
    assert (tmp_path / "runs" / "tiny" / "last.safetensors").is_file()


def test_a_kind_that_is_not_known_is_refused_in_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "odd.toml").write_text('kind = "oddity"\nname = "odd"\n')
    status, output = trained(tmp_path / "odd.toml", tmp_path / "runs")
    assert status != 0
    assert "kind" in output
    assert "Traceback" not in output


def test_a_knob_that_is_not_known_is_refused_before_anything_is_judged(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["evaluate", str(tmp_path), "--set", "sparkle=3"])
    assert result.exit_code == 2
    assert "sparkle" in result.output
    assert "Traceback" not in result.output
