"""Laws of albums: all files of a folder get one gain, which brings them to the loudness together."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from plugin_host.chain.file_program import Sound
from plugin_host.files.audio_reader import AudioReader
from plugin_host.metering.programme_loudness import LoudnessMeter
from plugin_host.render.batch.batch import Batch, Outcome, journal_path
from plugin_host.render.batch.journal import JOURNAL_NAME, Journal
from plugin_host.render.batch.plan import plan
from plugin_host.render.batch.workers import Inline, Workers
from plugin_host.render.loudness import LoudnessTarget
from plugin_host.render.stopped import RenderStopped
from tests.plugin_host.stages import Delay

# Files of two albums, and how loud they are.
LEVELS = {"one/a.wav": 0.2, "one/b.flac": 0.02, "two/c.wav": 0.1}
TARGET = LoudnessTarget(-23.0)


def sound() -> Sound:
    return Sound(lambda: Delay(100), {}, "live", "", {})


@pytest.fixture
def albums(tmp_path: Path) -> Path:
    for seed, (name, level) in enumerate(LEVELS.items()):
        write(tmp_path / "in" / name, level, seed)
    return tmp_path


def write(path: Path, level: float, seed: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    noise = np.random.default_rng(seed).normal(0, level, (48000 * 2, 2))
    soundfile.write(path, np.clip(noise, -1, 1), 48000, subtype="PCM_24")


def run(folder: Path, engine: Any = None, output: str = "out", **calls: Any) -> list[Outcome]:
    loudness = calls.pop("loudness", TARGET)
    with Journal(journal_path(folder / output)) as journal:
        batch = Batch(sound(), journal, engine or Inline(sound()), loudness=loudness, album=True)
        outcomes = batch.run(plan([str(folder / "in")], folder / output), **calls)
        return sorted(outcomes, key=lambda outcome: outcome.job.source)


def gain_db(folder: Path, name: str) -> float:
    before, after = (soundfile.read(folder / place / name, dtype="float64")[0] for place in ("in", "out"))
    return float(20 * np.log10(np.vdot(after, before) / np.vdot(before, before)))


def lufs_together(*paths: Path) -> float | None:
    meter = LoudnessMeter(48000, 2)
    for path in paths:
        with AudioReader(path) as reader:
            for block in reader.blocks():
                meter.add(block)
    return meter.lufs


def test_the_files_of_a_folder_keep_their_balance(albums: Path) -> None:
    assert not any(outcome.fault for outcome in run(albums))
    assert gain_db(albums, "one/a.wav") == pytest.approx(gain_db(albums, "one/b.flac"), abs=0.01)
    assert abs(gain_db(albums, "one/a.wav") - gain_db(albums, "two/c.wav")) > 1
    assert lufs_together(albums / "out/one/a.wav", albums / "out/one/b.flac") == pytest.approx(-23.0, abs=0.1)
    assert lufs_together(albums / "out/two/c.wav") == pytest.approx(-23.0, abs=0.1)
    assert not list((albums / "out").rglob(".highband-*[!e]"))


def test_a_peak_is_held_with_the_gain_of_the_album(albums: Path) -> None:
    run(albums, loudness=LoudnessTarget(-12.0, -3.0))
    peak = max(np.abs(soundfile.read(albums / "out" / name)[0]).max() for name in LEVELS)
    assert 0.6 < peak <= 10 ** (-3 / 20) + 1e-4


def test_any_number_of_jobs_and_stops_gives_the_same_bits(albums: Path) -> None:
    run(albums)
    run(albums, Workers(2, sound), "two jobs")
    shares: list[float] = []
    for stops in (1, 4):
        with pytest.raises(RenderStopped):
            run(
                albums, output="stopped", stopped=lambda stops=stops: len(shares) >= stops,
                progress=lambda job, share: shares.append(share),
            )  # fmt: skip
    run(albums, output="stopped")
    for name in LEVELS:
        first = (albums / "out" / name).read_bytes()
        assert (albums / "two jobs" / name).read_bytes() == first
        assert (albums / "stopped" / name).read_bytes() == first


def test_a_change_of_one_file_renders_its_album_anew(albums: Path) -> None:
    run(albums)
    assert [outcome.rendering is None for outcome in run(albums)] == [True] * 3
    (albums / "in/one/a.wav").touch()
    assert [outcome.rendering is None for outcome in run(albums)] == [True] * 3
    write(albums / "in/one/a.wav", 0.3, 9)
    assert [outcome.rendering is None for outcome in run(albums)] == [False, False, True]


def test_a_bad_file_is_named_and_the_album_comes_to_its_loudness_without_it(albums: Path) -> None:
    (albums / "in/one/b.flac").write_text("this is text")
    assert ["is not audio" in outcome.fault for outcome in run(albums)] == [False, True, False]
    assert lufs_together(albums / "out/one/a.wav") == pytest.approx(-23.0, abs=0.1)
    assert sorted(path.name for path in (albums / "out").rglob("*.*")) == [JOURNAL_NAME, "a.wav", "c.wav"]
