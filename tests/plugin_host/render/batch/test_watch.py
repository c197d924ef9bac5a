"""Laws of a watched folder: only complete files, each once, over restarts."""

from __future__ import annotations

import os
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import soundfile

from plugin_host.chain.file_program import Sound
from plugin_host.render.batch.batch import Batch, Outcome, journal_path
from plugin_host.render.batch.journal import JOURNAL_NAME, Journal
from plugin_host.render.batch.watch import watch
from plugin_host.render.batch.workers import standing_engine
from tests.plugin_host.stages import Delay


def plain() -> Sound:
    return Sound(lambda: Delay(100), {}, "live", "", {})


def write(path: Path, frames: int = 1000) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, np.random.default_rng(frames).uniform(-0.5, 0.5, frames), 48000)
    return path


@contextmanager
def watched(folder: Path, jobs: int = 1) -> Iterator[list[Outcome]]:
    """Watch folder/in into folder/out meanwhile."""
    outcomes: list[Outcome] = []
    end = threading.Event()

    def run() -> None:
        with Journal(journal_path(folder / "out")) as journal, standing_engine(plain(), plain, jobs) as engine:
            batch = Batch(plain(), journal, engine)
            outcomes.extend(watch(folder / "in", folder / "out", batch, settle_s=0.1, stopped=end.is_set))

    (folder / "in").mkdir(exist_ok=True)
    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield outcomes
    finally:
        end.set()
        thread.join()


def wait_for(happened: Callable[[], object]) -> None:
    for _ in range(3000):
        if happened():
            return
        time.sleep(0.01)
    raise AssertionError("it did not happen within 30 s")


def made(folder: Path) -> list[str]:
    return sorted(path.name for path in (folder / "out").rglob("*") if path.is_file())


def test_what_appears_is_rendered_and_what_changes_too(tmp_path: Path) -> None:
    with watched(tmp_path, jobs=2):
        write(tmp_path / "in/a.wav")
        wait_for((tmp_path / "out/a.wav").exists)
        write(tmp_path / "in/deep/b.wav")
        wait_for((tmp_path / "out/deep/b.wav").exists)
        first = (tmp_path / "out/a.wav").stat().st_mtime_ns
        write(tmp_path / "in/a.wav", 2000)
        wait_for(lambda: (tmp_path / "out/a.wav").stat().st_mtime_ns != first)
    assert made(tmp_path) == [JOURNAL_NAME, "a.wav", "b.wav"]


def test_a_file_that_grows_is_not_touched_before_it_is_complete(tmp_path: Path) -> None:
    whole = write(tmp_path / "whole.wav", 100_000).read_bytes()
    with watched(tmp_path) as outcomes:
        for end in range(20_000, len(whole) + 1, 20_000):
            with open(tmp_path / "in/a.wav", "wb") as file:
                file.write(whole[:end])
            time.sleep(0.03)
        (tmp_path / "in/a.wav").write_bytes(whole)
        wait_for((tmp_path / "out/a.wav").exists)
    assert soundfile.info(tmp_path / "out/a.wav").frames == 100_000
    assert all(not outcome.fault for outcome in outcomes if outcome.rendering)


def test_after_a_restart_only_what_is_new_is_rendered(tmp_path: Path) -> None:
    write(tmp_path / "in/a.wav")
    with watched(tmp_path):
        wait_for((tmp_path / "out/a.wav").exists)
    before = os.stat(tmp_path / "out/a.wav").st_mtime_ns
    write(tmp_path / "in/b.wav")
    with watched(tmp_path):
        wait_for((tmp_path / "out/b.wav").exists)
    assert os.stat(tmp_path / "out/a.wav").st_mtime_ns == before


def test_a_bad_file_is_named_once_and_tried_again_when_it_changes(tmp_path: Path) -> None:
    good = write(tmp_path / "good.wav")
    with watched(tmp_path) as outcomes:
        (tmp_path / "in/a.wav").write_text("no sound")
        wait_for(lambda: outcomes)
        time.sleep(0.4)
        assert len(outcomes) == 1
        assert "a.wav is not audio" in outcomes[0].fault
        shutil.copy(good, tmp_path / "in/a.wav")
        wait_for((tmp_path / "out/a.wav").exists)


def test_two_files_of_one_output_are_named(tmp_path: Path) -> None:
    write(tmp_path / "in/a.wav")
    write(tmp_path / "in/a.flac")
    shutil.move(tmp_path / "in/a.flac", tmp_path / "in/a.aiff")
    with watched(tmp_path) as outcomes:
        wait_for(lambda: len(outcomes) == 2)
    assert sum("would both become" in outcome.fault for outcome in outcomes) == 1
