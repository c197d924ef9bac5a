"""Laws of tags: they travel with the sound, and damaged ones stop nothing."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from mutagen import flac, id3, mp3, oggvorbis

from models.stage import Block
from plugin_host.files.audio_reader import AudioReader
from plugin_host.files.audio_tags import AudioTags
from plugin_host.files.audio_writer import AudioWriter

RATE = 44100
COVER = bytes(range(256)) * 9


def tone() -> Block:
    samples: Block = np.sin(np.arange(5000, dtype=np.float32) * 0.05) * np.float32(0.3)
    return samples


def tagged(path: Path) -> Path:
    """Write a short tone with a title, a tempo and (where the format has them) a cover."""
    soundfile.write(path, tone(), RATE)
    if path.suffix == ".flac":
        file = flac.FLAC(path)
        file["title"], file["bpm"] = "Café", "120"
        picture = flac.Picture()
        picture.mime, picture.type, picture.data = "image/png", 3, COVER
        file.add_picture(picture)
        file.save()
    elif path.suffix == ".ogg":
        ogg = oggvorbis.OggVorbis(path)
        ogg["title"], ogg["bpm"] = "Café", "120"
        ogg.save()
    elif path.suffix == ".mp3":
        tag: Any = mp3.MP3(path)
        tag.add_tags()
        tag.tags.add(id3.TIT2(3, ["Café"]))
        tag.tags.add(id3.TBPM(3, ["120"]))
        tag.tags.add(id3.APIC(3, "image/png", 3, "", COVER))
        tag.save()
    else:
        with AudioWriter(path, RATE, 1, "16", tags=AudioTags({"title": ("Café",), "bpm": ("120",)})) as writer:
            writer.write(tone()[None])
    return path


def copy(source: Path, target: Path, rate: int = RATE) -> AudioTags:
    """Copy the tags, and where the rate stays the sound, and return the copy's tags."""
    with AudioReader(source) as reader, AudioWriter(target, rate, 1, "16", tags=reader.tags(rate)) as writer:
        for block in reader.blocks():
            writer.write(block)
    with AudioReader(target) as reader:
        return reader.tags()


@pytest.mark.parametrize("source", [".wav", ".flac", ".ogg", ".mp3"])
@pytest.mark.parametrize("target", [".wav", ".flac"])
def test_words_and_pictures_travel(tmp_path: Path, source: str, target: str) -> None:
    tags = copy(tagged(tmp_path / f"in{source}"), tmp_path / f"out{target}")
    assert tags.words["title"] == ("Café",)
    assert tags.words["bpm"] == ("120",)
    if source in (".flac", ".mp3"):
        assert [(picture.mime, picture.data) for picture in tags.pictures] == [("image/png", COVER)]


def with_chunks(path: Path, *chunks: tuple[bytes, bytes]) -> Path:
    with AudioWriter(path, RATE, 1, "16", tags=AudioTags(chunks=chunks)) as writer:
        writer.write(tone()[None])
    return path


@pytest.mark.parametrize("suffix", [".flac", ".ogg", ".mp3", ".wav"])
def test_damaged_tags_stop_neither_reading_nor_writing(tmp_path: Path, suffix: str) -> None:
    chance = random.Random(5)
    data = tagged(tmp_path / f"in{suffix}").read_bytes()
    for number in range(40):
        damaged = bytearray(data)
        for _ in range(chance.choice([1, 3, 20])):
            damaged[chance.randrange(min(3000, len(data)))] = chance.randrange(256)
        path = tmp_path / f"bad{suffix}"
        path.write_bytes(damaged)
        tags = AudioTags.read(path, RATE).at_rate(48000)
        copied = tmp_path / f"out{('.wav', '.flac', '.mp3', '.opus', '.m4a')[number % 5]}"
        with AudioWriter(copied, 48000, 1, "16", tags=tags) as writer:
            writer.write(tone()[None])
