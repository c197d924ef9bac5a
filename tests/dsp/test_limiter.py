"""Laws of the limiter: nothing above the ceiling, nothing below it touched, blocks equal whole."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from dsp.limiter import limited
from dsp.loudness import peak_filters, true_peak


def play(
    signal: NDArray[np.float32], size: int = 1 << 30, gain: float = 1.0, ceiling_db: float = -1.0
) -> NDArray[np.float32]:
    blocks = (signal[:, start : start + size] for start in range(0, signal.shape[1], size))
    return np.concatenate(list(limited(blocks, 48000, gain, ceiling_db)), axis=1)


def peak_db(signal: NDArray[np.float32]) -> float:
    return float(20 * np.log10(true_peak(np.pad(signal, ((0, 0), (11, 11))), peak_filters(), 0.0)))


def noise(level: float, frames: int = 48000) -> NDArray[np.float32]:
    return np.random.default_rng(1).normal(0, level, (2, frames)).astype(np.float32)


def test_what_is_below_the_ceiling_stays_bit_for_bit() -> None:
    signal = noise(0.05)
    np.testing.assert_array_equal(play(signal), signal)


@pytest.mark.parametrize("gain", [1.0, 4.0, 20.0])
def test_nothing_leaves_above_the_ceiling_between_samples_too(gain: float) -> None:
    loud = noise(0.3)
    loud[:, 20_000] = 1.5
    loud[:, 47_999] = 1.5
    out = play(loud, gain=gain)
    assert out.shape == loud.shape
    assert -2.0 < peak_db(out) <= -1.0


@pytest.mark.parametrize("hertz", [50.0, 997.0, 12000.0])
def test_a_tone_above_the_ceiling_stays_a_tone(hertz: float) -> None:
    tone = np.sin(2 * np.pi * hertz * np.arange(48000) / 48000 + 0.785)[None].astype(np.float32)
    out = play(tone, gain=2.0)[:, 10_000:-10_000]
    basis = np.stack([f(2 * np.pi * hertz * np.arange(48000) / 48000)[10_000:-10_000] for f in (np.sin, np.cos)])
    rest = out[0] - np.linalg.lstsq(basis.T, out[0], rcond=None)[0] @ basis
    assert 20 * np.log10(rest.std() / out.std()) < -40


def test_a_peak_leaves_what_is_far_from_it_alone() -> None:
    signal = noise(0.05)
    signal[:, 24_000] = 2.0
    out = play(signal)
    np.testing.assert_array_equal(out[:, : 24_000 - 500], signal[:, : 24_000 - 500])
    np.testing.assert_allclose(out[:, -500:], signal[:, -500:], rtol=0.02)


@pytest.mark.parametrize("size", [1, 240, 1000, 48000])
def test_blocks_equal_whole(size: int) -> None:
    loud = noise(0.5, 5000 if size == 1 else 96000)
    np.testing.assert_allclose(play(loud, size), play(loud), atol=1e-5)


def test_nothing_in_is_nothing_out() -> None:
    assert list(limited([], 48000, 1.0, -1.0)) == []
