"""Laws of render: as long as before, aligned to the sample, untouched where nothing is added."""

from __future__ import annotations

import os
import tracemalloc
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from models.stage import Block
from plugin_host.files.audio_reader import AudioFileError, AudioReader
from plugin_host.files.resample import resampled
from plugin_host.render import bandwidth
from plugin_host.render.render import render_file, render_samples
from plugin_host.render.stopped import RenderStopped
from tests.plugin_host.stages import Delay, FollowingDelay


def noise(frames: int, channels: int = 2) -> Block:
    return np.random.default_rng(3).uniform(-0.5, 0.5, (channels, frames)).astype(np.float32)


def write(path: Path, samples: Block, rate: int = 48000, subtype: str = "PCM_16") -> Path:
    soundfile.write(path, samples.T, rate, subtype=subtype)
    return path


@pytest.mark.parametrize("latency", [0, 1, 63, 4800, 100_000])
@pytest.mark.parametrize("frames", [1, 47, 48000, 50_001])
def test_output_aligns_to_the_sample_whatever_the_latency(tmp_path: Path, latency: int, frames: int) -> None:
    source = write(tmp_path / "in.wav", noise(frames))
    render_file(Delay(latency), {}, source, tmp_path / "out.wav")
    before, after = (soundfile.read(path, dtype="int16")[0] for path in (source, tmp_path / "out.wav"))
    np.testing.assert_array_equal(after, before)


@pytest.mark.parametrize("rate", [44100, 48000, 88200, 96000])
def test_rates_with_room_are_kept(tmp_path: Path, rate: int) -> None:
    done = render_file(Delay(7), {}, write(tmp_path / "in.flac", noise(1000), rate), tmp_path / "out.flac")
    assert (done.rate, soundfile.info(tmp_path / "out.flac").samplerate, done.bits) == (rate, rate, "16")


@pytest.mark.parametrize("rate", [8000, 11025, 16000, 22050, 32000])
@pytest.mark.parametrize("frames", [1, 999, 40_000])
def test_low_rates_become_48_khz_and_stay_aligned(tmp_path: Path, rate: int, frames: int) -> None:
    time = np.arange(frames) / rate
    tone = (0.5 * np.sin(2 * np.pi * 997 * time)[None]).astype(np.float32)
    source = write(tmp_path / "in.wav", tone, rate, "FLOAT")
    render_file(Delay(123), {}, source, tmp_path / "out.wav")
    out = soundfile.read(tmp_path / "out.wav")[0]
    assert len(out) == round(frames * 48000 / rate)
    ideal = 0.5 * np.sin(2 * np.pi * 997 * np.arange(len(out)) / 48000)
    # The edges ring, as a tone that begins and ends abruptly must.
    np.testing.assert_allclose(out[4000:-4000], ideal[4000:-4000], atol=2e-4)


@pytest.mark.parametrize("size", [100, 4096, 44100])
def test_resampling_does_not_depend_on_the_cutting(size: int) -> None:
    samples = noise(44100, 1)
    whole = np.concatenate(list(resampled([samples], 22050, 48000, 1)), 1)
    cut = (samples[:, start : start + size] for start in range(0, 44100, size))
    np.testing.assert_allclose(np.concatenate(list(resampled(cut, 22050, 48000, 1)), 1), whole, atol=1e-6)


def test_depth_can_be_chosen_and_overs_are_reported(tmp_path: Path) -> None:
    source = write(tmp_path / "in.wav", noise(1000))
    loud = render_file(Delay(gain=4.0), {}, source, tmp_path / "out.wav")
    assert loud.clipped == np.count_nonzero(np.abs(soundfile.read(source)[0] * 4) > 1)
    kept = render_file(Delay(gain=4.0), {}, source, tmp_path / "out.wav", bits="32f")
    assert (kept.clipped, soundfile.info(tmp_path / "out.wav").subtype) == (0, "FLOAT")
    np.testing.assert_array_equal(soundfile.read(tmp_path / "out.wav")[0], soundfile.read(source)[0] * 4)


def test_float_into_flac_becomes_24_bit(tmp_path: Path) -> None:
    source = write(tmp_path / "in.wav", noise(1000), subtype="FLOAT")
    assert render_file(Delay(), {}, source, tmp_path / "out.flac").bits == "24"


def test_stopping_leaves_nothing(tmp_path: Path) -> None:
    source = write(tmp_path / "in.wav", noise(480_000))
    asked = iter([False, False, True])
    with pytest.raises(RenderStopped):
        render_file(Delay(), {}, source, tmp_path / "out.wav", stopped=lambda: next(asked))
    assert os.listdir(tmp_path) == ["in.wav"]


def test_progress_rises_to_one(tmp_path: Path) -> None:
    shares: list[float] = []
    render_file(Delay(99), {}, write(tmp_path / "in.wav", noise(200_000)), tmp_path / "out.wav", progress=shares.append)
    assert shares == sorted(shares)
    assert len(shares) >= 4
    assert shares[-1] == 1.0


def test_the_input_is_never_overwritten(tmp_path: Path) -> None:
    source = write(tmp_path / "in.wav", noise(100))
    before = source.read_bytes()
    (tmp_path / "link.wav").symlink_to(source)
    for target in (source, tmp_path / "link.wav"):
        with pytest.raises(AudioFileError, match="is the input itself"):
            render_file(Delay(), {}, source, target)
    assert source.read_bytes() == before


class Slow(Delay):
    def prepare(self, sample_rate: int, channels: int, max_block: int) -> None:
        raise ValueError(f"rates up to 44100 Hz are possible, not {sample_rate}")


def test_a_stage_that_cannot_do_the_rate_is_one_sentence(tmp_path: Path) -> None:
    source = write(tmp_path / "in.wav", noise(100), 192000)
    with pytest.raises(AudioFileError, match=r"in.wav can.t be rendered: rates up to 44100 Hz .*, not 96000$"):
        render_file(Slow(), {}, source, tmp_path / "out.wav")


class Failing(Delay):
    def take_error(self) -> Exception | None:
        return RuntimeError("the reverb failed, the dry signal plays") if len(self.blocks) > 2 else None


def test_a_fault_that_the_stage_played_over_is_not_rendered_over(tmp_path: Path) -> None:
    source = write(tmp_path / "in.wav", noise(480_000))
    with pytest.raises(AudioFileError, match=r"in.wav can't be rendered: the reverb failed"):
        render_file(Failing(), {}, source, tmp_path / "out.wav")
    assert os.listdir(tmp_path) == ["in.wav"]


def test_the_automatic_crossover_follows_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    measured: list[int] = []

    def measure(blocks: Iterable[Block], rate: int, finds_soft: bool) -> float:
        measured.append(sum(int(np.isfinite(block).all(axis=0).sum()) for block in blocks))
        return 3700.0

    monkeypatch.setattr(bandwidth, "measure_edge", measure)
    stage = FollowingDelay()
    source = write(tmp_path / "in.wav", noise(100 * 8000, 1), 8000)
    assert render_file(stage, {"crossover": 0.0}, source, tmp_path / "out.wav").edge_hz == 3700.0
    assert stage.edge_hz == 3700.0
    assert measured == [60 * 48000], "at most a minute is measured, at the output's rate"
    assert render_file(stage, {"crossover": 5000.0}, source, tmp_path / "out.wav").edge_hz is None
    assert stage.edge_hz is None


@pytest.mark.parametrize("seconds", [20, 100])
def test_the_edge_of_a_long_file_is_that_of_a_short_one(tmp_path: Path, seconds: int) -> None:
    """A minute in pieces shows as much as the whole: the joints are no sound."""
    samples = np.random.default_rng(4).normal(0, 0.1, (1, seconds * 8000)).astype(np.float32)
    source = write(tmp_path / "in.wav", samples, 8000)
    done = render_file(FollowingDelay(), {}, source, tmp_path / "out.wav")
    assert done.edge_hz == pytest.approx(4000, rel=0.1)


@pytest.mark.parametrize("block", [None, 1, 64, 1000])
def test_arrays_come_back_aligned(block: int | None) -> None:
    samples = noise(3000)
    np.testing.assert_array_equal(render_samples(Delay(77), {}, samples, 48000, block=block), samples)


@pytest.mark.parametrize(
    ("samples", "sentence"),
    [
        (noise(3000).T, "give samples.T"),
        (noise(3000)[0], "shape"),
        (np.zeros((2, 10), np.int16), "float32"),
        (np.zeros((2, 10), np.float64), "float32"),
    ],
)
def test_an_array_of_another_form_is_refused_at_once(samples: Any, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        render_samples(Delay(0), {}, samples, 48000)


def test_no_samples_come_back_as_none() -> None:
    assert render_samples(Delay(7), {}, np.zeros((2, 0), np.float32), 48000).shape == (2, 0)


def test_memory_does_not_grow_with_the_file(tmp_path: Path) -> None:
    peaks = []
    for seconds in (20, 120):
        source = write(tmp_path / "in.wav", np.zeros((2, seconds * 48000), np.float32))
        tracemalloc.start()
        render_file(Delay(100), {}, source, tmp_path / "out.wav")
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < peaks[0] * 1.1


def test_blocks_of_many_channels_stay_small(tmp_path: Path) -> None:
    source = write(tmp_path / "in.wav", np.zeros((200, 10), np.float32), 96000)
    with AudioReader(source) as reader:
        assert reader.block_frames() * 200 <= 1 << 20
