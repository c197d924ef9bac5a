"""Laws of audio files: what goes in comes out, whole or not at all."""

from __future__ import annotations

import os
import struct
from pathlib import Path

import numpy as np
import pytest
import soundfile

from models.stage import Block
from plugin_host.files.audio_reader import AudioFileError, AudioReader
from plugin_host.files.audio_writer import AudioWriter
from plugin_host.files.suffixes import Bits

RATE = 44100


def noise(frames: int, channels: int = 2, seed: int = 0) -> Block:
    """White noise, shape (channels, frames), -0.5..0.5."""
    return np.random.default_rng(seed).uniform(-0.5, 0.5, (channels, frames)).astype(np.float32)


def read_all(path: Path, size: int | None = None) -> Block:
    with AudioReader(path) as reader:
        return np.concatenate(list(reader.blocks(size)), axis=1)


@pytest.mark.parametrize("name", ["a.wav", "a.flac", "a.aiff", "a.ogg", "a.mp3"])
def test_blocks_equal_the_whole_file(tmp_path: Path, name: str) -> None:
    soundfile.write(tmp_path / name, noise(30000).T, RATE)
    whole = soundfile.read(tmp_path / name, dtype="float32")[0].T
    for size in (997, 4096, 44100):
        np.testing.assert_array_equal(read_all(tmp_path / name, size), whole)


@pytest.mark.parametrize("suffix", [".wav", ".flac"])
@pytest.mark.parametrize("bits", ["16", "24"])
def test_integer_samples_survive_untouched(tmp_path: Path, suffix: str, bits: Bits) -> None:
    shift = 16 if bits == "16" else 8
    extremes = np.array([-(1 << 31), (1 << 31) - 1, 0, -1 << shift, 1 << shift], dtype=np.int64)
    values = np.random.default_rng(1).integers(-(1 << 31), 1 << 31, (5000, 2))
    values[:5, 0] = extremes
    values = (values >> shift << shift).astype(np.int32)
    source, target = tmp_path / f"in{suffix}", tmp_path / f"out{suffix}"
    soundfile.write(source, values, RATE, subtype=f"PCM_{bits}")
    with AudioReader(source) as reader, AudioWriter(target, RATE, 2, reader.bits) as writer:
        for block in reader.blocks(1000):
            writer.write(block)
    assert writer.clipped == 0
    np.testing.assert_array_equal(soundfile.read(target, dtype="int32")[0], values)
    assert soundfile.info(target).subtype == f"PCM_{bits}"


def test_float_samples_survive_untouched_beyond_full_scale(tmp_path: Path) -> None:
    samples = noise(1000) * 100
    with AudioWriter(tmp_path / "a.wav", RATE, 2, "32f") as writer:
        writer.write(samples)
    np.testing.assert_array_equal(read_all(tmp_path / "a.wav"), samples)
    assert writer.clipped == 0


@pytest.mark.parametrize("bits", ["16", "24"])
def test_overs_clip_and_are_counted_and_never_wrap(tmp_path: Path, bits: Bits) -> None:
    samples = np.array([[1.5, -1.5, 1.0, -1.0, 0.25, 1e30]], dtype=np.float32)
    with AudioWriter(tmp_path / "a.wav", RATE, 1, bits) as writer:
        writer.write(samples)
    assert writer.clipped == 3
    np.testing.assert_allclose(read_all(tmp_path / "a.wav"), np.clip(samples, -1, 1), atol=1 / 32768)


@pytest.mark.parametrize(
    ("subtype", "suffix", "bits"),
    [
        ("PCM_U8", "wav", "16"), ("PCM_16", "wav", "16"), ("PCM_24", "flac", "24"), ("PCM_32", "wav", "32f"),
        ("FLOAT", "wav", "32f"), ("DOUBLE", "wav", "32f"), ("VORBIS", "ogg", "32f"), ("MPEG_LAYER_III", "mp3", "32f"),
        ("ULAW", "wav", "24"), ("PCM_S8", "aiff", "16"),
    ],
)  # fmt: skip
def test_native_depth_loses_nothing(tmp_path: Path, subtype: str, suffix: str, bits: str) -> None:
    path = tmp_path / f"a.{suffix}"
    soundfile.write(path, noise(RATE).T, RATE, subtype=subtype)
    with AudioReader(path) as reader:
        assert reader.bits == bits


def _write_and_raise(target: Path, kind: type[BaseException]) -> None:
    with AudioWriter(target, RATE, 2, "16") as writer:
        writer.write(noise(1000))
        raise kind


def test_an_exception_leaves_nothing_and_the_old_file_as_it_was(tmp_path: Path) -> None:
    target = tmp_path / "a.wav"
    target.write_bytes(b"precious")
    for kind in (RuntimeError, KeyboardInterrupt):
        with pytest.raises(kind):
            _write_and_raise(target, kind)
    assert target.read_bytes() == b"precious"
    assert os.listdir(tmp_path) == ["a.wav"]


def test_nothing_stands_under_the_name_before_the_end(tmp_path: Path) -> None:
    with AudioWriter(tmp_path / "a.flac", RATE, 2, "24") as writer:
        writer.write(noise(100000))
        assert not (tmp_path / "a.flac").exists()
    assert os.listdir(tmp_path) == ["a.flac"]


def test_numbers_that_are_none_become_silence_and_are_counted(tmp_path: Path) -> None:
    samples = noise(1000)
    samples[0, 10], samples[1, 20], samples[1, 21] = np.nan, np.inf, -np.inf
    soundfile.write(tmp_path / "a.wav", samples.T, RATE, subtype="FLOAT")
    with AudioReader(tmp_path / "a.wav") as reader:
        block = next(reader.blocks())
    assert reader.mended == 3
    np.testing.assert_array_equal(block, np.where(np.isfinite(samples), samples, 0))


@pytest.mark.parametrize("suffix", ["wav", "aiff", "flac", "mp3"])
@pytest.mark.parametrize("share", [0.3, 0.6, 0.9])
def test_a_cut_off_file_is_refused_in_one_sentence(tmp_path: Path, suffix: str, share: float) -> None:
    path = tmp_path / f"a.{suffix}"
    soundfile.write(path, noise(3 * RATE).T, RATE)
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * share)])
    with pytest.raises(AudioFileError, match=r"^.*a\.\w+ is (cut off|damaged).*; .*$"):
        read_all(path)


def test_a_recording_from_a_pipe_without_a_length_is_read_to_its_end(tmp_path: Path) -> None:
    samples = noise(5000)
    soundfile.write(tmp_path / "a.wav", samples.T, RATE, subtype="FLOAT")
    data = bytearray((tmp_path / "a.wav").read_bytes())
    place = data.index(b"data") + 4
    data[place : place + 4] = struct.pack("<I", 0xFFFFFFFF)
    (tmp_path / "a.wav").write_bytes(data)
    np.testing.assert_array_equal(read_all(tmp_path / "a.wav"), samples)


@pytest.mark.parametrize(
    ("name", "bits", "channels", "words"),
    [
        ("a.ogg", "16", 2, "name a .wav, .flac, .mp3, .opus or .m4a"), ("a.flac", "32f", 2, "choose --bits 24"),
        ("a.flac", "24", 9, "choose --format wav"), ("folder.wav", "16", 1, "is a folder"),
        ("missing/a.wav", "16", 1, "does not exist"), ("x" * 254 + ".wav", "16", 1, "shorter"),
    ],
)  # fmt: skip
def test_impossible_outputs_are_refused(tmp_path: Path, name: str, bits: Bits, channels: int, words: str) -> None:
    (tmp_path / "folder.wav").mkdir()
    with pytest.raises(AudioFileError, match=words), AudioWriter(tmp_path / name, RATE, channels, bits):
        pass
    assert os.listdir(tmp_path) == ["folder.wav"]


@pytest.mark.parametrize("ending", ["mp3", "ogg", "flac", "wav"])
def test_blocks_are_the_whole_wherever_they_begin(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"noise.{ending}"
    soundfile.write(path, 0.3 * np.random.default_rng(5).standard_normal(100_000), 44100)
    whole, _ = soundfile.read(path, dtype="float32", always_2d=True)
    with AudioReader(path) as reader:
        pieces = np.concatenate(list(reader.blocks(7001)), axis=1)
        inner = reader.read_at(50_000, 4000)
    np.testing.assert_array_equal(pieces, whole.T)
    np.testing.assert_allclose(inner, whole.T[:, 50_000:54_000], atol=1e-6)
