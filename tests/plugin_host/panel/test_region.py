"""A part of a file for the page: its outline, the cut, and what a render has added."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from plugin_host.files.audio_reader import AudioFileError
from plugin_host.panel.rendering.jobs import RenderJobs, RenderRefused
from plugin_host.panel.rendering.region import cut, difference, outline
from tests.plugin_host.panel.test_panel_download import taken, write


def test_an_outline_shows_where_the_sound_is(tmp_path: Path) -> None:
    sound = np.zeros(48000)
    sound[24000] = -0.5
    soundfile.write(tmp_path / "a.wav", sound, 48000)
    found = outline(tmp_path / "a.wav")
    assert found["seconds"] == 1.0
    assert (len(found["peaks"]), int(np.argmax(found["peaks"])), max(found["peaks"])) == (800, 400, 0.5)


def test_a_part_is_cut_to_the_sample_and_ends_with_the_file(tmp_path: Path) -> None:
    source = write(tmp_path / "a.flac", 48000)
    sound, _ = soundfile.read(source)
    cut(source, tmp_path / "b.wav", 0.25, 0.5)
    np.testing.assert_allclose(soundfile.read(tmp_path / "b.wav")[0], sound[12000:36000], atol=1e-6)
    cut(source, tmp_path / "c.wav", 0.75, 30.0)
    assert soundfile.info(tmp_path / "c.wav").frames == 12000
    with pytest.raises(AudioFileError, match="ends before 2 s"):
        cut(source, tmp_path / "d.wav", 2.0, 1.0)


def test_what_was_added_is_the_difference_at_the_rate_of_the_result(tmp_path: Path) -> None:
    time = np.arange(22050) / 22050
    soundfile.write(tmp_path / "in.wav", 0.3 * np.sin(2 * np.pi * 440 * time), 22050, "PCM_24")
    time = np.arange(44100) / 44100
    high = 0.1 * np.sin(2 * np.pi * 15000 * time)
    soundfile.write(tmp_path / "out.wav", 0.3 * np.sin(2 * np.pi * 440 * time) + high, 44100, "PCM_24")
    path = difference(tmp_path / "in.wav", tmp_path / "out.wav", tmp_path / "players")
    added, rate = soundfile.read(path)
    assert (len(added), rate) == (44100, 44100)
    # Without the ends, where a resampler has half of the sound.
    np.testing.assert_allclose(added[2000:-2000], high[2000:-2000], atol=1e-3)
    assert difference(tmp_path / "in.wav", tmp_path / "out.wav", tmp_path / "players") == path
    assert [one.name for one in (tmp_path / "players").iterdir()] == [path.name]


def test_a_part_stands_beside_its_files_and_goes_with_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.mkdtemp", lambda prefix: str(tmp_path))
    jobs = RenderJobs()
    id = jobs.open()
    taken(jobs, id, "a.wav", write(tmp_path / "source.wav", 48000).read_bytes())
    for start in (0.0, 0.5):
        part = jobs.preview(id, 0, start, 0.25)
    assert jobs.job(part).names == ["a.wav"]
    assert soundfile.info(jobs.job(part).path(0, "before") or "").frames == 12000
    for index in (-1, 1):
        with pytest.raises(RenderRefused, match="drop them again"):
            jobs.preview(id, index, 0.0, 1.0)
    others = [jobs.open() for _ in range(4)]
    for gone in (id, part):
        with pytest.raises(RenderRefused, match="drop them again"):
            jobs.job(gone)
    assert jobs.job(others[0]).state == "waiting"
