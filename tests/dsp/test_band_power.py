"""Laws of the power in bands: floor, factor and top, and frames that overlap."""

from __future__ import annotations

import numpy as np
import pytest

from dsp import bands
from dsp.band_power import FLOOR_POWER, BandPower
from dsp.fft import Array


def powers(measure: BandPower, frames: Array) -> Array:
    """Measure frames that lie one behind the other, shape (channels, frames, samples)."""
    channels, count, samples = frames.shape
    return measure(frames.reshape(channels, -1), 0, samples, count)


def test_floor_and_factor() -> None:
    silence = np.zeros((1, 1, 512), np.float32)
    assert powers(BandPower(48000, 512), silence) == pytest.approx(FLOOR_POWER)
    assert powers(BandPower(48000, 512, 1e-9, factor=0.25), silence) == pytest.approx(0.25e-9)
    noise = np.random.default_rng(0).standard_normal((2, 3, 512)).astype(np.float32)
    whole, part = powers(BandPower(48000, 512), noise), powers(BandPower(48000, 512, factor=0.25), noise)
    np.testing.assert_allclose(part, 0.25 * whole, rtol=1e-5)


def test_the_top_is_lifted_above_nyquist_alone() -> None:
    noise = np.random.default_rng(0).standard_normal((1, 1, 470)).astype(np.float32)
    plain, lifted = (powers(BandPower(44100, 470, lifts_top=is_lifted), noise)[0, 0] for is_lifted in (False, True))
    above = bands.band_centres_hz() >= 22050
    assert above.any()
    np.testing.assert_array_equal(lifted[~above], plain[~above])
    np.testing.assert_allclose(lifted[above], plain[~above][-1], rtol=1e-6)
    assert plain[above] == pytest.approx(FLOOR_POWER)


def test_frames_may_overlap() -> None:
    noise = np.random.default_rng(0).standard_normal((2, 2000)).astype(np.float32)
    measure = BandPower(48000, 512)
    for frame, together in enumerate(measure(noise, 30, 100, 5).swapaxes(0, 1)):
        np.testing.assert_allclose(measure(noise, 30 + 100 * frame, 100, 1)[:, 0], together, rtol=1e-5)
