"""Laws of time: nothing is generated before the input's own onset, nothing clicks at it, and no ghost walks ahead."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from models.stage import Block
from tests.models.extender.extenders import prepared, whole

RATE = 48000
ONSET = RATE // 2
EDGE_HZ = 8000.0


def pink(seconds: float = 0.5) -> Block:
    """Return pink noise of -40 dBFS that ends at the edge, shape (1, samples)."""
    count = round(seconds * RATE)
    spectrum = np.fft.rfft(np.random.default_rng(3).standard_normal(count))
    hz = np.fft.rfftfreq(count, 1 / RATE)
    spectrum[1:] /= np.sqrt(hz[1:])
    spectrum[(hz > EDGE_HZ) | (hz < 20)] = 0
    sound = np.fft.irfft(spectrum, count)
    return np.asarray(0.01 * sound[None] / sound.std(), dtype=np.float32)


def generated(artifact: Path, sound: Block) -> Block:
    """Return the generated band in its place: without the latency."""
    extender = prepared(artifact, RATE, 1, EDGE_HZ)
    late = extender.latency_samples
    return whole(extender, np.pad(sound, ((0, 0), (0, late))), {"delta": 1.0})[:, late:]


def level_db(band: Block, start_ms: float, end_ms: float) -> float:
    """Return the level between two times after the onset."""
    first, last = (ONSET + round(ms * RATE / 1000) for ms in (start_ms, end_ms))
    return float(10 * np.log10(np.square(band[:, first:last].astype(np.float64)).mean() + 1e-20))


@pytest.mark.parametrize("lead", [0.0, 0.001], ids=["silence", "direct current"])
def test_nothing_is_generated_more_than_3_ms_before_an_onset_and_nothing_clicks(artifact: Path, lead: float) -> None:
    sound = np.concatenate([np.zeros((1, ONSET), np.float32), pink()], 1) + np.float32(lead)
    band = generated(artifact, sound)
    steady = level_db(band, 100, 400)
    assert level_db(band, -400, -3) < steady - 40
    assert max(level_db(band, ms, ms + 5) for ms in range(-3, 40)) < steady + 18


def test_a_burst_lifts_nothing_that_comes_before_it(artifact: Path) -> None:
    quiet = np.concatenate([pink(), pink()], 1) * np.float32(0.05)
    burst = quiet.copy()
    burst[:, ONSET:] *= 20
    with_burst, without = generated(artifact, burst), generated(artifact, quiet)
    for ms in range(-60, -3, 3):
        assert level_db(with_burst, ms, ms + 3) < level_db(without, ms, ms + 3) + 3


def test_an_attack_has_its_band_within_milliseconds(artifact: Path) -> None:
    sound = np.concatenate([pink() * np.float32(0.05), pink()], 1)
    band = generated(artifact, sound)
    assert level_db(band, 1, 6) > level_db(band, 100, 400) - 15
