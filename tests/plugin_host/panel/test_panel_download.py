"""Laws of the panel's downloads: an archive holds what was rendered, and a copy for the ear is the file itself."""

from __future__ import annotations

import asyncio
import io
import zipfile
from collections.abc import AsyncIterator, Coroutine
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from plugin_host.panel.rendering import jobs as panel_render
from plugin_host.panel.rendering.download import playable, zipped
from plugin_host.panel.rendering.jobs import RenderJobs, RenderRefused


def write(path: Path, frames: int = 4801) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, 0.2 * np.random.default_rng(0).standard_normal((frames, 2)), 48000)
    return path


def test_an_archive_is_whole_and_comes_in_parts(tmp_path: Path) -> None:
    large = write(tmp_path / "large.wav", 200_000)
    parts = list(zipped([("a.wav", large), ("é b.wav", write(tmp_path / "small.wav"))]))
    assert len(parts) > 2
    assert max(map(len, parts)) < 1 << 19
    with zipfile.ZipFile(io.BytesIO(b"".join(parts))) as archive:
        assert archive.testzip() is None
        assert archive.namelist() == ["a.wav", "é b.wav"]
        assert archive.read("a.wav") == large.read_bytes()


@pytest.mark.parametrize("ending", ["wav", "flac", "aiff", "ogg"])
def test_the_copy_before_is_as_long_as_what_was_rendered(tmp_path: Path, ending: str) -> None:
    source = write(tmp_path / f"0000.{ending}")
    copy = playable(source, tmp_path / "players")
    assert copy.suffix in (".wav", ".flac")
    assert (copy == source) == (ending in ("wav", "flac"))
    ours, _ = soundfile.read(copy)
    theirs, _ = soundfile.read(source)
    assert ours.shape == theirs.shape
    assert np.abs(ours - theirs).max() < 1e-6
    assert playable(source, tmp_path / "players") == copy


async def body(*parts: bytes) -> AsyncIterator[bytes]:
    for part in parts:
        yield part


def taken(jobs: RenderJobs, id: str, name: str, *parts: bytes) -> None:
    run(jobs.take(id, name, body(*parts)))


def run(work: Coroutine[Any, Any, None]) -> None:
    """Run it on a thread of its own: the browser of other tests may have a loop on this one."""
    with ThreadPoolExecutor(1) as pool:
        pool.submit(asyncio.run, work).result()


@pytest.fixture
def jobs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RenderJobs:
    monkeypatch.setattr("tempfile.mkdtemp", lambda prefix: str(tmp_path))
    monkeypatch.setattr(panel_render, "LARGEST_BYTES", 10)
    monkeypatch.setattr(panel_render, "LARGEST_JOB_BYTES", 15)
    monkeypatch.setattr(panel_render, "MOST_FILES", 3)
    return RenderJobs()


def test_a_file_that_is_too_large_leaves_nothing_behind(jobs: RenderJobs) -> None:
    id = jobs.open()
    with pytest.raises(RenderRefused, match="a file has at most"):
        taken(jobs, id, "a.wav", b"123456", b"78901")
    assert (jobs.job(id).names, jobs.job(id).size()) == ([], 0)
    taken(jobs, id, "a.wav", b"1234567890")
    with pytest.raises(RenderRefused, match="all together"):
        taken(jobs, id, "b.wav", b"123456")
    taken(jobs, id, "b.wav", b"12345")
    assert (jobs.job(id).names, jobs.job(id).size()) == (["a.wav", "b.wav"], 15)


@pytest.mark.parametrize("name", ["a.exe", "a", "", "a.wav.sh", "../../x", "a.vst3"])
def test_what_is_no_audio_by_its_name_is_refused(jobs: RenderJobs, name: str) -> None:
    with pytest.raises(RenderRefused, match="no audio file"):
        taken(jobs, jobs.open(), name, b"1")


def test_no_place_is_made_of_a_name(jobs: RenderJobs, tmp_path: Path) -> None:
    id = jobs.open()
    for name in ("../../evil.wav", "..\\..\\evil.wav", "/etc/evil.wav"):
        taken(jobs, id, name, b"1")
    assert jobs.job(id).names == ["evil.wav"] * 3
    kept = [f"in/{index:04d}/evil.wav" for index in range(3)]
    assert sorted(path.relative_to(jobs.job(id).folder).as_posix() for path in tmp_path.rglob("*.wav")) == kept
    for place in kept:
        write(jobs.job(id).folder / place.replace("in/", "out/"), 10)
    assert [name for name, _ in jobs.job(id).results()] == [
        "evil.highband.wav", "evil 2.highband.wav", "evil 3.highband.wav",
    ]  # fmt: skip
    with pytest.raises(RenderRefused, match="at most 3 files"):
        taken(jobs, id, "four.wav", b"1")


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("Gesang für Höhe-2.wav", "Gesang für Höhe-2.wav"), ("....wav", "sound.wav"),
        ("a\0b\n$(c)*?.wav", "a b   c.wav"), ("\u202ekcart.wav", "kcart.wav"),
        ("x" * 300 + ".WAV", "x" * 40 + ".wav"),
    ],
)  # fmt: skip
def test_only_what_is_harmless_of_a_name_is_kept(jobs: RenderJobs, tmp_path: Path, name: str, kept: str) -> None:
    id = jobs.open()
    taken(jobs, id, name, b"1")
    assert [path.name for path in tmp_path.rglob("*.wav")] == [kept]
    assert jobs.job(id).path(0, "before") == jobs.job(id).folder / "in" / "0000" / kept


def test_an_upload_that_breaks_off_is_forgotten(jobs: RenderJobs) -> None:
    async def broken() -> AsyncIterator[bytes]:
        yield b"123"
        raise ConnectionError

    id = jobs.open()
    with pytest.raises(RenderRefused, match="can't keep the file"):
        run(jobs.take(id, "a.wav", broken()))
    assert (jobs.job(id).names, jobs.job(id).size()) == ([], 0)


def test_old_jobs_make_room(jobs: RenderJobs) -> None:
    ids = [jobs.open() for _ in range(6)]
    with pytest.raises(RenderRefused, match="drop them again"):
        jobs.job(ids[0])
    assert jobs.job(ids[-1]).state == "waiting"
    assert not (jobs.job(ids[-1]).folder.parent / ids[0]).exists()


def test_progress_is_shown_by_file(jobs: RenderJobs) -> None:
    id = jobs.open()
    taken(jobs, id, "a.wav", b"1")
    taken(jobs, id, "b.wav", b"1")
    jobs.job(id).read(b'{"file": "/x/in/0001/b.wav", "share": 0.25}\n')
    jobs.job(id).read(b'{"file": "/x/in/0000/a.wav", "fault": "bad"}\n')
    assert [file["share"] for file in jobs.job(id).summary()["files"]] == [0.0, 0.25]
