"""Laws of the loudness meter: the figures of pyloudnorm, however often one looks."""

from __future__ import annotations

import numpy as np
import pyloudnorm
import pytest

from plugin_host.metering.levels import Meter

RATE = 48000


def noise(seconds: float, level: float = 0.1) -> np.ndarray:
    return (level * np.random.default_rng(3).standard_normal((2, round(seconds * RATE)))).astype(np.float32)


def read(meter: Meter, sound: np.ndarray, block: int) -> dict[str, float | None]:
    for start in range(0, sound.shape[1], block):
        meter.update(sound[:, start : start + block])
        figures: dict[str, float | None] = meter.levels()["lufs"]
    return figures


@pytest.mark.parametrize("block", [480, 512, 1601, 9600])
def test_loudness_is_that_of_pyloudnorm_whatever_the_blocks(block: int) -> None:
    sound = noise(6.0)
    expected = pyloudnorm.Meter(RATE).integrated_loudness(sound.T.astype(np.float64))
    figures = read(Meter(RATE, 2), sound, block)
    assert figures == {"momentary": pytest.approx(expected, abs=0.2), "short": pytest.approx(expected, abs=0.1)}


def test_each_window_needs_its_time_and_silence_has_no_loudness() -> None:
    meter = Meter(RATE, 2)
    assert read(meter, noise(0.35), 480) == {"momentary": None, "short": None}
    figures = read(meter, noise(1.0), 480)
    assert figures["momentary"] is not None
    assert figures["short"] is None
    assert read(meter, noise(5.0, 0.0), 480) == {"momentary": None, "short": None}


def test_who_looks_too_seldom_begins_anew() -> None:
    meter = Meter(RATE, 2)
    assert read(meter, noise(4.0), 480)["short"] is not None
    for start in range(0, RATE, 480):
        meter.update(noise(1.0)[:, start : start + 480])
    assert meter.levels()["lufs"] == {"momentary": None, "short": None}
