"""Laws of the fine envelope: steady sound stays, a rise and a fall are followed at once, and blocks equal the whole."""

from __future__ import annotations

import numpy as np
import pytest

from dsp.fft import Array
from models.extender import fine_envelope

RATE = 48000
HIGH_PASS = fine_envelope.high_pass(8000.0, RATE)


def noise(seconds: float = 0.5) -> Array:
    return (0.1 * np.random.default_rng(0).standard_normal((2, round(seconds * RATE)))).astype(np.float32)


def gains(signal: Array, delay: int = 0, block: int | None = None) -> Array:
    """Return the gain at each sample, which goes with the signal delayed."""
    follower, past = fine_envelope.follower(RATE, delay), fine_envelope.start(len(signal))
    late = np.pad(signal, ((0, 0), (delay, 0)))
    output = np.ones_like(signal)
    size = block or signal.shape[1]
    for at in range(0, signal.shape[1], size):
        part = np.ascontiguousarray(output[:, at : at + size])
        fine_envelope.follow(late, at, follower, HIGH_PASS, past, part)
        output[:, at : at + size] = part
    return output


@pytest.mark.parametrize("delay", [0, 2816])
def test_steady_noise_keeps_its_level(delay: int) -> None:
    steady = gains(noise(), delay)[:, delay + 4800 :]
    assert 10 * np.log10(float(np.square(steady).mean())) == pytest.approx(0.0, abs=0.7)
    assert float(20 * np.log10(steady).std()) < 2.5


@pytest.mark.parametrize("level_db", [-100.0, 0.0])
def test_silence_and_direct_current_are_followed_without_a_jump(level_db: float) -> None:
    flat = np.full((2, 48000), 10 ** (level_db / 20), np.float32)
    steady = gains(flat)[:, 36000:]
    assert np.isfinite(steady).all()
    np.testing.assert_allclose(steady, steady[0, -1], rtol=1e-3)


def test_a_rise_is_followed_within_a_millisecond_and_then_left_to_the_filter() -> None:
    sound = noise()
    sound[:, : RATE // 4] *= 0.01
    output = 20 * np.log10(gains(sound)[0])
    onset = RATE // 4
    assert abs(output[onset - 48 : onset].mean()) < 3
    assert output[onset + 48 : onset + 96].mean() > 5
    assert abs(output[onset + 4800 :].mean()) < 1


def test_with_a_delay_nothing_comes_before_the_rise() -> None:
    sound = noise()
    sound[:, : RATE // 4] *= 0.01
    output = 20 * np.log10(gains(sound, 2816)[0])
    onset = RATE // 4 + 2816
    assert output[onset - 240 : onset].mean() < -15
    assert output[onset + 48 : onset + 96].mean() > -3


@pytest.mark.parametrize("block", [1, 17, 480])
def test_blocks_equal_the_whole(block: int) -> None:
    sound = noise(0.05)
    sound[:, :1200] = 0.0
    np.testing.assert_array_equal(gains(sound, 720, block), gains(sound, 720))


def test_what_begins_after_silence_is_no_rise_over_it() -> None:
    sound = noise()
    onset = RATE // 4
    sound[:, :onset] = 0.0
    output = 20 * np.log10(gains(sound)[0])
    for start, end in [(0, 96), (96, 240), (240, 720), (4800, 9600)]:
        assert abs(output[onset + start : onset + end].mean()) < 2


def test_blocks_after_silence_equal_the_whole() -> None:
    sound = noise(0.2)
    sound[:, :3000] = 0.0
    np.testing.assert_array_equal(gains(sound), gains(sound, block=77))
