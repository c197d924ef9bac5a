"""Laws of a batch: nothing lost, nothing overwritten, nothing done twice."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from models.artifact.load import load_extender
from models.stage import Block
from plugin_host.chain.file_program import Sound
from plugin_host.render import checkpoint
from plugin_host.render.batch.batch import Batch, Outcome, journal_path
from plugin_host.render.batch.journal import JOURNAL_NAME, Journal
from plugin_host.render.batch.plan import Job, plan
from plugin_host.render.batch.workers import Inline
from plugin_host.render.stopped import OUTPUT, STATE, RenderStopped, is_resumable
from tests.models.extender.extenders import music
from tests.plugin_host.stages import Delay


def write(path: Path, frames: int = 500) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, np.random.default_rng(frames).uniform(-0.5, 0.5, frames), 48000)
    return path


def run(
    folder: Path, *, stage: Any = None, settings: Any = None, identity: Any = None, **changes: Any
) -> list[Outcome]:
    """Render folder/in into folder/out and return the outcomes by name."""
    calls = {name: changes.pop(name) for name in ("stopped", "progress") if name in changes}
    sound = Sound(lambda: stage or Delay(10), settings or {}, "live", "", identity or {})
    with Journal(journal_path(folder / "out")) as journal:
        batch = Batch(sound, journal, Inline(sound), **changes)
        outcomes = batch.run(plan([str(folder / "in")], folder / "out"), **calls)
        return sorted(outcomes, key=lambda outcome: outcome.job.source)


def made(folder: Path) -> list[str]:
    return sorted(os.listdir(folder / "out"))


def test_one_bad_file_never_stops_the_rest(tmp_path: Path) -> None:
    for name in "abc":
        write(tmp_path / f"in/{name}.wav")
    (tmp_path / "in/b.wav").write_text("this is text")
    assert ["b.wav is not audio" in outcome.fault for outcome in run(tmp_path)] == [False, True, False]
    assert made(tmp_path) == [JOURNAL_NAME, "a.wav", "c.wav"]
    with Journal(journal_path(tmp_path / "out")) as journal:
        assert [row["state"] for row in journal.rows()] == ["done", "failed", "done"]


def test_each_file_that_looks_like_audio_and_is_left_out_is_named(tmp_path: Path) -> None:
    write(tmp_path / "in/a.wav")
    for name in ("b.m4a", "c.wma", "d.caf"):
        (tmp_path / "in" / name).write_bytes(b"no sound" * 10)
    (tmp_path / "in/notes.txt").write_text("no audio, nor does it look like it")
    faults = [outcome.fault for outcome in run(tmp_path)]
    assert faults[0] == ""
    assert [f"{name} is " in fault for name, fault in zip(("b.m4a", "c.wma", "d.caf"), faults[1:], strict=True)] == [
        True
    ] * 3


class Broken(Delay):
    def process(self, *_: object) -> Any:
        raise RuntimeError("shapes\nof many lines")


def test_a_fault_of_the_stage_is_one_sentence(tmp_path: Path) -> None:
    write(tmp_path / "in/a.wav")
    assert run(tmp_path, stage=Broken())[0].fault.endswith("please report it: RuntimeError: shapes")
    assert made(tmp_path) == [JOURNAL_NAME]


def test_a_fault_names_the_place_and_not_where_it_is_staged(tmp_path: Path) -> None:
    write(tmp_path / "in/deep/a.wav")
    (tmp_path / "out").mkdir()
    (tmp_path / "out/deep").write_text("a file where a folder should be")
    fault = run(tmp_path)[0].fault
    assert ".highband" not in fault
    assert str(tmp_path / "out/deep") in fault


def test_what_is_done_is_skipped_until_something_changes(tmp_path: Path) -> None:
    write(tmp_path / "in/a.wav")

    def is_skipped(**changes: Any) -> bool:
        (outcome,) = run(tmp_path, **changes)
        assert not outcome.fault
        return outcome.rendering is None

    assert not is_skipped()
    assert is_skipped()
    assert not is_skipped(settings={"mix": 50.0})
    assert is_skipped(settings={"mix": 50.0})
    assert not is_skipped(settings={"mix": 50.0}, bits="24")
    last: dict[str, Any] = {"settings": {"mix": 50.0}, "bits": "24", "identity": {"artifact": "other"}}
    assert not is_skipped(**last)
    assert not is_skipped(**last, overwrite=True)
    assert is_skipped(**last)
    write(tmp_path / "in/a.wav", 600)
    assert not is_skipped(**last)
    (tmp_path / "out/a.wav").unlink()
    assert not is_skipped(**last)


def test_the_content_decides_and_not_its_time_or_place(tmp_path: Path) -> None:
    write(tmp_path / "in/a.wav")
    run(tmp_path)
    before = (tmp_path / "out/a.wav").stat().st_mtime_ns
    os.utime(tmp_path / "in/a.wav", (1, 1))
    assert run(tmp_path)[0].rendering is None
    shutil.copy(tmp_path / "in/a.wav", tmp_path / "in/copy.wav")
    os.replace(tmp_path / "in/copy.wav", tmp_path / "in/a.wav")
    assert run(tmp_path)[0].rendering is None
    assert (tmp_path / "out/a.wav").stat().st_mtime_ns == before
    # Other audio with the size and the time of the first is other audio.
    kept = (tmp_path / "in/a.wav").stat()
    (tmp_path / "in/b.wav").write_bytes((tmp_path / "in/a.wav").read_bytes()[:-2] + b"\x01\x02")
    os.replace(tmp_path / "in/b.wav", tmp_path / "in/a.wav")
    os.utime(tmp_path / "in/a.wav", ns=(kept.st_atime_ns, kept.st_mtime_ns + 1))
    assert run(tmp_path)[0].rendering


def test_a_file_that_was_not_made_here_is_replaced_only_on_demand(tmp_path: Path) -> None:
    write(tmp_path / "in/a.wav")
    target = write(tmp_path / "out/a.wav", 7)
    before = target.read_bytes()
    assert "pass --overwrite" in run(tmp_path)[0].fault
    assert target.read_bytes() == before
    assert run(tmp_path, overwrite=True)[0].rendering


def test_an_output_that_somebody_edited_is_left_alone(tmp_path: Path) -> None:
    write(tmp_path / "in/a.wav")
    run(tmp_path)
    write(tmp_path / "out/a.wav", 9)
    assert "pass --overwrite" in run(tmp_path)[0].fault


def test_a_journal_that_cannot_be_written_costs_only_the_resuming(tmp_path: Path) -> None:
    write(tmp_path / "in/a.wav")
    (tmp_path / "out" / JOURNAL_NAME).mkdir(parents=True)
    assert run(tmp_path)[0].rendering
    assert "pass --overwrite" in run(tmp_path)[0].fault


def test_stopping_keeps_what_is_complete_and_resumes(tmp_path: Path) -> None:
    for name in "abc":
        write(tmp_path / f"in/{name}.wav")
    done = tmp_path / "out/a.wav"
    with pytest.raises(RenderStopped):
        run(tmp_path, stopped=done.exists)
    assert made(tmp_path) == [JOURNAL_NAME, "a.wav"]
    assert [outcome.rendering is None for outcome in run(tmp_path)] == [True, False, False]


def test_pictures_come_with_the_outputs_and_are_drawn_later_where_they_lack(tmp_path: Path) -> None:
    write(tmp_path / "in/a.wav", 5000)
    run(tmp_path)
    assert run(tmp_path, picture=True)[0].rendering
    assert made(tmp_path) == [JOURNAL_NAME, "a.spectrogram.png", "a.wav"]
    assert run(tmp_path, picture=True)[0].rendering is None


def test_a_long_file_that_was_stopped_goes_on_where_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checkpoint, "_LONG_S", 1.0)
    source = tmp_path / "in/a.wav"
    source.parent.mkdir()
    soundfile.write(source, music(44100, 1, 4).T, 44100)
    stage, shares = load_extender("live"), list[float]()
    with pytest.raises(RenderStopped):
        run(tmp_path, stage=stage, stopped=lambda: bool(shares), progress=lambda job, share: shares.append(share))
    kept = [name for name in made(tmp_path) if name != JOURNAL_NAME]
    assert len(kept) == 1
    assert is_resumable(tmp_path / "out" / kept[0])
    with Journal(journal_path(tmp_path / "out")) as journal:
        assert [row["state"] for row in journal.rows()] == ["stopped"]
    process, blocks = stage.process, list[int]()

    def counting(block: Block, settings: Mapping[str, float]) -> Block:
        blocks.append(block.shape[1])
        return process(block, settings)

    monkeypatch.setattr(stage, "process", counting)
    assert run(tmp_path, stage=stage)[0].rendering
    assert made(tmp_path) == [JOURNAL_NAME, "a.wav"]
    resumed, first = (tmp_path / "out/a.wav").read_bytes(), len(blocks)
    assert run(tmp_path, stage=stage, overwrite=True)[0].rendering
    assert (tmp_path / "out/a.wav").read_bytes() == resumed
    assert len(blocks) > 2 * first


def test_what_nobody_goes_on_with_is_removed_after_a_week(tmp_path: Path) -> None:
    write(tmp_path / "in/a.wav")
    run(tmp_path)
    staging, job = tmp_path / "out/.highband-0", Job(str(tmp_path / "in/a.wav"), str(tmp_path / "out/a.wav"))
    staging.mkdir()
    for name in (STATE, OUTPUT, "a.wav.partial"):
        (staging / name).write_bytes(b"half")
    with Journal(journal_path(tmp_path / "out")) as journal:
        journal.start(job, str(staging))
    for age_days, left in ((6, [OUTPUT, STATE]), (8, [])):
        if age_days == 8:
            os.utime(staging, (time.time() - 8 * 86400,) * 2)
        with Journal(journal_path(tmp_path / "out")) as journal:
            # The output before counts all the time.
            assert journal.key_of(job.target)
            assert journal.before(job.target) == (journal.key_of(job.target), str(staging) if left else None)
        assert sorted(os.listdir(staging) if staging.exists() else []) == left
