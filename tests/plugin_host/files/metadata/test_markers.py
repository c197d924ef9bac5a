"""Laws of markers: whatever kind of file they come from, they stand at the same moments in the copy."""

from __future__ import annotations

import struct
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from mutagen import flac, id3

from plugin_host.files.audio_reader import AudioReader
from plugin_host.files.audio_tags import AudioTags
from plugin_host.files.audio_writer import AudioWriter, held_rate

RATE = 44100


def aiff(path: Path) -> Path:
    soundfile.write(path, np.zeros((RATE, 1)), RATE, subtype="PCM_16")
    marks = [(1, 4410, b"verse"), (2, 8820, b"loop"), (3, 17640, b"end!")]
    body = b"".join(
        struct.pack(">HIB", number, at, len(name)) + name + b"\0" * ((len(name) + 1) % 2) for number, at, name in marks
    )
    instrument = struct.pack(">bbbbbbhHHHHHH", 57, 0, 0, 127, 1, 127, 0, 1, 2, 3, 0, 0, 0)
    chunks = [(b"MARK", struct.pack(">H", 3) + body), (b"INST", instrument), (b"NAME", b"Caf\xe9 n"), (b"AUTH", b"me")]
    data = bytearray(path.read_bytes())
    for code, text in chunks:
        data += code + struct.pack(">I", len(text)) + text + b"\0" * (len(text) % 2)
    data[4:8] = struct.pack(">I", len(data) - 8)
    path.write_bytes(data)
    return path


def copy(source: Path, target: Path, rate: int | None = None) -> AudioTags:
    with AudioReader(source) as reader:
        rate = held_rate(rate or reader.rate, target.suffix)
        with AudioWriter(target, rate, reader.channels, "24", tags=reader.tags(rate)) as writer:
            writer.write(np.zeros((reader.channels, rate), np.float32))
    with AudioReader(target) as reader:
        return reader.tags()


def places(tags: AudioTags) -> list[int]:
    data = dict(tags.chunks)[b"cue "]
    return [struct.unpack_from("<I", data, 24 + 24 * number)[0] for number in range(struct.unpack_from("<I", data)[0])]


@pytest.mark.parametrize("suffix", [".wav", ".flac"])
@pytest.mark.parametrize("rate", [44100, 88200])
def test_aiff_markers_loops_and_words_become_those_of_a_wav_file(tmp_path: Path, suffix: str, rate: int) -> None:
    tags = copy(aiff(tmp_path / "a.aiff"), tmp_path / f"b{suffix}", rate)
    ratio = rate // RATE
    assert places(tags) == [4410 * ratio, 8820 * ratio, 17640 * ratio]
    labels = next(data for code, data in tags.chunks if code == b"LIST" and data[:4] == b"adtl")
    assert b"verse\0" in labels
    loop = dict(tags.chunks)[b"smpl"]
    assert struct.unpack_from("<I", loop, 12) == (57,)
    assert struct.unpack_from("<II", loop, 44) == (8820 * ratio, 17640 * ratio - 1)
    assert (tags.words["title"], tags.words["artist"]) == (("Café n",), ("me",))


def with_sheet(path: Path) -> Path:
    soundfile.write(path, np.zeros((4 * RATE, 2)), RATE)
    file = flac.FLAC(path)
    sheet = flac.CueSheet(None)
    sheet.compact_disc, sheet.lead_in_samples, sheet.media_catalog_number = True, 88200, b"1234567890123"
    for number, start in ((1, 0), (2, 588 * 100), (170, 4 * RATE)):
        track = flac.CueSheetTrack(number, start)
        track.indexes = [] if number == 170 else [flac.CueSheetTrackIndex(1, 588)]
        sheet.tracks.append(track)
    file.metadata_blocks.append(sheet)
    file.save()
    return path


@pytest.mark.parametrize(("rate", "ratio"), [(44100, 1), (88200, 2)])
def test_a_cue_sheet_stays_and_follows_the_rate(tmp_path: Path, rate: int, ratio: int) -> None:
    tags = copy(with_sheet(tmp_path / "a.flac"), tmp_path / "b.flac", rate)
    assert [track.start_offset for track in tags.cue_sheet.tracks] == [0, 58800 * ratio, 4 * RATE * ratio]
    assert [index.index_offset for track in tags.cue_sheet.tracks for index in track.indexes] == [588 * ratio] * 2
    assert places(copy(tmp_path / "b.flac", tmp_path / "c.wav")) == [0, 58800 * ratio]


def podcast(path: Path) -> Path:
    soundfile.write(path, np.zeros((2 * RATE, 1)), RATE)
    tag = id3.ID3()
    tag.add(id3.CTOC("toc", id3.CTOCFlags.TOP_LEVEL, ["a", "b"], [id3.TIT2(3, ["Contents"])]))
    for name, start, end in (("a", 0, 700), ("b", 700, 2000)):
        tag.add(id3.CHAP(name, start, end, 0xFFFFFFFF, 0xFFFFFFFF, [id3.TIT2(3, [f"Part {name}"])]))
    tag.add(id3.USLT(3, "eng", "", "la la"))
    tag.add(id3.PRIV("owner", b"data"))
    tag.save(path)
    return path


@pytest.mark.parametrize("suffix", [".wav", ".mp3"])
def test_a_whole_id3_tag_stays_frame_by_frame(tmp_path: Path, suffix: str) -> None:
    before = id3.ID3(podcast(tmp_path / "a.mp3"))
    copy(tmp_path / "a.mp3", tmp_path / f"b{suffix}")
    if suffix == ".mp3":
        after: Any = id3.ID3(tmp_path / "b.mp3")
    else:
        from mutagen.wave import WAVE

        after = WAVE(tmp_path / "b.wav").tags
    assert {key: repr(frame) for key, frame in after.items()} == {key: repr(frame) for key, frame in before.items()}


@pytest.mark.parametrize("suffix", [".flac", ".opus"])
def test_chapters_become_those_of_vorbis_comments_and_markers_again(tmp_path: Path, suffix: str) -> None:
    tags = copy(podcast(tmp_path / "a.mp3"), tmp_path / f"b{suffix}")
    assert tags.words["chapter001"] == ("00:00:00.700",)
    assert [(marker.seconds, marker.label) for marker in tags.markers] == [
        (Fraction(0), "Part a"),
        (Fraction(7, 10), "Part b"),
    ]
    rate = held_rate(RATE, suffix)
    assert places(copy(tmp_path / f"b{suffix}", tmp_path / "c.wav")) == [0, round(0.7 * rate)]


@pytest.mark.parametrize(("mask", "channels"), [(0x3F, 6), (0x60F, 6), (0x63F, 8), (0x4, 1), (0x103, 3)])
@pytest.mark.parametrize("suffix", [".wav", ".flac"])
def test_loudspeakers_stay_named(tmp_path: Path, mask: int, channels: int, suffix: str) -> None:
    for name in ("a.wav", f"b{suffix}", "c.wav"):
        with AudioWriter(tmp_path / name, RATE, channels, "24", tags=AudioTags(mask=mask)) as writer:
            writer.write(np.zeros((channels, 100), np.float32))
    assert copy(tmp_path / "a.wav", tmp_path / f"b{suffix}").mask == mask
    assert copy(tmp_path / f"b{suffix}", tmp_path / "c.wav").mask == mask


def test_a_mask_of_another_number_of_channels_is_left_out(tmp_path: Path) -> None:
    with AudioWriter(tmp_path / "a.wav", RATE, 2, "16", tags=AudioTags(mask=0x3F)) as writer:
        writer.write(np.zeros((2, 100), np.float32))
    with AudioReader(tmp_path / "a.wav") as reader:
        assert reader.mask == 0
