"""Laws of the predictor: it is causal, goes on where it stopped, and does not look at masked bands."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from dsp.bands import BAND_COUNT
from models.exciters.torch_bands import band_mask
from models.predictor.config import NEAR_BANDS, TONE_GROUPS, PredictorConfig
from models.predictor.network import Predictor, near_crossover, reference_db, tones_below

FRAMES = 30
MASK = band_mask(48000, 0.0, 6000.0)[None, None]
TONES = torch.rand(2, FRAMES, BAND_COUNT, generator=torch.Generator().manual_seed(1))


@pytest.fixture
def predictor() -> Predictor:
    return Predictor(PredictorConfig(width=24, hidden=24, layers=2, kernel=5, horizon=-4, is_held=True)).eval()


def levels() -> Tensor:
    return -60 + 15 * torch.randn(2, FRAMES, BAND_COUNT)


@torch.inference_mode()
def test_it_is_causal(predictor: Predictor) -> None:
    seen = levels()
    changed = seen.clone()
    changed[:, 20:] = levels()[:, 20:]
    one, other = (predictor(given, TONES, MASK, predictor.start(2))[0] for given in (seen, changed))
    torch.testing.assert_close(one.levels_db[:, :20], other.levels_db[:, :20])
    assert float((one.levels_db[:, 20:] - other.levels_db[:, 20:]).abs().max()) > 0.1


@torch.inference_mode()
@pytest.mark.parametrize("chunk", [1, 2, 7])
def test_chunks_equal_the_whole(predictor: Predictor, chunk: int) -> None:
    seen, past = levels(), predictor.start(2)
    expected, last = predictor(seen, TONES, MASK, past)
    parts = []
    for part, tones in zip(seen.split(chunk, 1), TONES.split(chunk, 1), strict=True):
        envelope, past = predictor(part, tones, MASK, past)
        parts.append(envelope)
    torch.testing.assert_close(torch.cat([part.levels_db for part in parts], 1), expected.levels_db)
    torch.testing.assert_close(torch.cat([part.tonality for part in parts], 1), expected.tonality)
    torch.testing.assert_close(past, last)


@torch.inference_mode()
def test_masked_bands_do_not_matter(predictor: Predictor) -> None:
    seen = levels()
    other = torch.where(MASK > 0, seen, 40.0)
    other_tones = torch.where(MASK > 0, TONES, 1.0)
    assert torch.equal(
        predictor(seen, TONES, MASK, predictor.start(2))[0][0],
        predictor(other, other_tones, MASK, predictor.start(2))[0][0],
    )


@torch.inference_mode()
def test_predictions_are_in_range(predictor: Predictor) -> None:
    for seen in (levels(), torch.full((2, FRAMES, BAND_COUNT), -120.0), 1000 * levels()):
        parts, _ = predictor(seen, TONES, MASK, predictor.start(2))
        assert parts.levels_db.isfinite().all()
        assert bool(((parts.tonality >= 0) & (parts.tonality <= 1)).all())


def test_the_reference_is_the_mean_of_the_trusted_bands() -> None:
    seen = levels()
    trusted = MASK[0, 0].bool()
    torch.testing.assert_close(reference_db(seen, MASK), seen[..., trusted].mean(-1, keepdim=True))
    assert not reference_db(seen, torch.zeros_like(MASK)).any()


def test_the_bands_near_the_crossover_are_counted_down_from_the_highest_trusted_one() -> None:
    bands_by_index = torch.arange(float(BAND_COUNT)).expand(1, 2, 1, BAND_COUNT)
    mask = torch.zeros(1, 2, BAND_COUNT)
    mask[:, 0, :40] = 1.0
    mask[:, 1, :3] = 1.0
    near = near_crossover(bands_by_index, mask)
    assert near[0, 0, 0].tolist() == list(range(39, 39 - NEAR_BANDS, -1))
    assert near[0, 1, 0].tolist() == [2.0, 1.0] + [0.0] * (NEAR_BANDS - 2)


@torch.inference_mode()
def test_a_burst_lifts_no_frame_that_was_before_it(predictor: Predictor) -> None:
    quiet = torch.full((1, FRAMES, BAND_COUNT), -90.0)
    burst = quiet.clone()
    burst[:, 20:] = -20.0
    # Silences every feature, so that what is left is what levels are predicted against.
    torch.nn.init.zeros_(predictor.enter.weight)
    parts, _ = predictor(burst, TONES[:1], MASK, predictor.start(1))
    steady, _ = predictor(quiet, TONES[:1], MASK, predictor.start(1))
    torch.testing.assert_close(parts.levels_db[:, :24], steady.levels_db[:, :24])
    torch.testing.assert_close(parts.levels_db[:, 24:], steady.levels_db[:, 24:] + 70.0)


def test_tonality_is_seen_by_groups_of_bands_below_the_crossover() -> None:
    tonality = torch.arange(float(BAND_COUNT)).expand(1, 2, BAND_COUNT)
    mask = torch.zeros(1, 2, BAND_COUNT)
    mask[:, 0, :40] = 1.0
    mask[:, 0, 38] = 0.0
    mask[:, 1, :5] = 1.0
    below = tones_below(tonality, mask)
    assert below.shape == (1, 2, TONE_GROUPS)
    assert float(below[0, 0, 0]) == pytest.approx((39 + 37 + 36 + 35 + 34 + 33 + 32) / 7)
    assert float(below[0, 0, 1]) == pytest.approx(27.5)
    assert below[0, 1].tolist() == [2.0] + [0.0] * (TONE_GROUPS - 1)


@torch.inference_mode()
def test_lines_go_on_above_the_crossover(predictor: Predictor) -> None:
    seen = levels()
    lines, _ = predictor(seen, torch.ones_like(seen), MASK, predictor.start(2))
    assert float(lines.tonality.min()) == 1.0
    noise, _ = predictor(seen, torch.zeros_like(seen), MASK, predictor.start(2))
    assert float(noise.tonality.max()) < 1.0
