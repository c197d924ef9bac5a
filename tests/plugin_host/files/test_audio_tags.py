"""Laws of tags: they travel with the sound, and damaged ones stop nothing."""

from __future__ import annotations

import random
import struct
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
        AudioTags({"title": ("Café",), "bpm": ("120",)}).write(path, is_flac=False)
    return path


def copy(source: Path, target: Path, same_rate: bool = True) -> AudioTags:
    with AudioReader(source) as reader, AudioWriter(target, RATE, 1, "16", tags=reader.tags(same_rate)) as writer:
        for block in reader.blocks():
            writer.write(block)
    with AudioReader(target) as reader:
        copied = np.concatenate(list(reader.blocks()), 1)[0]
        np.testing.assert_allclose(copied, soundfile.read(source, dtype="float32")[0], atol=1 / 32768)
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
    soundfile.write(path, tone(), RATE)
    AudioTags(chunks=chunks).write(path, is_flac=False)
    return path


def test_time_stamps_and_markers_stay_byte_for_byte(tmp_path: Path) -> None:
    chunks = ((b"bext", bytes(602)), (b"cue ", struct.pack("<I", 0)), (b"iXML", b"<BWFXML/>"))
    assert copy(with_chunks(tmp_path / "in.wav", *chunks), tmp_path / "out.wav").chunks == chunks


def test_markers_do_not_follow_to_another_rate(tmp_path: Path) -> None:
    source = with_chunks(tmp_path / "in.wav", (b"cue ", bytes(4)), (b"LIST", b"INFOINAM\x02\0\0\0a\0"))
    assert [code for code, _ in copy(source, tmp_path / "out.wav", same_rate=False).chunks] == [b"LIST"]


def test_damaged_tags_never_stop_reading(tmp_path: Path) -> None:
    chance = random.Random(5)
    for suffix in (".flac", ".ogg", ".mp3", ".wav"):
        data = tagged(tmp_path / f"in{suffix}").read_bytes()
        for _ in range(40):
            damaged = bytearray(data)
            for _ in range(20):
                damaged[chance.randrange(min(3000, len(data)))] = chance.randrange(256)
            path = tmp_path / f"bad{suffix}"
            path.write_bytes(damaged)
            assert isinstance(AudioTags.read(path, {}), AudioTags)
