"""Laws of what an extender does to sound: the input is kept, the band is added, and nothing upsets it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from models.stage import Block
from plugin_host.checks.signals import HOSTILE_KINDS, delayed, hostile, loudness, play
from tests.models.extender.extenders import music, prepared, whole

Case = tuple[Path, int, int]


def power(sound: Block, rate: int, low_hz: float, high_hz: float) -> float:
    """Return the mean power per Hz between two frequencies."""
    window = np.kaiser(sound.shape[1], 20.0)
    spectrum = np.abs(np.fft.rfft(sound.astype(np.float64) * window)) ** 2
    frequency = np.fft.rfftfreq(sound.shape[1], 1 / rate)
    return float(spectrum[:, (frequency >= low_hz) & (frequency < high_hz)].mean())


def test_an_impulse_lands_at_the_declared_latency(case: Case) -> None:
    folder, rate, channels = case
    extender = prepared(folder, rate, channels)
    impulse = np.zeros((channels, rate // 5), np.float32)
    impulse[:, 1234] = 0.5
    output = whole(extender, impulse, {"mix": 0.0})
    assert np.abs(output).argmax(1).tolist() == [1234 + extender.latency_samples] * channels
    assert np.count_nonzero(output) == channels


def test_below_the_crossover_is_the_delayed_input(case: Case) -> None:
    folder, rate, channels = case
    extender, sound = prepared(folder, rate, channels), music(rate, channels, 0.5)
    changed = whole(extender, sound) - delayed(sound, extender.latency_samples)
    crossover_hz = extender.crossover_hz
    assert crossover_hz is not None
    settled = changed[:, rate // 10 :]
    # A window's main lobe is as wide as 20 of its 0.4 s.
    below = power(settled, rate, 0, crossover_hz - 50)
    above = power(settled, rate, crossover_hz + 300, 15000)
    assert 10 * np.log10(below / above) < -90


def test_the_band_stays_within_what_was_predicted_up_to_nyquist(case: Case) -> None:
    folder, rate, channels = case
    extender, sound = prepared(folder, rate, channels), music(rate, channels, 0.3)
    band = whole(extender, sound, {"delta": 1.0, "ceiling": 24000.0})[:, rate // 10 :]
    middle = power(band, rate, 7000, 16000)
    for low in range(16000, min(24000, rate // 2), 1000):
        assert power(band, rate, low, low + 1000) < 10 * middle


def test_nothing_is_generated_above_the_ceiling(artifact: Path) -> None:
    extender, sound = prepared(artifact), music(seconds=0.3)
    band = whole(extender, sound, {"delta": 1.0, "ceiling": 10000.0})[:, 5000:]
    # A band that rises and falls within a millisecond is no narrower than that.
    assert power(band, 48000, 13000, 24000) < 1e-4 * power(band, 48000, 7000, 9500)


@pytest.mark.parametrize("settings", [{"bypass": 1.0, "output": 6.0}, {"mix": 0.0}], ids=str)
def test_bypass_and_no_mix_are_the_delayed_input_bit_for_bit(case: Case, settings: dict[str, float]) -> None:
    folder, rate, channels = case
    extender, sound = prepared(folder, rate, channels), music(rate, channels)
    np.testing.assert_array_equal(whole(extender, sound, settings), delayed(sound, extender.latency_samples))


@pytest.mark.parametrize("edge_hz", [19500.0, 22000.0, 24000.0, 48000.0])
def test_a_full_band_recording_is_left_alone_bit_for_bit(artifact: Path, edge_hz: float) -> None:
    extender, sound = prepared(artifact, 48000, 2, edge_hz), music(48000, 2, edge_hz=20000.0)
    np.testing.assert_array_equal(whole(extender, sound), delayed(sound, extender.latency_samples))
    assert extender.crossover_hz is None


def test_band_and_dry_make_wet(case: Case) -> None:
    folder, rate, channels = case
    extender, sound = prepared(folder, rate, channels), music(rate, channels)
    band = whole(extender, sound, {"delta": 1.0})
    wet = whole(extender, sound)
    np.testing.assert_allclose(band + delayed(sound, extender.latency_samples), wet, atol=1e-6, rtol=0)
    assert loudness(band) > 1e-3


@pytest.mark.parametrize("edge_hz", [6000.0, None])
def test_silence_stays_silent(artifact: Path, edge_hz: float | None) -> None:
    extender = prepared(artifact, 48000, 2, edge_hz)
    assert not play(extender, np.zeros((2, 9600), np.float32), (480,), {}).any()


def test_silence_after_sound_is_silent_within_100_ms(artifact: Path) -> None:
    extender = prepared(artifact, 48000, 2)
    whole(extender, music(48000, 2))
    tail = play(extender, np.zeros((2, 19200), np.float32), (480,), {})
    assert not tail[:, extender.latency_samples + 4800 :].any()


def test_a_silent_channel_stays_silent(artifact: Path) -> None:
    sound = music(48000, 2)
    sound[1] = 0
    assert not whole(prepared(artifact, 48000, 2), sound)[1].any()


def test_equal_channels_stay_equal_at_width_0(artifact: Path) -> None:
    sound = np.repeat(music(), 2, 0)
    narrow, wide = (whole(prepared(artifact, 48000, 2), sound, {"width": width}) for width in (0.0, 100.0))
    np.testing.assert_allclose(narrow[0], narrow[1], atol=1e-6, rtol=0)
    assert np.abs(wide[0] - wide[1]).max() > 1e-3


@pytest.mark.parametrize("width", [0.0, 50.0])
def test_the_image_of_a_panned_source_is_kept(artifact: Path, width: float) -> None:
    sound = np.repeat(music(seconds=0.4), 2, 0) * np.array([[1.0], [0.25]], np.float32)
    band = whole(prepared(artifact, 48000, 2), sound, {"delta": 1.0, "width": width})
    assert 20 * np.log10(loudness(band[0]) / loudness(band[1])) == pytest.approx(12.04, abs=1.0)


@pytest.mark.parametrize("kind", HOSTILE_KINDS)
@pytest.mark.parametrize("edge_hz", [6000.0, None])
def test_nothing_upsets_it_for_more_than_100_ms(artifact: Path, kind: str, edge_hz: float | None) -> None:
    extender, sound = prepared(artifact, edge_hz=edge_hz), music(seconds=0.6)
    expected = play(extender, sound, (480,), {})
    extender.reset()
    start, stop = 6000, 9600
    upset = sound.copy()
    upset[:, start:stop] = hostile(kind, 1, stop - start)
    output = play(extender, upset, (480,), {})
    assert np.isfinite(output).all()
    over = stop + extender.latency_samples + 4800
    dry = delayed(sound, extender.latency_samples)[:, over:]
    bands = [loudness(played[:, over:] - dry) + 1e-9 for played in (output, expected)]
    assert 20 * np.log10(bands[0] / bands[1]) == pytest.approx(0.0, abs=6.0)


def test_nothing_upsets_single_samples(artifact: Path) -> None:
    extender = prepared(artifact)
    sound = np.concatenate([hostile(kind, 1, 40) for kind in ("nan", "dc", "inf", "huge", "denormals")], 1)
    assert np.isfinite(play(extender, sound, (1,), {})).all()
