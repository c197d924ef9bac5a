"""Laws of workers: the same bits with any number of them, nothing lost where one dies, nothing left where all stop."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from models.stage import Block
from plugin_host.chain.file_program import Sound
from plugin_host.render.batch.batch import Batch, Outcome, journal_path
from plugin_host.render.batch.journal import JOURNAL_NAME, Journal
from plugin_host.render.batch.plan import BatchError, Job, plan
from plugin_host.render.batch.workers import Inline, Workers, engine_for
from plugin_host.render.stopped import RenderStopped
from tests.plugin_host.stages import Delay


class Deadly(Delay):
    """Ends its process at a sample above 0.9, at one above 0.7 only where a file says that it has not died yet."""

    def __init__(self, unborn: Path) -> None:
        super().__init__()
        self.unborn = unborn

    def process(self, block: Block, settings: Mapping[str, float]) -> Block:
        peak = block.max()
        if peak > 0.9 or (peak > 0.7 and self.unborn.exists()):
            self.unborn.unlink(missing_ok=True)
            os.kill(os.getpid(), signal.SIGKILL)
        return super().process(block, settings)


class Bereaved(Delay):
    """Ends, once, all processes that have a part of its work; notes which it had."""

    def __init__(self, marks: Path) -> None:
        super().__init__()
        self.marks = marks

    def process(self, block: Block, settings: Mapping[str, float]) -> Block:
        beside = multiprocessing.active_children()
        if beside and not self.marks.exists():
            self.marks.touch()
            for process in beside:
                process.kill()
        return super().process(block, settings)


class Slow(Delay):
    def process(self, block: Block, settings: Mapping[str, float]) -> Block:
        time.sleep(0.05)
        return super().process(block, settings)


class Ranked(Delay):
    """Writes down with which priority it plays."""

    def __init__(self, marks: Path) -> None:
        super().__init__(10)
        self._marks = marks

    def prepare(self, sample_rate: int, channels: int, max_block: int) -> None:
        super().prepare(sample_rate, channels, max_block)
        (self._marks / f"{channels} {os.nice(0)}").touch()


def plain() -> Sound:
    return Sound(lambda: Delay(100), {}, "live", "", {})


def deadly(unborn: Path) -> Sound:
    return Sound(lambda: Deadly(unborn), {}, "live", "", {})


def bereaved(marks: Path) -> Sound:
    return Sound(lambda: Bereaved(marks), {}, "live", "", {})


def slow() -> Sound:
    return Sound(Slow, {}, "live", "", {})


def ranked(marks: Path) -> Sound:
    return Sound(lambda: Ranked(marks), {}, "live", "", {})


def missing() -> Sound:
    raise ValueError("there is no preset 'gone'")


def unfit() -> Sound:
    return Sound(missing, {}, "live", "", {})  # type: ignore[arg-type]


def write(path: Path, frames: int, seed: int, peak: float = 0.5) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, np.random.default_rng(seed).uniform(-peak, peak, frames), 48000)


def run(folder: Path, workers: Inline | Workers, output: str = "out", **changes: Any) -> list[Outcome]:
    with Journal(journal_path(folder / output)) as journal:
        batch = Batch(plain(), journal, workers)
        outcomes = batch.run(plan([str(folder / "in")], folder / output), **changes)
        return sorted(outcomes, key=lambda outcome: outcome.job.source)


def _keep(shares: dict[str, float], job: Job, share: float) -> None:
    shares[job.source] = share


def made(folder: Path) -> list[str]:
    return sorted(os.listdir(folder))


def test_any_number_of_workers_gives_the_same_bits(tmp_path: Path) -> None:
    for number in range(5):
        write(tmp_path / f"in/{number}.wav", 3000 + 40_000 * number, number)
    results = []
    engines: dict[str, Inline | Workers] = {"one": Inline(plain()), "two": Workers(2, plain)}
    for name, engine in engines.items():
        shares: dict[str, float] = {}
        progress = partial(_keep, shares)
        outcomes = run(tmp_path, engine, name, progress=progress)
        assert [outcome.fault for outcome in outcomes] == [""] * 5
        assert shares == {outcome.job.source: 1.0 for outcome in outcomes}
        results.append({path.name: path.read_bytes() for path in (tmp_path / name).glob("*.wav")})
    assert results[0] == results[1]
    assert len(results[0]) == 5


def test_a_worker_that_dies_costs_a_new_try_and_a_file_that_ends_each_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("plugin_host.render.batch.workers._MOST_TRIES", 2)
    for name, peak in (("a", 0.5), ("loud", 0.99), ("once", 0.8), ("z", 0.5)):
        write(tmp_path / f"in/{name}.wav", 1000, 1, peak)
    (tmp_path / "unborn").touch()
    outcomes = run(tmp_path, Workers(1, partial(deadly, tmp_path / "unborn")))
    assert [outcome.fault.partition(" ends each process")[2] for outcome in outcomes] == [
        "", " that renders it (signal 9); leave it out", "", "",
    ]  # fmt: skip
    assert made(tmp_path / "out") == [JOURNAL_NAME, "a.wav", "once.wav", "z.wav"]


def test_stopping_ends_all_and_leaves_nothing_half_done(tmp_path: Path) -> None:
    for number in range(2):
        write(tmp_path / f"in/{number}.wav", 48000 * 100, number)
    begun: list[float] = []
    with pytest.raises(RenderStopped):
        run(tmp_path, Workers(2, slow), progress=lambda job, share: begun.append(share), stopped=lambda: len(begun) > 3)
    assert made(tmp_path / "out") == [JOURNAL_NAME]


class Refusing:
    """A context in which only some of the starts of a process succeed."""

    def __init__(self, context: Any, starts: str) -> None:
        self._context, self._starts = context, list(starts)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._context, name)

    def Process(self, **arguments: Any) -> Any:
        if self._starts and self._starts.pop(0) == "n":
            # As where the process that workers are copied from has died.
            raise EOFError
        return self._context.Process(**arguments)


@pytest.mark.parametrize(("starts", "count"), [("nnyyy", 3), ("ynnn", 1), ("ynnynnn", 2)])
def test_a_process_that_cannot_be_started_is_tried_again_and_then_the_others_do_all(
    tmp_path: Path, starts: str, count: int
) -> None:
    for number in range(4):
        write(tmp_path / f"in/{number}.wav", 1000, number)
    workers = Workers(3, plain, stay=True)
    workers._context = Refusing(workers._context, starts)
    try:
        outcomes = run(tmp_path, workers)
        assert len(workers._workers) == count
    finally:
        workers.close()
    assert [outcome.rendering is not None for outcome in outcomes] == [True] * 4


def test_where_no_process_can_be_started_a_sentence_says_so(tmp_path: Path) -> None:
    write(tmp_path / "in/a.wav", 1000, 1)
    workers = Workers(2, plain)
    workers._context = Refusing(workers._context, "nnn")
    with pytest.raises(ValueError, match="no process that renders can be started"):
        run(tmp_path, workers)
    assert made(tmp_path / "out") == [JOURNAL_NAME]


@pytest.mark.parametrize("build", [missing, unfit])
def test_a_sound_that_cannot_be_built_is_one_sentence(tmp_path: Path, build: Callable[[], Sound]) -> None:
    write(tmp_path / "in/a.wav", 1000, 1)
    with pytest.raises(BatchError, match="there is no preset 'gone'"):
        run(tmp_path, Workers(1, build))
    assert made(tmp_path / "out") == [JOURNAL_NAME]


@pytest.mark.skipif(sys.platform != "linux", reason="processes are copied on Linux alone")
@pytest.mark.parametrize(("name", "rate", "coding"), [("a.flac", 44100, "PCM_24"), ("a.wav", 22050, "FLOAT")])
def test_a_long_file_that_is_read_and_written_by_others_has_the_bits_and_figures_of_one_process(
    tmp_path: Path, name: str, rate: int, coding: str
) -> None:
    samples = np.random.default_rng(5).uniform(-0.9, 0.9, (61 * rate, 2))
    (tmp_path / "in").mkdir()
    soundfile.write(tmp_path / "in" / name, samples, rate, coding)
    marks = tmp_path / "marks"
    [alone] = run(tmp_path, Inline(plain()), "alone")
    [spread] = run(tmp_path, Workers(1, partial(bereaved, marks)), "spread")
    assert marks.exists(), "nobody had a part of the work"
    assert (tmp_path / "alone" / name).read_bytes() == (tmp_path / "spread" / name).read_bytes()
    assert alone.rendering is not None
    assert spread.rendering is not None
    assert replace(spread.rendering, took_s=0, target=alone.rendering.target) == replace(alone.rendering, took_s=0)


@pytest.mark.skipif(sys.platform != "linux", reason="a long file has several processes on Linux alone")
@pytest.mark.parametrize(("seconds", "less"), [(61, 5), (1, 0)])
def test_who_renders_beside_a_long_file_gives_way_to_it(tmp_path: Path, seconds: int, less: int) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "marks").mkdir()
    soundfile.write(tmp_path / "in/stereo.wav", np.zeros((seconds * 48000, 2), np.float32), 48000)
    soundfile.write(tmp_path / "in/mono.wav", np.zeros(1000, np.float32), 48000)
    run(tmp_path, Workers(2, partial(ranked, tmp_path / "marks")))
    usual = os.nice(0)
    assert made(tmp_path / "marks") == [f"1 {min(19, usual + less)}", f"2 {usual}"]


@pytest.mark.parametrize(
    ("files", "seconds", "jobs", "engine"),
    [(1, 1, 2, Inline), (1, 61, 2, Workers), (1, 61, 1, Inline), (2, 1, 2, Workers)],
)
def test_a_single_file_has_workers_where_it_is_long(
    tmp_path: Path, files: int, seconds: int, jobs: int, engine: type
) -> None:
    for number in range(files):
        soundfile.write(tmp_path / f"{number}.wav", np.zeros((48000 * seconds, 2), np.float32), 48000)
    planned = plan([str(tmp_path)], tmp_path / "out")
    assert isinstance(engine_for(plain(), plain, jobs, planned), engine)
