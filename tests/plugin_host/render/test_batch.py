"""Laws of a batch: nothing lost, nothing overwritten, nothing done twice."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from plugin_host.render.batch import Batch, BatchError, Job, Outcome, plan
from plugin_host.render.journal import JOURNAL_NAME, Journal
from plugin_host.render.render import RenderStopped
from tests.plugin_host.stages import Delay


def write(path: Path, frames: int = 500) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, np.random.default_rng(frames).uniform(-0.5, 0.5, frames), 48000)
    return path


def batch(**changes: Any) -> Batch:
    return Batch(**{"stage": Delay(10), "settings": {}, **changes})


def run(jobs: list[Job], **changes: Any) -> list[Outcome]:
    return list(batch(**changes).run(jobs))


def targets(folder: Path, *inputs: str, output: str = "out", suffix: str | None = None) -> list[str]:
    made = plan([str(folder / text) for text in inputs], folder / output, suffix)
    return [job.target.relative_to(folder).as_posix() for job in made.jobs]


def test_folders_and_globs_keep_their_subfolders(tmp_path: Path) -> None:
    for name in ("in/a.wav", "in/deep/er/b.flac", "in/deep/c.mp3", "in/notes.txt", "in/.hidden.wav", "in/._d.wav"):
        if name.endswith((".wav", ".flac", ".mp3")):
            write(tmp_path / name)
    (tmp_path / "in/notes.txt").write_text("no audio")
    all_three = ["out/a.wav", "out/deep/c.wav", "out/deep/er/b.flac"]
    assert targets(tmp_path, "in") == all_three
    assert sorted(targets(tmp_path, "in/**/*")) == all_three
    assert targets(tmp_path, "in/deep/*.mp3") == ["out/c.wav"]
    assert targets(tmp_path, "in", suffix=".flac") == [name.replace(".wav", ".flac") for name in all_three]


def test_one_file_may_name_its_output(tmp_path: Path) -> None:
    write(tmp_path / "a.wav")
    assert targets(tmp_path, "a.wav", output="b.flac") == ["b.flac"]
    (tmp_path / "folder.wav").mkdir()
    assert targets(tmp_path, "a.wav", output="folder.wav") == ["folder.wav/a.wav"]


def test_an_input_named_twice_is_one_job(tmp_path: Path) -> None:
    write(tmp_path / "in/a.wav")
    assert targets(tmp_path, "in/a.wav", "in", "in/*.wav") == ["out/a.wav"]


def test_an_output_folder_inside_the_input_folder_is_not_input(tmp_path: Path) -> None:
    write(tmp_path / "in/a.wav")
    write(tmp_path / "in/out/a.wav")
    assert targets(tmp_path, "in", output="in/out") == ["in/out/a.wav"]


@pytest.mark.parametrize(
    ("inputs", "output", "words"),
    [
        (["x/a.wav", "y/a.mp3"], "out", "would both become"),
        (["x/a.wav", "y/A.wav"], "out", "would both become"),
        (["x"], "x", "is an input itself"),
        (["x/a.wav"], "x/a.wav", "is an input itself"),
        (["x/a.wav", "y/a.mp3"], "one.wav", "is one file but there are several inputs"),
        (["x/a.wav"], "a.mp3", "name a .wav or .flac file"),
    ],
)
def test_a_batch_that_would_lose_something_does_not_begin(
    tmp_path: Path, inputs: list[str], output: str, words: str
) -> None:
    for name in ("x/a.wav", "y/a.mp3", "y/A.wav"):
        write(tmp_path / name)
    with pytest.raises(BatchError, match=words):
        plan([str(tmp_path / text) for text in inputs], tmp_path / output)


def test_an_empty_folder_and_a_missing_file_are_named(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    made = plan([str(tmp_path / "empty"), str(tmp_path / "gone.wav")], tmp_path / "out")
    assert [fault.partition(" holds no audio")[0] for fault in made.faults] == [str(tmp_path / "empty")]
    assert "gone.wav can't be read: it does not exist" in run(made.jobs)[0].fault


def test_one_bad_file_never_stops_the_rest(tmp_path: Path) -> None:
    jobs = [Job(write(tmp_path / f"{name}.wav"), tmp_path / "out" / f"{name}.wav") for name in "abc"]
    (tmp_path / "b.wav").write_text("this is text")
    outcomes = run(jobs)
    assert ["b.wav is not audio" in outcome.fault for outcome in outcomes] == [False, True, False]
    assert sorted(path.name for path in (tmp_path / "out").glob("*")) == [JOURNAL_NAME, "a.wav", "c.wav"]


class Broken(Delay):
    def process(self, *_: object) -> Any:
        raise RuntimeError("shapes\nof many lines")


def test_a_fault_of_the_stage_is_one_sentence(tmp_path: Path) -> None:
    job = Job(write(tmp_path / "a.wav"), tmp_path / "b.wav")
    assert run([job], stage=Broken())[0].fault.endswith("please report it: RuntimeError: shapes")
    assert os.listdir(tmp_path) == ["a.wav"]


def test_what_is_done_is_skipped_until_something_changes(tmp_path: Path) -> None:
    job = Job(write(tmp_path / "a.wav"), tmp_path / "out/a.wav")

    def is_skipped(**changes: Any) -> bool:
        (outcome,) = run([job], **changes)
        assert not outcome.fault
        return outcome.rendering is None

    assert not is_skipped()
    assert is_skipped()
    assert not is_skipped(settings={"mix": 50.0})
    assert is_skipped(settings={"mix": 50.0})
    assert not is_skipped(settings={"mix": 50.0}, bits="24")
    assert not is_skipped(settings={"mix": 50.0}, bits="24", identity={"artifact": "other"})
    assert not is_skipped(settings={"mix": 50.0}, bits="24", identity={"artifact": "other"}, overwrite=True)
    assert is_skipped(settings={"mix": 50.0}, bits="24", identity={"artifact": "other"})
    write(tmp_path / "a.wav", 600)
    assert not is_skipped(settings={"mix": 50.0}, bits="24", identity={"artifact": "other"})
    (tmp_path / "out/a.wav").unlink()
    assert not is_skipped(settings={"mix": 50.0}, bits="24", identity={"artifact": "other"})


def test_a_file_that_was_not_made_here_is_replaced_only_on_demand(tmp_path: Path) -> None:
    job = Job(write(tmp_path / "a.wav"), write(tmp_path / "out/a.wav", 7))
    before = job.target.read_bytes()
    assert "pass --overwrite" in run([job])[0].fault
    assert job.target.read_bytes() == before
    assert run([job], overwrite=True)[0].rendering


def test_an_output_that_somebody_edited_is_left_alone(tmp_path: Path) -> None:
    job = Job(write(tmp_path / "a.wav"), tmp_path / "out/a.wav")
    run([job])
    write(job.target, 9)
    assert "pass --overwrite" in run([job])[0].fault


def test_a_damaged_journal_is_survived(tmp_path: Path) -> None:
    jobs = [Job(write(tmp_path / f"{name}.wav"), tmp_path / "out" / f"{name}.wav") for name in "ab"]
    run(jobs[:1])
    journal = tmp_path / "out" / JOURNAL_NAME
    junk = [b"\xff\xfe", b"[]", b"{}", b'"output"', b'{"output": {}}', b'{"output": "a.wav"', b"[" * 100_000]
    journal.write_bytes(b"\n".join([*junk, journal.read_bytes().rstrip()]) + b'\n{"output": "torn')
    assert [outcome.rendering is None for outcome in run(jobs)] == [True, False]
    assert [outcome.rendering is None for outcome in run(jobs)] == [True, True]
    assert json.loads(journal.read_bytes().splitlines()[-1])["output"] == "b.wav"


def test_a_journal_that_cannot_be_written_costs_only_the_resuming(tmp_path: Path) -> None:
    job = Job(write(tmp_path / "a.wav"), tmp_path / "out/a.wav")
    (tmp_path / "out" / JOURNAL_NAME).mkdir(parents=True)
    assert run([job])[0].rendering
    assert not Journal(tmp_path / "out").is_ours(job.target)


def test_stopping_keeps_what_is_complete_and_resumes(tmp_path: Path) -> None:
    jobs = [Job(write(tmp_path / f"{name}.wav"), tmp_path / "out" / f"{name}.wav") for name in "abc"]
    answers = iter([False] * 3 + [True] * 99)
    outcomes: list[Outcome] = []
    with pytest.raises(RenderStopped):
        outcomes.extend(batch().run(jobs, stopped=lambda: next(answers)))
    kept = sorted(path.name for path in (tmp_path / "out").iterdir() if path.suffix == ".wav")
    assert kept == ["a.wav"]
    assert not list((tmp_path / "out").glob(".*.partial"))
    assert [outcome.rendering is None for outcome in run(jobs)] == [True, False, False]
