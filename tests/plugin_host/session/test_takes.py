"""Laws of recording on request: takes begin and end while it plays, are listed, and one that broke off is found."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
import soundfile

from plugin_host.engine.engine import Engine
from plugin_host.files.audio_reader import AudioFileError
from plugin_host.session.takes import Takes
from plugin_host.settings.store import SettingsStore
from tests.plugin_host.gain import Gain

RATE, BLOCK = 48000, 480


@pytest.fixture
def engine() -> Engine:
    made = Engine(Gain(), SettingsStore(Gain().controls))
    made.is_timed = False
    return made


def play(engine: Engine, blocks: int) -> None:
    sound = np.full((BLOCK, 2), 0.25, np.float32)
    for _ in range(blocks):
        engine.callback(sound, np.empty_like(sound))


def test_takes_begin_and_end_while_it_plays_and_are_listed_newest_first(engine: Engine, tmp_path: Path) -> None:
    takes = Takes(engine)
    takes.folder = tmp_path / "takes"
    engine.on_prepare = takes.follow
    engine.prepare(RATE, 2, BLOCK)
    play(engine, 5)
    assert (takes.is_on, takes.listed()) == (False, [])
    for blocks in (50, 100):
        takes.start()
        takes.start()
        play(engine, blocks)
        assert takes.state() == {"on": True, "seconds": blocks / 100, "folder": str(tmp_path / "takes")}
        takes.stop()
        play(engine, 3)
    found = takes.listed()
    assert [one["seconds"] for one in found] == [1.0, 0.5]
    assert [one["recovered"] for one in found] == [False, False]
    dry, wet = (soundfile.read(found[0][kind], dtype="float32")[0] for kind in ("dry", "wet"))
    assert np.array_equal(dry, np.full((100 * BLOCK, 2), 0.25, np.float32))
    assert wet.shape == dry.shape
    assert takes.lost == 0


def test_a_take_of_a_session_that_broke_off_is_found_and_marked(engine: Engine, tmp_path: Path) -> None:
    before = Takes(engine)
    before.folder = tmp_path / "before"
    engine.on_prepare = before.follow
    engine.prepare(RATE, 2, BLOCK)
    before.start()
    play(engine, 20)
    recorder = engine.listener
    assert recorder is not None
    # The files as they are at the moment at which the program is killed.
    takes = Takes(engine)
    takes.folder = tmp_path / "takes"
    while not [one for one in before.folder.glob(".wet-*") if one.stat().st_size > 8 * 20 * BLOCK]:
        pass
    shutil.copytree(before.folder, takes.folder)
    before.stop()
    (sentence, _) = takes.recover({takes.folder})
    assert "a recording that broke off is kept" in sentence
    assert [(one["recovered"], one["seconds"]) for one in takes.listed()] == [(True, 0.2)]
    assert takes.recover({takes.folder}) == []


def test_a_folder_that_can_not_be_written_is_refused_and_nothing_is_recorded(engine: Engine, tmp_path: Path) -> None:
    takes = Takes(engine)
    (tmp_path / "file").touch()
    takes.folder = tmp_path / "file" / "takes"
    engine.prepare(RATE, 2, BLOCK)
    with pytest.raises(AudioFileError, match="can't be written"):
        takes.start()
    assert not takes.is_on
    play(engine, 2)
