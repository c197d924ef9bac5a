"""Laws of lossy outputs: as long as what went in, never clipped on the way, with all that belongs to the file."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import numpy as np
import pytest

from models.stage import Block
from plugin_host.files import audio_writer, encoders, second_reader
from plugin_host.files.audio_reader import AudioFileError, AudioReader
from plugin_host.files.audio_tags import AudioTags, Picture
from plugin_host.files.audio_writer import AudioWriter, held_bits, held_rate
from plugin_host.render.render import render_file
from tests.plugin_host.stages import Delay

SUFFIXES = (".mp3", ".opus", ".m4a")
RATE, FRAMES = 48000, 70_001
COVER = Picture("image/png", 3, "", b"\x89PNG" + bytes(900))


def tone(peak: float = 0.5) -> Block:
    time = np.arange(FRAMES) / RATE
    block: Block = peak * np.stack([np.sin(2 * np.pi * 440 * time), np.sin(2 * np.pi * 880 * time)]).astype(np.float32)
    return block


def write(path: Path, samples: Block, tags: AudioTags | None = None) -> AudioWriter:
    with AudioWriter(path, RATE, 2, "16", samples.shape[1], tags) as writer:
        for start in range(0, samples.shape[1], 5000):
            writer.write(samples[:, start : start + 5000])
    return writer


@pytest.mark.parametrize(
    ("suffix", "peak"), [(".mp3", 0.5), (".opus", 0.5), (".m4a", 0.5), (".mp3", 1.4), (".opus", 1.4)]
)
def test_it_is_as_long_and_as_loud_and_overs_stay(tmp_path: Path, suffix: str, peak: float) -> None:
    writer = write(tmp_path / f"a{suffix}", tone(peak))
    assert writer.clipped == 0
    with AudioReader(tmp_path / f"a{suffix}") as reader:
        assert (reader.rate, reader.channels, reader.frames, reader.bits) == (RATE, 2, FRAMES, "32f")
        read = reader.read_at(0, FRAMES)
    error = (read - tone(peak))[:, 5000:-5000]
    assert np.sqrt(np.mean(np.square(error))) < 0.02 * peak
    assert os.listdir(tmp_path) == [f"a{suffix}"]


def test_overs_that_aac_turns_down_are_counted(tmp_path: Path) -> None:
    assert write(tmp_path / "a.m4a", tone(1.4)).clipped == np.count_nonzero(np.abs(tone(1.4)) > 1)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_words_and_the_cover_travel(tmp_path: Path, suffix: str) -> None:
    tags = AudioTags({"title": ("Café",), "tracknumber": ("3/9",), "bpm": ("120",), "highband": ("{}",)}, (COVER,))
    write(tmp_path / f"a{suffix}", tone(), tags)
    with AudioReader(tmp_path / f"a{suffix}") as reader:
        found = reader.tags()
    assert dict(found.words) == {**found.words, **tags.words}
    assert [(picture.mime, picture.data) for picture in found.pictures] == [("image/png", COVER.data)]


@pytest.mark.parametrize(
    ("suffix", "rate", "held"),
    [(".mp3", 96000, 48000), (".opus", 44100, 48000), (".m4a", 192000, 48000), (".mp3", 44100, 44100), (".wav", 7, 7)],
)
def test_a_rate_that_the_format_lacks_becomes_one_that_it_has(suffix: str, rate: int, held: int) -> None:
    assert held_rate(rate, suffix) == held
    assert held_bits("32f", ".flac") == "24"


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_render_at_96_khz_stays_as_long(tmp_path: Path, suffix: str) -> None:
    with AudioWriter(tmp_path / "in.wav", 96000, 1, "24") as writer:
        writer.write(tone()[:1])
    done = render_file(Delay(50), {}, tmp_path / "in.wav", tmp_path / f"out{suffix}")
    with AudioReader(tmp_path / f"out{suffix}") as reader:
        assert (reader.rate, reader.frames) == (done.rate, round(FRAMES * done.rate / 96000))


def _write_and_raise(path: Path) -> None:
    with AudioWriter(path, RATE, 2, "16") as writer:
        writer.write(tone())
        raise KeyboardInterrupt


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_nothing_is_left_of_a_stopped_one(tmp_path: Path, suffix: str) -> None:
    with pytest.raises(KeyboardInterrupt):
        _write_and_raise(tmp_path / f"a{suffix}")
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize(("suffix", "channels", "rate"), [(".mp3", 3, 48000), (".opus", 2, 44100), (".m4a", 9, 48000)])
def test_what_the_format_cannot_hold_is_one_sentence(tmp_path: Path, suffix: str, channels: int, rate: int) -> None:
    with pytest.raises(AudioFileError, match=r"can't hold .*; choose --format wav"):
        AudioWriter(tmp_path / f"a{suffix}", rate, channels, "16")
    assert os.listdir(tmp_path) == []


def test_without_the_means_m4a_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audio_writer, "is_there", lambda: False)
    with pytest.raises(AudioFileError, match=r"a.m4a needs ffmpeg on the PATH or 'pip install highband\[av\]'"):
        AudioWriter(tmp_path / "a.m4a", RATE, 2, "16")


@pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="no ffmpeg on the PATH")
def test_ffmpeg_writes_m4a_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (encoders, second_reader):
        monkeypatch.setattr(module, "has_av", lambda: False)
    test_it_is_as_long_and_as_loud_and_overs_stay(tmp_path, ".m4a", 0.5)
    assert list(tmp_path.iterdir()) == [tmp_path / "a.m4a"]
