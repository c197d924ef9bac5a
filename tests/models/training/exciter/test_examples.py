"""Laws of the examples of waveforms: repeatable, aligned, without anything above the crossover."""

from __future__ import annotations

import pytest
import torch

from models.exciters.ltv_layer import HOP, RATE
from models.training.data.corpus import Clip
from models.training.exciter.examples import WaveExample, WaveExamples, crop_48k, reaching
from tests.models.training.exciter.waveforms import tiny_corpus, tiny_run

QUIET_SCENE = {"gain_db": 0.0, "eq_share": 0.0, "noise_share": 0.0, "room_share": 0.0}
RUN = tiny_run(
    rows=4,
    seconds=0.3,
    degradation={"cutoff_low_hz": 4000.0, "cutoff_high_hz": 8000.0, "kinds": {"sinc": 1.0}, **QUIET_SCENE},
)


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> list[Clip]:
    return [clip for clip in tiny_corpus(tmp_path_factory.mktemp("corpus")) if clip.split == "train"]


@pytest.fixture(scope="module")
def batch(clips: list[Clip]) -> WaveExample:
    return WaveExamples(clips, RUN).batch(3)


def test_a_step_always_has_the_same_examples(clips: list[Clip], batch: WaveExample) -> None:
    again, other = WaveExamples(clips, RUN).batch(3), WaveExamples(clips, RUN).batch(4)
    assert torch.equal(again.degraded, batch.degraded)
    assert torch.equal(again.predicted_db, batch.predicted_db)
    assert again.crossovers_hz == batch.crossovers_hz
    assert not torch.equal(other.clean, batch.clean)


def test_shapes_fit_the_frames(batch: WaveExample) -> None:
    time = round(0.3 * RATE / HOP) * HOP
    assert batch.degraded.shape == batch.clean.shape == (4, time)
    assert batch.features_db.shape == batch.predicted_db.shape == (4, time // HOP + 1, 64)
    assert batch.bandwidths_hz.shape == (4,)


def test_recordings_that_end_too_low_are_left_out(clips: list[Clip]) -> None:
    chosen = reaching(clips, 16000.0)
    assert chosen
    assert all(clip.true_bandwidth_hz >= 16000.0 for clip in chosen)
    assert len(chosen) < len(clips)


def test_the_natural_end_of_a_lossless_recording_is_judged(batch: WaveExample) -> None:
    assert set(batch.bandwidths_hz.tolist()) <= {22050.0, 24000.0}


def test_nothing_is_left_above_and_all_is_left_well_below_the_crossover(batch: WaveExample) -> None:
    frequencies = torch.fft.rfftfreq(batch.clean.shape[1], 1 / RATE)
    window = torch.hann_window(batch.clean.shape[1])
    for row, crossover_hz in enumerate(batch.crossovers_hz):
        clean, degraded = (torch.fft.rfft(signal[row] * window) for signal in (batch.clean, batch.degraded))
        above, below = frequencies > 1.3 * crossover_hz, frequencies < 0.6 * crossover_hz
        assert float(degraded[above].abs().square().sum() / clean[above].abs().square().sum()) < 1e-4
        change = (degraded - clean)[below].abs().square().sum() / clean[below].abs().square().sum()
        assert float(change) < 1e-2


def test_predictions_differ_by_the_errors_of_a_predictor(clips: list[Clip], batch: WaveExample) -> None:
    error = batch.predicted_db - batch.features_db
    assert 1.0 < float(error.std()) < 7.0
    exact = WaveExamples(clips, RUN.model_copy(update={"error_db": 0.0, "wobble_db": 0.0})).batch(3)
    assert torch.equal(exact.predicted_db, exact.features_db)


def test_a_crop_is_mono_at_48_khz_whatever_the_clip(clips: list[Clip]) -> None:
    stereo = next(clip for clip in clips if clip.channels == 2)
    assert crop_48k(stereo, 4800, 1).shape == (1, 4800)
