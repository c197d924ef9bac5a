"""Laws of the corpus: what the manifest says is what comes out, crops are repeatable, errors name the line."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
import soundfile

from models.training.data import corpus

ROW = {
    "path": "a.flac", "source": "S", "licence": "CC0", "speaker": "anna", "split": "train", "sample_rate": "16000",
    "seconds": "1.0", "true_bandwidth_hz": "7000", "category": "speech", "language": "en", "channels": "1",
    "lossy_source": "vorbis", "brickwall_hz": "6900",
}  # fmt: skip


def write_corpus(folder: Path, **changes: str) -> Path:
    """Make two ramps, a.flac and b/c.flac, with a manifest whose second row carries the changes."""
    ramp = np.linspace(-0.5, 0.5, 16000, dtype=np.float32)
    (folder / "b").mkdir()
    soundfile.write(folder / "a.flac", ramp, 16000)
    soundfile.write(folder / "b" / "c.flac", np.stack([ramp, -ramp], 1), 16000)
    second = ROW | {
        "path": "b/c.flac",
        "split": "valid",
        "category": "music_mix",
        "channels": "2",
        "brickwall_hz": "",
    }
    with (folder / "MANIFEST.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, list(ROW))
        writer.writeheader()
        writer.writerows([ROW, second | changes])
    return folder


def test_the_manifest_is_what_comes_out(tmp_path: Path) -> None:
    first, second = corpus.clips(write_corpus(tmp_path))
    assert (first.name, first.path) == ("a.flac", tmp_path / "a.flac")
    assert (first.licence, first.speaker, first.lossy, first.brickwall_hz) == ("CC0", "anna", "vorbis", 6900.0)
    assert (second.name, second.channels, second.brickwall_hz) == ("b/c.flac", 2, None)


def test_split_and_category_choose(tmp_path: Path) -> None:
    folder = write_corpus(tmp_path)
    assert [clip.name for clip in corpus.clips(folder, split="valid")] == ["b/c.flac"]
    assert [clip.name for clip in corpus.clips(folder, category="speech")] == ["a.flac"]
    with pytest.raises(ValueError, match="it has train speech; valid music_mix"):
        corpus.clips(folder, split="valid", category="speech")


def test_a_clip_loads_channels_first(tmp_path: Path) -> None:
    clip = corpus.clips(write_corpus(tmp_path))[1]
    samples, rate = corpus.load(clip)
    assert samples.shape == (2, 16000)
    assert samples.dtype == np.float32
    assert rate == 16000
    np.testing.assert_array_equal(corpus.load(clip, 0.25)[0], samples[:, :4000])


def test_a_crop_is_repeatable_and_inside_the_clip(tmp_path: Path) -> None:
    clip = corpus.clips(write_corpus(tmp_path))[0]
    whole = corpus.load(clip)[0][0]
    starts = set()
    for seed in range(20):
        cut, _ = corpus.crop(clip, 0.1, seed)
        np.testing.assert_array_equal(cut, corpus.crop(clip, 0.1, seed)[0])
        start = int(np.argmin(np.abs(whole - cut[0, 0])))
        np.testing.assert_array_equal(whole[start : start + 1600], cut[0])
        starts.add(start)
    assert len(starts) > 10


def test_a_crop_longer_than_the_clip_ends_in_silence(tmp_path: Path) -> None:
    clip = corpus.clips(write_corpus(tmp_path))[0]
    cut, _ = corpus.crop(clip, 1.5, 3)
    assert cut.shape == (1, 24000)
    np.testing.assert_array_equal(cut[:, :16000], corpus.load(clip)[0])
    assert not cut[:, 16000:].any()


def test_the_digest_knows_the_rows_but_neither_order_nor_machine(tmp_path: Path) -> None:
    (tmp_path / "here").mkdir()
    (tmp_path / "there").mkdir()
    (tmp_path / "other").mkdir()
    here = corpus.clips(write_corpus(tmp_path / "here"))
    assert corpus.digest(here) == corpus.digest(corpus.clips(write_corpus(tmp_path / "there"))[::-1])
    assert corpus.digest(here) != corpus.digest(here[:1])
    assert corpus.digest(here) != corpus.digest(corpus.clips(write_corpus(tmp_path / "other", licence="GPL-2")))


def test_licences_add_up(tmp_path: Path) -> None:
    found = corpus.clips(write_corpus(tmp_path, licence="GPL-2"))
    assert corpus.licences(found + found[:1]) == {
        "S | CC0": {"clips": 2, "seconds": 2.0},
        "S | GPL-2": {"clips": 1, "seconds": 1.0},
    }


@pytest.mark.parametrize(
    "changes",
    [
        {"path": "../secret.flac"},
        {"path": "gone.flac"},
        {"sample_rate": "fast"},
        {"seconds": "0"},
        {"true_bandwidth_hz": ""},
    ],
)
def test_a_wrong_line_is_named(tmp_path: Path, changes: dict[str, str]) -> None:
    (tmp_path / "secret.flac").write_bytes(b"outside the corpus")
    (tmp_path / "corpus").mkdir()
    with pytest.raises(ValueError, match=r"line 3: .*; mend that line"):
        corpus.clips(write_corpus(tmp_path / "corpus", **changes))


def test_a_missing_column_is_named(tmp_path: Path) -> None:
    write_corpus(tmp_path)
    (tmp_path / "MANIFEST.csv").write_text("path,source\na.flac,S\n")
    with pytest.raises(ValueError, match="no column 'licence'"):
        corpus.clips(tmp_path)


def test_a_plain_folder_is_measured(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).standard_normal(96000).astype(np.float32) * 0.1
    (tmp_path / "vocals").mkdir()
    soundfile.write(tmp_path / "vocals" / "take.wav", noise, 48000)
    (tmp_path / "notes.txt").write_text("no audio")
    (clip,) = corpus.clips(tmp_path)
    assert (clip.name, clip.category, clip.split, clip.licence) == ("vocals/take.wav", "vocals", "train", "unknown")
    assert clip.true_bandwidth_hz > 20000
    with pytest.raises(ValueError, match="it has train vocals"):
        corpus.clips(tmp_path, split="valid")


def test_what_is_no_audio_is_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no audio files"):
        corpus.clips(tmp_path)
    (tmp_path / "text.wav").write_text("not a recording")
    with pytest.raises(ValueError, match=r"text\.wav can't be read"):
        corpus.clips(tmp_path)
    with pytest.raises(ValueError, match="is not a folder"):
        corpus.clips(tmp_path / "nowhere")


@pytest.mark.parametrize(
    ("lossy", "wall", "trusted_hz"),
    [("", "", 8000), ("vorbis", "", 7000), ("vorbis", "6900", 6900), ("", "5000", 5000)],
)
def test_silence_above_is_trusted_where_nothing_took_the_top_away(
    tmp_path: Path, lossy: str, wall: str, trusted_hz: float
) -> None:
    clip = corpus.clips(write_corpus(tmp_path, lossy_source=lossy, brickwall_hz=wall), split="valid")[0]
    assert clip.trusted_hz == trusted_hz


def test_without_a_manifest_one_recording_in_ten_is_for_validation(tmp_path: Path) -> None:
    for number in range(20):
        write_tone(tmp_path / f"{number}.wav")
    first = {clip.name: clip.split for clip in corpus.clips(tmp_path)}
    assert sorted(first.values()) == ["train"] * 18 + ["valid"] * 2
    assert [clip.name for clip in corpus.clips(tmp_path, "valid")] == sorted(
        name for name in first if first[name] == "valid"
    )
    (tmp_path / "copy").mkdir()
    for number in range(20):
        write_tone(tmp_path / "copy" / f"{number}.wav")
    assert {clip.name: clip.split for clip in corpus.clips(tmp_path / "copy")} == first
    assert corpus.categories(tmp_path) == ["audio"] * 20 + ["copy"] * 20


def test_a_single_recording_is_trained_on(tmp_path: Path) -> None:
    write_tone(tmp_path / "a.wav")
    assert [clip.split for clip in corpus.clips(tmp_path)] == ["train"]


def write_tone(path: Path) -> None:
    soundfile.write(path, np.sin(np.arange(4800) * 0.1), 48000)
