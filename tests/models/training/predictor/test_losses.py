"""Laws of the losses, on known numbers."""

from __future__ import annotations

import math

import pytest
import torch

from dsp.bands import BAND_COUNT
from models.training.predictor.losses import (
    NOISE_SPREAD,
    band_importance,
    envelope_loss,
    harmonicity_loss,
    level_db,
    level_loss,
    pooled_weight,
)

WEIGHT = (torch.arange(64) >= 40).float()[None, None]


@pytest.mark.parametrize("evenness", [0.0, 0.3, 1.0])
def test_importance_sums_to_one_over_the_judged_bands(evenness: float) -> None:
    importance = band_importance(WEIGHT, evenness)
    assert float(importance.sum()) == pytest.approx(1.0)
    assert not importance[WEIGHT == 0].any()
    assert not band_importance(torch.zeros(1, 1, 64), evenness).any()


def test_an_exact_envelope_leaves_the_spread_of_noise_and_10_db_cost_one() -> None:
    target = torch.randn(2, 9, 64)
    importance = band_importance(WEIGHT, 0.3)
    assert float(envelope_loss(target, target, importance)) == pytest.approx(math.sqrt(NOISE_SPREAD))
    assert float(envelope_loss(target + 10, target, importance)) == pytest.approx(math.sqrt(NOISE_SPREAD + 1))
    assert float(envelope_loss(target + 99 * (1 - WEIGHT), target, importance)) == pytest.approx(NOISE_SPREAD**0.5)


def test_caution_counts_what_is_too_loud_and_not_what_is_too_soft() -> None:
    target, importance = torch.randn(2, 9, 64), band_importance(WEIGHT, 0.3)
    caution = torch.tensor([1.0, 2.0])[:, None, None]
    loud, soft = (float(envelope_loss(target + error, target, importance, caution)) for error in (10, -10))
    once, twice = math.sqrt(NOISE_SPREAD + 1), math.sqrt(NOISE_SPREAD + 4)
    assert loud == pytest.approx((once + twice) / 2)
    assert soft == pytest.approx(once)


def test_tonality_is_judged_by_its_squared_error() -> None:
    target = torch.rand(2, 9, 64)
    assert float(harmonicity_loss(target + 0.5, target, band_importance(WEIGHT, 1.0))) == pytest.approx(0.25)


def test_the_level_is_that_of_the_sum_of_powers() -> None:
    levels = torch.zeros(1, 1, BAND_COUNT)
    levels[..., -1] = 20.0
    share = float(band_importance(WEIGHT, 0.0).flatten()[-1])
    expected = 10 * math.log10(1 + 99 * share)
    assert float(level_db(levels, WEIGHT)) == pytest.approx(expected, abs=1e-4)
    assert float(level_loss(levels, levels + 10.0, WEIGHT)) == pytest.approx(math.sqrt(1.01) - 0.1, abs=1e-4)


def test_frames_count_as_much_as_their_weight() -> None:
    target = torch.zeros(1, 2, BAND_COUNT)
    wrong = target.clone()
    wrong[:, 1] = 10.0
    counts = torch.tensor([[1.0, 0.0]])
    assert float(level_loss(wrong, target, WEIGHT, counts)) == pytest.approx(0.0, abs=1e-6)
    assert float(envelope_loss(wrong, target, band_importance(WEIGHT, 1.0), 1.0, counts)) == pytest.approx(
        math.sqrt(NOISE_SPREAD), abs=1e-5
    )
    assert pooled_weight(counts, 1) is counts
    assert float(pooled_weight(torch.tensor([[1.0, 0.0, 0.0, 1.0]]), 2)[0, 0]) == 0.5
