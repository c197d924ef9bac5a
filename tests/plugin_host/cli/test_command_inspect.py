"""Laws of `highband inspect`: a line a file for a person, an object a file for a program, a status for both."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile
from typer.testing import CliRunner, Result

from plugin_host.cli.app import app
from tests.plugin_host.render.inspect.recordings import cut, recording


@pytest.fixture
def library(tmp_path: Path) -> Path:
    """Return a folder of a dull file, a full-band one, silence and a damaged one, with umlauts, nested."""
    folder = tmp_path / "Söhne & Töchter"
    (folder / "tief").mkdir(parents=True)
    soundfile.write(folder / "dumpf.flac", cut(recording(1, 3.0), 6000.0).T, 48000)
    soundfile.write(folder / "tief/voll.wav", recording(2, 3.0).T, 48000)
    soundfile.write(folder / "stumm.wav", np.zeros(48000), 48000)
    (folder / "kaputt.wav").write_text("this is text")
    return folder


def inspect(*words: str) -> Result:
    return CliRunner(env={"COLUMNS": "200", "TERM": "dumb"}).invoke(
        app, ["inspect", "--jobs", "1", *words], prog_name="highband"
    )


def test_a_person_gets_a_line_a_file(library: Path) -> None:
    done = inspect(str(library))
    lines = {name: next(line for line in done.stdout.splitlines() if name in line) for name in ("dumpf", "voll", "stu")}
    assert "would gain" in lines["dumpf"]
    assert float(lines["dumpf"].partition("would gain")[2].partition("kHz")[0]) == pytest.approx(6.0, abs=0.2)
    assert "full-band" in lines["voll"]
    assert "too little sound" in lines["stu"]
    assert "kHz" not in lines["stu"]
    assert "kaputt.wav is not audio that can be read" in done.stderr
    assert done.exit_code == 1


def test_a_program_gets_an_object_a_file(library: Path) -> None:
    done = inspect("--json", str(library / "tief"), str(library / "kaputt.wav"))
    whole, damaged = map(json.loads, done.stdout.splitlines())
    assert (whole["cause"]["verdict"], whole["rate"]) == ("full-band", 48000)
    assert damaged["path"] == str(library / "kaputt.wav")
    assert "is not audio" in damaged["fault"]
    assert done.exit_code == 1


def test_nothing_to_inspect_is_wrong_usage(tmp_path: Path) -> None:
    done = inspect(str(tmp_path))
    assert (done.exit_code, done.stdout) == (2, "")
    assert "there is no audio" in done.stderr
