"""Laws of loudness: it is what pyloudnorm measures, and outputs come to where they are wished."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pyloudnorm
import pytest
import soundfile

from models.stage import Block
from plugin_host.metering.programme_loudness import LoudnessMeter
from plugin_host.render.loudness import LoudnessTarget
from plugin_host.render.render import render_file
from tests.plugin_host.stages import Delay


def speech_like(seconds: float, channels: int = 2, rate: int = 48000, level: float = 0.1) -> Block:
    """Noise that pauses, so that the gates have work."""
    rng = np.random.default_rng(1)
    samples = rng.normal(0, level, (channels, round(seconds * rate)))
    loud = np.repeat(rng.uniform(0, 1, -(-samples.shape[1] // rate * 4)), rate // 4)[: samples.shape[1]]
    return (samples * np.where(loud > 0.3, loud, 1e-4)).astype(np.float32)


def meter_of(samples: Block, rate: int = 48000, size: int = 10_000) -> LoudnessMeter:
    meter = LoudnessMeter(rate, len(samples))
    for start in range(0, samples.shape[1], size):
        meter.add(np.ascontiguousarray(samples[:, start : start + size]))
    return meter


@pytest.mark.parametrize("rate", [44100, 48000, 96000])
@pytest.mark.parametrize("channels", [1, 2])
def test_the_loudness_is_pyloudnorms(rate: int, channels: int) -> None:
    samples = speech_like(10, channels, rate)
    theirs = pyloudnorm.Meter(rate).integrated_loudness(samples.T.astype(np.float64))
    assert meter_of(samples, rate).lufs == pytest.approx(theirs, abs=0.05)


def test_surround_counts_as_the_standard_has_it() -> None:
    samples = speech_like(5, 6)
    without_low = np.delete(samples, 3, axis=0).T.astype(np.float64)
    assert meter_of(samples).lufs == pytest.approx(pyloudnorm.Meter(48000).integrated_loudness(without_low), abs=0.05)


def test_silence_has_no_loudness() -> None:
    assert meter_of(np.zeros((1, 48000), np.float32)).lufs is None
    assert LoudnessMeter(48000, 1).true_peak_db == -np.inf


def test_files_together_are_one_programme() -> None:
    one, other = speech_like(5, level=0.2), speech_like(4, level=0.02)
    both = np.concatenate([one, other], axis=1)
    album = LoudnessTarget(-16.0).of_album([meter_of(one).energies, meter_of(other).energies])
    lufs = meter_of(both).lufs
    assert lufs is not None
    assert album.gain_db == pytest.approx(-16.0 - lufs, abs=0.05)


@pytest.mark.parametrize(
    ("loudness", "true_peak", "lufs", "peak_db"),
    [
        ("-16LUFS", "-1dBTP", -16, -1),
        ("-14 lufs", "-3", -14, -3),
        ("-30,5", None, -30.5, None),
        (None, "-6dBTP", None, -6),
    ],
)
def test_an_output_comes_to_where_it_is_wished(
    tmp_path: Path, loudness: str | None, true_peak: str | None, lufs: float | None, peak_db: float | None
) -> None:
    samples = speech_like(10)
    samples[:, 100_000] = 0.95
    soundfile.write(tmp_path / "in.wav", samples.T, 48000, subtype="PCM_24")
    target = LoudnessTarget.from_text(loudness, true_peak)
    done = render_file(Delay(100), {}, tmp_path / "in.wav", tmp_path / "out.wav", loudness=target)
    out, rate = soundfile.read(tmp_path / "out.wav")
    assert len(out) == 480_000
    if lufs is not None:
        assert pyloudnorm.Meter(rate).integrated_loudness(out) == pytest.approx(lufs, abs=0.15)
        assert done.lufs_after == pytest.approx(lufs, abs=0.15)
    if peak_db is not None:
        assert done.true_peak_after_db is not None
        assert done.true_peak_after_db <= peak_db + 0.02
    assert sorted(os.listdir(tmp_path)) == ["in.wav", "out.wav"]


def test_no_wish_changes_nothing(tmp_path: Path) -> None:
    assert LoudnessTarget.from_text(None, None) is None
    soundfile.write(tmp_path / "in.wav", speech_like(3).T, 48000, subtype="PCM_16")
    done = render_file(Delay(100), {}, tmp_path / "in.wav", tmp_path / "out.wav")
    np.testing.assert_array_equal(soundfile.read(tmp_path / "in.wav")[0], soundfile.read(tmp_path / "out.wav")[0])
    assert (done.lufs_before, done.true_peak_before_db) == (done.lufs_after, done.true_peak_after_db)
    assert (done.added_db, done.warnings) == (None, ["nothing added"])


@pytest.mark.parametrize(("loudness", "true_peak"), [("loud", None), ("-16dB", None), ("3LUFS", None), (None, "2dBTP")])
def test_a_wish_that_is_no_level_is_refused(loudness: str | None, true_peak: str | None) -> None:
    with pytest.raises(ValueError, match="must be between"):
        LoudnessTarget.from_text(loudness, true_peak)
