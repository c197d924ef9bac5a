"""Laws of the soft edge, on signals made here: it is an octave below where what plays sinks into steady noise."""

from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.typing import NDArray

from dsp.bandwidth.meter import BandwidthMeter
from dsp.bandwidth.tracker import BandwidthTracker
from dsp.fft import Array

RATE = 48000


def syllables(seconds: float, rate: int = RATE) -> NDArray[np.float64]:
    """Return noise that rises and falls like speech."""
    count = round(seconds * rate)
    swing = 0.01 + np.sin(math.pi * 4 * np.arange(count) / rate) ** 2
    spoken: NDArray[np.float64] = 0.2 * swing * np.random.default_rng(0).standard_normal(count)
    return spoken


def falling(
    noise_hz: float, seconds: float = 10.0, rate: int = RATE, db_per_octave: float = 18.0, wall_hz: float = 1e9
) -> Array:
    """Return syllables that fall from 1 kHz on until they sink into hiss at a frequency."""
    sound = syllables(seconds, rate)
    spectrum, hertz = np.fft.rfft(sound), np.fft.rfftfreq(len(sound), 1 / rate)
    fall_db = db_per_octave * np.log2(np.maximum(hertz, 1000.0) / 1000.0)
    depth_db = db_per_octave * math.log2(noise_hz / 1000.0)
    hiss = 0.2 * 10 ** (-depth_db / 20) * np.random.default_rng(1).standard_normal(len(sound))
    dull = np.fft.irfft((spectrum * 10 ** (-fall_db / 20) + np.fft.rfft(hiss)) * (hertz < wall_hz), len(sound))
    return dull[None].astype(np.float32)


def measured(samples: Array, rate: int = RATE) -> tuple[float, float]:
    """Return the edge without and with soft ones."""
    meter = BandwidthMeter(rate)
    meter.add(samples)
    return meter.edge_hz(), meter.edge_hz(finds_soft=True)


@pytest.mark.parametrize("rate", [44100, 48000, 96000])
@pytest.mark.parametrize("noise_hz", [7000, 9000, 12000])
def test_a_band_begins_an_octave_below_the_noise(rate: int, noise_hz: int) -> None:
    hard_hz, soft_hz = measured(falling(noise_hz, rate=rate), rate)
    assert hard_hz == rate / 2
    # The grid is a quarter octave, and a loud syllable comes through a little above.
    assert abs(math.log2(soft_hz / (noise_hz / 2))) < 0.4


def test_hiss_that_was_cut_off_itself_hides_nothing() -> None:
    hard_hz, soft_hz = measured(falling(7000, wall_hz=15000))
    assert hard_hz == pytest.approx(15000, rel=0.02)
    assert abs(math.log2(soft_hz / 3500)) < 0.4


@pytest.mark.parametrize(
    "sound",
    [
        pytest.param(syllables(10.0), id="full-band"),
        pytest.param(0.1 * np.random.default_rng(2).standard_normal(10 * RATE), id="steady noise"),
        pytest.param(falling(60000, db_per_octave=6.0)[0], id="sinks where nobody listens"),
        pytest.param(np.zeros(10 * RATE), id="silence"),
        pytest.param(0.1 * np.sin(np.arange(10 * RATE) / 20), id="a lone tone"),
        pytest.param(falling(8000, seconds=1.0)[0], id="too short to be sure"),
    ],
)
def test_without_evidence_there_is_no_soft_edge(sound: NDArray[np.float64]) -> None:
    hard_hz, soft_hz = measured(sound[None].astype(np.float32))
    assert soft_hz == hard_hz


def test_a_cut_is_where_it_was() -> None:
    hard_hz, soft_hz = measured(falling(60000, db_per_octave=3.0, wall_hz=8000))
    assert hard_hz == soft_hz == pytest.approx(8000, rel=0.02)


def test_live_it_is_found_once_and_at_the_same_place() -> None:
    sound = falling(8000, seconds=15.0)
    tracker = BandwidthTracker(RATE)
    tracker.finds_soft = True
    edges = [tracker.update(sound[:, start : start + 480]) for start in range(0, sound.shape[1], 480)]
    assert edges[-1] == pytest.approx(measured(sound)[1], rel=0.2)
    assert edges[-1] < RATE / 2
    assert len(set(edges)) == 2
    assert set(edges[:100]) == {RATE / 2}
