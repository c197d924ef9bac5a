"""Laws of the excerpts: equally loud at what is played, together to the sample, and refused in a sentence else."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
import soundfile
from numpy.typing import NDArray

from plugin_host.metering.programme_loudness import LoudnessMeter
from plugin_host.panel.listening.excerpts import Excerpt, delay, load_excerpts
from plugin_host.panel.listening.groups import Group, ListeningError, find_groups

RATE = 48000


def noise(seconds: float = 3.0, channels: int = 1, seed: int = 1) -> NDArray[np.float64]:
    shape = (round(seconds * RATE), channels)
    return 0.1 * np.random.default_rng(seed).standard_normal(shape)


def dulled(sound: NDArray[np.float64]) -> NDArray[np.float64]:
    """Without the top, by a filter that moves nothing."""
    return np.stack([np.convolve(one, np.hanning(7) / np.hanning(7).sum(), "same") for one in sound.T], axis=1)


def files(folder: Path, *sounds: NDArray[np.float64], rate: int = RATE) -> Group:
    versions = {}
    for number, sound in enumerate(sounds):
        versions[f"v{number}"] = folder / f"v{number}.wav"
        soundfile.write(versions[f"v{number}"], sound, rate, subtype="FLOAT")
    return Group("item", versions)


def played(excerpt: Excerpt) -> NDArray[np.float32]:
    samples, _ = soundfile.read(io.BytesIO(excerpt.wav), dtype="float32", always_2d=True)
    return np.asarray(samples.T)


@pytest.mark.parametrize("channels", [1, 2])
def test_versions_are_equally_loud_by_another_meter_and_never_over(tmp_path: Path, channels: int) -> None:
    sound = noise(channels=channels)
    made = load_excerpts(files(tmp_path, sound, 9.0 * sound, 0.01 * sound, dulled(sound)), 0.0, 10.0)
    levels = []
    for excerpt in made:
        meter = LoudnessMeter(RATE, channels)
        meter.add(played(excerpt))
        assert meter.lufs is not None
        levels.append(meter.lufs)
        assert np.abs(played(excerpt)).max() < 0.99
    assert max(levels) - min(levels) < 0.1
    assert [one.gain_db for one in made[:3]] == pytest.approx(np.array([0.0, -19.08, 40.0]) + made[0].gain_db, abs=0.1)


def test_a_quiet_version_with_high_peaks_sets_the_level(tmp_path: Path) -> None:
    peaky = 0.01 * noise()
    peaky[::4800] = 0.9
    made = load_excerpts(files(tmp_path, noise(), peaky), 0.0, 10.0)
    assert abs(made[0].lufs - made[1].lufs) < 0.1
    assert max(np.abs(played(one)).max() for one in made) < 0.99


@pytest.mark.parametrize("shift", [-529, -1, 0, 1, 7, 2000])
def test_versions_are_aligned_to_the_sample(tmp_path: Path, shift: int) -> None:
    sound = noise(seconds=3.2)
    late = dulled(sound)
    made = load_excerpts(files(tmp_path, sound[2400:-4800], late[2400 - shift : -4800 - shift]), 0.0, 10.0)
    assert [one.shift_samples for one in made] == [0, shift]
    one, other = (played(excerpt)[0, 480:-480] for excerpt in made)
    assert len(one) == len(other)
    assert delay(one[None], other[None], 100) == 0


def test_versions_of_other_rates_are_aligned(tmp_path: Path) -> None:
    import soxr

    sound = noise()
    group = files(tmp_path, sound)
    group.versions["low"] = tmp_path / "low.wav"
    soundfile.write(group.versions["low"], soxr.resample(sound, RATE, 16000, quality="VHQ"), 16000, subtype="FLOAT")
    made = load_excerpts(group, 0.5, 2.0)
    assert made[1].shift_samples == 0
    assert [played(one).shape for one in made] == [(1, 2 * RATE)] * 2


def test_what_is_periodic_or_foreign_is_left_where_it_is(tmp_path: Path) -> None:
    tone = 0.1 * np.sin(2 * np.pi * 1000.0 * np.arange(2 * RATE) / RATE)[:, None]
    assert [one.shift_samples for one in load_excerpts(files(tmp_path, tone, 0.5 * tone), 0.0, 10.0)] == [0, 0]
    foreign = load_excerpts(files(tmp_path, noise(seed=1), noise(seed=2)), 0.0, 10.0)
    assert [one.shift_samples for one in foreign] == [0, 0]


def test_what_does_not_fit_is_refused_in_a_sentence(tmp_path: Path) -> None:
    sound = noise(seconds=1.0)
    for other, words in (
        (sound[:-9], "9 samples shorter"),
        (np.concatenate([sound, sound]), "48000 samples longer"),
        (0.0 * sound, "is silent there"),
        (noise(1.0, channels=3), "has 3 channels"),
    ):
        with pytest.raises(ListeningError, match=words):
            load_excerpts(files(tmp_path, sound, other), 0.0, 10.0)
    assert len(load_excerpts(files(tmp_path, sound, sound[:-8]), 0.0, 10.0)) == 2
    with pytest.raises(ListeningError, match=r"less than 0.4 s"):
        load_excerpts(files(tmp_path, sound, sound), 0.7, 10.0)


def test_files_that_belong_together_are_found(tmp_path: Path) -> None:
    for name in ("dull/a.wav", "bright/a.flac", "bright/b.wav", "dull/b.wav", "dull/alone.wav"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    groups = find_groups([tmp_path])
    assert [(one.name, list(one.versions)) for one in groups] == [("a", ["bright", "dull"]), ("b", ["bright", "dull"])]
    paths = [tmp_path / "dull/a.wav", tmp_path / "bright/a.flac"]
    assert list(find_groups(paths)[0].versions.values()) == paths
    assert list(find_groups([tmp_path / "bright"])[0].versions) == ["a", "b"]
    for wrong in ([paths[0]], [tmp_path, paths[0]], [paths[0], paths[0]]):
        with pytest.raises(ListeningError):
            find_groups(wrong)
