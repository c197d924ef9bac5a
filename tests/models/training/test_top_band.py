"""Laws of the measures of the generated band: the truth is perfect, and each measure sees the fault that it is for."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from models.training.top_band import NAMES, fast_tracking, measures, onset_table, onsets

RATE, CUTOFF_HZ, TOP_HZ = 48000, 8000.0, 20000.0


def noise(seconds: float = 2.0, seed: int = 0) -> NDArray[np.float32]:
    return (0.05 * np.random.default_rng(seed).standard_normal((1, round(seconds * RATE)))).astype(np.float32)


def voice(seconds: float = 2.0) -> NDArray[np.float32]:
    time = np.arange(round(seconds * RATE)) / RATE
    lines = [np.cos(2 * np.pi * 200 * k * time + k * k) for k in range(1, 110)]
    return np.asarray(0.01 * np.sum(lines, axis=0)[None], dtype=np.float32)


def strokes() -> NDArray[np.float32]:
    """Return noise in strokes of 0.2 s that begin at once, over noise 60 dB below."""
    gate = np.where(np.arange(2 * RATE) % (RATE // 2) < RATE // 5, 1.0, 1e-3)
    return (noise() * np.roll(gate, RATE // 4)).astype(np.float32)


def of(clean: NDArray[np.float32], estimate: NDArray[np.float32]) -> dict[str, float]:
    return measures(clean, estimate, CUTOFF_HZ, TOP_HZ)


def test_the_truth_is_perfect() -> None:
    measured = of(strokes(), strokes())
    assert set(measured) == set(NAMES)
    assert measured["bias_db"] == measured["error_db"] == 0.0
    assert measured["tracking"] == pytest.approx(1.0)
    assert all(measured[name] == 0.0 for name in NAMES if name.startswith("onset"))
    assert measured["peakiness_db"] == measured["peakiness_clean_db"]


def test_a_level_that_is_off_is_bias_and_one_that_sways_is_error() -> None:
    sway = np.where(np.arange(2 * RATE) // (RATE // 4) % 2, 10 ** (6 / 20), 10 ** (-6 / 20)).astype(np.float32)
    loud, swaying = of(noise(), noise() * np.float32(2.0)), of(noise(), noise() * sway)
    assert loud["bias_db"] == pytest.approx(6.02, abs=0.05)
    assert swaying["error_db"] == pytest.approx(6.0, abs=0.5)
    assert abs(swaying["bias_db"]) < 1.0


def test_lines_differ_from_noise() -> None:
    measured = of(voice(), noise())
    assert measured["peakiness_db"] == pytest.approx(6.3, abs=0.6)
    assert measured["peakiness_clean_db"] > 12
    assert measured["harmonicity_clean"] > 0.8
    assert measured["harmonicity"] < 0.15


def test_a_ghost_shows_before_onsets_and_a_blunt_attack_at_them() -> None:
    clean = strokes()
    early, late = np.roll(clean, -RATE // 50, 1), np.roll(clean, RATE // 100, 1)
    assert of(clean, early)["onset-10ms_db"] > 20
    assert of(clean, late)["onset+0ms_db"] < -20
    assert of(clean, late)["onset-30ms_db"] == pytest.approx(0.0, abs=3.0)


def test_onsets_are_where_the_level_begins_to_rise() -> None:
    levels = np.full(400, -80.0)
    levels[100:140], levels[300:340] = -20.0, -25.0
    assert onsets(levels).tolist() == [100, 300]
    assert onset_table(levels, levels + 3.0)[0] == pytest.approx(3.0)
    assert len(onsets(np.full(400, -20.0))) == 0


def test_fast_tracking_does_not_mind_what_is_slow() -> None:
    rng = np.random.default_rng(1)
    fast, drift = rng.normal(-30, 4, 600), 10 * np.sin(np.arange(600) / 60)
    assert fast_tracking(fast, fast + drift) > 0.95
    assert abs(fast_tracking(fast, rng.normal(-30, 4, 600))) < 0.15


def test_a_clip_without_a_top_is_not_judged() -> None:
    assert all(np.isnan(value) for value in measures(noise(), noise(), CUTOFF_HZ, 8500.0).values())
