"""Laws of a run's file: what differs is read, and what is wrong is refused in a sentence that names it."""

from __future__ import annotations

from pathlib import Path

import pytest

from models.training.exciter.run import is_waveform_run
from models.training.predictor.run import read_run

RUNS = Path(__file__).resolve().parents[4] / "models" / "training" / "runs"
OF_PREDICTORS = [file for file in sorted(RUNS.glob("*.toml")) if not is_waveform_run(file)]


@pytest.mark.parametrize("file", OF_PREDICTORS, ids=lambda file: file.stem)
def test_every_run_that_is_shipped_is_read(file: Path) -> None:
    run = read_run(file)
    assert run.name == file.stem
    assert run.full()["predictor"]["horizon"] == run.extender().predictor.horizon


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "name"),
        ('name = "../evil"', "name"),
        ('name = "a"\nsteps = 0', "steps"),
        ('name = "a"\nlookahead_hops = 99', "lookahead_hops"),
        ('name = "a"\nstpes = 5', "stpes"),
        ("name = ", "not valid TOML"),
    ],
)
def test_a_wrong_run_is_refused(tmp_path: Path, text: str, words: str) -> None:
    file = tmp_path / "run.toml"
    file.write_text(text)
    with pytest.raises(ValueError, match=words) as refusal:
        read_run(file)
    assert len(str(refusal.value).splitlines()) == 1


def test_a_run_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"gone\.toml can't be read"):
        read_run(tmp_path / "gone.toml")


def test_the_recordings_of_all_folders_are_used_but_for_the_sources_that_are_left_out(tmp_path: Path) -> None:
    header = "path,source,licence,speaker,split,sample_rate,seconds,true_bandwidth_hz,category,language,channels"
    for name in ("one", "other"):
        (tmp_path / name).mkdir()
        rows = [f"{k}.wav,{k} of {name},CC0,nobody,train,48000,1,24000,speech,en,1,," for k in "ab"]
        (tmp_path / name / "MANIFEST.csv").write_text("\n".join([f"{header},lossy_source,brickwall_hz", *rows]))
        for k in "ab":
            (tmp_path / name / f"{k}.wav").touch()
    run = read_run(RUNS / "live.toml").model_copy(
        update={"corpus": tmp_path / "one", "more": (tmp_path / "other",), "without": ("b of one",)}
    )
    assert [clip.source for clip in run.clips()] == ["a of one", "a of other", "b of other"]
