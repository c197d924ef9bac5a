"""Laws of high rates: what is added comes in at its place, and all else of the original stays bit for bit."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile

from models.stage import Block
from plugin_host.files.resample import played_rate
from plugin_host.render.high_rate import at_played_rate
from plugin_host.render.render import render_file, render_samples
from tests.plugin_host.stages import Delay, FollowingDelay

RATES = (96001, 100_001, 128_000, 176_400, 192_000, 352_800, 384_000)


def noise(frames: int) -> Block:
    return np.random.default_rng(1).uniform(-0.5, 0.5, (2, frames)).astype(np.float32)


def blocks(samples: Block, size: int = 7001) -> Iterator[Block]:
    return (samples[:, start : start + size] for start in range(0, samples.shape[1], size))


@pytest.mark.parametrize("rate", RATES)
def test_the_played_rate_is_one_that_every_stage_plays(rate: int) -> None:
    assert 44100 <= played_rate(rate) <= 96000
    assert played_rate(96000) == 96000


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("frames", [1, 2, 50_003])
def test_where_nothing_is_added_the_output_is_the_input_bit_for_bit(rate: int, frames: int) -> None:
    samples = noise(frames)
    played = np.concatenate(list(at_played_rate(iter, blocks(samples), rate, 2)), axis=1)
    np.testing.assert_array_equal(played, samples)


def sine(rate: int, hertz: float, frames: int = 96_000) -> Block:
    wave: Block = np.sin(2 * np.pi * hertz / rate * np.arange(frames))[None].astype(np.float32)
    return wave


def test_what_is_added_comes_in_at_its_place_and_above_the_played_band_nothing_changes() -> None:
    rate, low, high = 192_000, sine(192_000, 12_000), sine(192_000, 60_000)

    def louder(dry: Iterable[Block]) -> Iterator[Block]:
        return (np.float32(1.5) * block for block in dry)

    played = np.concatenate(list(at_played_rate(louder, blocks(low + high), rate, 1)), axis=1)
    inner = slice(5000, -5000)
    np.testing.assert_allclose(played[:, inner], (1.5 * low + high)[:, inner], atol=2e-4)


@pytest.mark.parametrize("suffix", ["wav", "flac"])
def test_a_file_at_192_khz_stays_one_and_every_sample_of_it(tmp_path: Path, suffix: str) -> None:
    values = np.random.default_rng(1).integers(-(1 << 22), 1 << 22, (200_001, 2)).astype(np.int32) << 8
    soundfile.write(tmp_path / f"in.{suffix}", values, 192_000, subtype="PCM_24")
    done = render_file(Delay(100), {}, tmp_path / f"in.{suffix}", tmp_path / f"out.{suffix}")
    assert (done.rate, done.bits) == (192_000, "24")
    np.testing.assert_array_equal(soundfile.read(tmp_path / f"out.{suffix}", dtype="int32")[0], values)


def test_an_array_at_192_khz_is_played_too() -> None:
    samples = noise(30_000)
    np.testing.assert_array_equal(render_samples(Delay(64), {}, samples, 192_000, block=999), samples)


@pytest.mark.parametrize("seconds", [0.02, 0.2, 2])
def test_a_one_shot_at_8_khz_holds_nothing_above_4_khz(tmp_path: Path, seconds: float) -> None:
    soundfile.write(tmp_path / "in.wav", np.random.default_rng(1).uniform(-0.5, 0.5, int(seconds * 8000)), 8000)
    stage = FollowingDelay(9)
    done = render_file(stage, {}, tmp_path / "in.wav", tmp_path / "out.wav")
    assert done.edge_hz is not None
    assert 3600 < done.edge_hz < 4000
    assert stage.edge_hz == done.edge_hz
