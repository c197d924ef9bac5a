"""Laws of silence in examples: what it leaves of a frame is what a window sees of a signal that is silent there."""

from __future__ import annotations

import numpy as np
import pytest

from dsp import bands
from models.training.data import silence
from models.training.data.features import levels_of

_FALL = 0.125
_HOP = bands.hop_samples(48000)


@pytest.mark.parametrize("spans", [[(-np.inf, 60.4)], [(80.2, 120.7)], [(40.0, 70.5), (60.25, 90.0), (140.0, 150.0)]])
def test_frames_lose_the_power_of_what_is_silent(spans: list[tuple[float, float]]) -> None:
    noise = np.random.default_rng(1).normal(0.0, 0.1, 200 * _HOP).astype(np.float32)
    gated = noise.copy()
    for start, end in spans:
        gated[max(0, round(max(start, 0) * _HOP)) : round(end * _HOP)] = 0.0
    kept = silence.keep(spans, 200, _FALL)
    for left, fall in zip(kept[:2], (_FALL, bands.HANN_FALL), strict=True):
        # A wide band at the top: its noise is steady enough to measure.
        whole_db, gated_db = (levels_of(part, 48000, fall)[:200, 40:60].astype(np.float32) for part in (noise, gated))
        lost_db = (10 * np.log10((10 ** (gated_db / 10)).mean(1) / (10 ** (whole_db / 10)).mean(1)))[5:-5]
        is_sound = left[5:-5] > 0.03
        assert np.abs(lost_db - 10 * np.log10(np.maximum(left[5:-5], 1e-12)))[is_sound].max() < 3.0
        assert lost_db[left[5:-5] == 0].max() < -55.0
    assert kept.tonality.min() >= 0.0


def test_draws_are_repeatable_and_of_both_kinds() -> None:
    drawn = [silence.draw(np.random.default_rng(seed), 100, _FALL) for seed in range(40)]
    again = [silence.draw(np.random.default_rng(seed), 100, _FALL) for seed in range(40)]
    assert all(np.array_equal(one.input, other.input) for one, other in zip(drawn, again, strict=True))
    begins = [bool(one.input[0] == 0) for one in drawn]
    assert 5 < sum(begins) < 35
    assert all(one.input.max() == pytest.approx(1.0) for one in drawn)
