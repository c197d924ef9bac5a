"""Laws of the sounds that are made for training: seeded, finite, and ended by a loudspeaker or a filter."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile

from models.training.data.amplifier import Amplifier
from models.training.data.corpus import Clip
from models.training.data.synthesizer import RATE, Synthesizer
from models.training.data.synthetic_features import AMPLIFIER, SYNTHESIZER, amplified, synthesized


def _level_db(sound: np.ndarray, low_hz: float, high_hz: float, rate: int = 48000) -> float:
    power = np.abs(np.fft.rfft(sound)) ** 2
    hz = np.fft.rfftfreq(sound.shape[-1], 1 / rate)
    return float(10 * np.log10(power[..., (hz >= low_hz) & (hz < high_hz)].mean() + 1e-30))


def _clip(path: Path, category: str) -> Clip:
    return Clip(path, path.name, "a source", "CC0", "", "train", 48000, 1.0, 24000.0, None, category, "", 1, "")


@pytest.fixture(scope="module")
def saw() -> np.ndarray:
    return (0.3 * (2 * ((220.0 * np.arange(48000) / 48000) % 1.0) - 1)).astype(np.float32)[None]


@pytest.mark.parametrize("seed", range(6))
def test_an_amplifier_keeps_the_peak_and_takes_the_top(saw: np.ndarray, seed: int) -> None:
    played = Amplifier.draw(seed).apply(saw, 48000)
    assert played.shape == saw.shape
    assert played.dtype == np.float32
    assert np.isfinite(played).all()
    assert float(np.abs(played).max()) == pytest.approx(0.3, abs=0.01)
    lost = _level_db(saw, 10000, 20000) - _level_db(saw, 300, 2000)
    assert _level_db(played, 10000, 20000) - _level_db(played, 300, 2000) < lost - 10


def test_an_amplifier_leaves_silence_and_an_empty_signal_alone() -> None:
    for silence in (np.zeros((2, 100), np.float32), np.zeros((1, 0), np.float32)):
        assert np.array_equal(Amplifier.draw(1).apply(silence, 48000), silence)


def test_drive_adds_harmonics() -> None:
    sine = (0.3 * np.sin(2 * np.pi * 400 * np.arange(48000) / 48000)).astype(np.float32)[None]
    mild, wild = (replace(Amplifier.draw(3), drive_db=drive).apply(sine, 48000) for drive in (-6.0, 40.0))
    assert _level_db(wild, 1190, 1210) > _level_db(mild, 1190, 1210) + 15


@pytest.mark.parametrize("seed", range(6))
def test_a_phrase_is_finite_audible_and_the_same_again(seed: int) -> None:
    phrase = Synthesizer.draw(seed).play(1.0)
    assert phrase.shape == (RATE,)
    assert phrase.dtype == np.float32
    assert np.isfinite(phrase).all()
    assert 0.01 < float(np.abs(phrase).max()) <= 0.55
    assert np.array_equal(phrase, Synthesizer.draw(seed).play(1.0))


def test_a_closed_filter_has_no_top() -> None:
    patch = replace(Synthesizer.draw(1), waves=("saw",), detune=(0.0,), octaves=0.0, effects=(), floor_db=-140.0)
    closed, opened = (replace(patch, cutoff_hz=cutoff_hz).play(1.0) for cutoff_hz in (300.0, 12000.0))
    fall = [_level_db(phrase, 8000, 20000) - _level_db(phrase, 100, 300) for phrase in (closed, opened)]
    assert fall[0] < fall[1] - 40


def test_made_features_come_from_the_cache_the_second_time(tmp_path: Path, saw: np.ndarray) -> None:
    recording = tmp_path / "organ.wav"
    soundfile.write(recording, saw[0], 48000)
    clip = _clip(recording, "instrument")
    first = amplified([clip], 2, tmp_path / "cache") + synthesized(1, tmp_path / "cache", 0.125)
    files = {file: file.stat().st_mtime_ns for file in (tmp_path / "cache").iterdir()}
    again = amplified([clip], 2, tmp_path / "cache") + synthesized(1, tmp_path / "cache", 0.125)
    assert files == {file: file.stat().st_mtime_ns for file in (tmp_path / "cache").iterdir()}
    assert [clip.category for clip in first] == [AMPLIFIER, AMPLIFIER, SYNTHESIZER]
    assert first[0].input_db is None
    assert first[2].input_db is not None
    for one, other in zip(first, again, strict=True):
        assert np.array_equal(one.levels_db, other.levels_db)
    assert not np.array_equal(first[0].levels_db, first[1].levels_db)


def test_only_instruments_are_amplified(tmp_path: Path) -> None:
    assert amplified([_clip(tmp_path / "voice.wav", "speech")], 3, tmp_path) == []
