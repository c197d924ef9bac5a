"""Laws of training: a run that was stopped and resumed equals one that never stopped."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
from safetensors.torch import load_file

from dsp.bands import FLOOR_DB, band_centres_hz
from models.predictor.network import Predictor
from models.training.checkpoint import averaged_weights
from models.training.data.augmentation import AugmentationConfig, Examples
from models.training.data.features import ClipFeatures
from models.training.predictor import train as loop
from models.training.predictor.run import RunConfig

RUN = RunConfig(
    name="tiny",
    steps=6,
    rows=4,
    save_every=3,
    settle=5,
    warm_up=2,
    predictor={"width": 8, "hidden": 8, "dropout": 0.3},
    augmentation={"frames": 30},
)


def clips() -> list[ClipFeatures]:
    rng = np.random.default_rng(2)
    return [
        ClipFeatures(
            rng.normal(-60, 12, (100, 64)).astype(np.float16),
            rng.integers(0, 256, (100, 64)).astype(np.uint8),
            bandwidth_hz,
            48000.0,
            category,
            "Here",
            "nobody",
            rng.integers(0, 256, (51, 12)).astype(np.uint8),
        )
        for category in ("speech", "instrument")
        for bandwidth_hz in (14000.0, 22000.0)
    ]


def trained(home: Path) -> dict[str, torch.Tensor]:
    home.mkdir(exist_ok=True)
    loop.train(RUN, clips(), clips(), home)
    return averaged_weights(home / "last.safetensors")[0]


def test_a_resumed_run_equals_one_that_never_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = trained(tmp_path / "whole")

    def stop(home: Path, line: dict[str, object]) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(loop, "_log", stop)
        with pytest.raises(KeyboardInterrupt):
            trained(tmp_path / "stopped")
    assert averaged_weights(tmp_path / "stopped" / "last.safetensors")[1] == 3
    resumed = trained(tmp_path / "stopped")
    assert resumed.keys() == expected.keys()
    assert all(torch.equal(resumed[name], expected[name]) for name in expected)
    # The optimiser's state too, so that they stay equal.
    first, last = (load_file(tmp_path / name / "last.safetensors") for name in ("whole", "stopped"))
    assert first.keys() == last.keys()
    assert all(torch.equal(first[name], last[name]) for name in first)


def test_the_log_holds_every_evaluation(tmp_path: Path) -> None:
    trained(tmp_path / "tiny")
    lines = [json.loads(line) for line in (tmp_path / "tiny" / "log.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines] == [3, 6]
    assert set(lines[-1]["valid"]) == {"speech", "instrument"}


def test_the_learning_rate_warms_up_and_comes_down() -> None:
    rates = [loop.learning_rate(RUN, step) for step in range(RUN.steps)]
    assert rates[0] < rates[1]
    assert rates[1:] == sorted(rates[1:], reverse=True)
    assert max(rates) <= RUN.rate


def test_another_run_does_not_go_on_from_this_one(tmp_path: Path) -> None:
    trained(tmp_path / "tiny")
    with pytest.raises(ValueError, match="other settings"):
        loop.train(RUN.model_copy(update={"seed": 9}), clips(), clips(), tmp_path / "tiny")


def test_examples_are_repeatable_and_ranks_share_them_out() -> None:
    examples = Examples(clips(), RUN.examples(), 3, seed=1)
    whole = examples.batch(5, 4)
    again = Examples(clips(), RUN.examples(), 3, seed=1).batch(5, 4)
    assert all(torch.equal(one, other) for one, other in zip(whole, again, strict=True))
    assert not torch.equal(whole.levels_db, examples.batch(6, 4).levels_db)
    for rank in range(2):
        share = examples.batch(5, 4, rank, 2)
        assert all(torch.equal(one, other[rank::2]) for one, other in zip(share, whole, strict=True))


def test_examples_judge_only_what_is_masked() -> None:
    batch = Examples(clips(), RUN.examples(), 3, seed=1).batch(0, 16)
    assert (
        batch.levels_db.shape
        == batch.target_db.shape
        == batch.tonality.shape
        == batch.harmonicity.shape
        == (16, 30, 64)
    )
    assert not (batch.mask * batch.weight).any()
    assert bool((batch.weight.sum(-1) > 0).all())
    for share in (batch.tonality, batch.harmonicity, batch.frame_weight):
        assert bool(((share >= 0) & (share <= 1)).all())


def test_silence_counts_for_nothing_and_stands_at_the_floor() -> None:
    gated = AugmentationConfig(frames=30, silence_share=1.0, noise_share=0.0, slope_share=0.0, thin_share=0.0)
    batch = Examples(clips(), gated, 0, seed=1).batch(0, 16)
    is_silent = (batch.levels_db == FLOOR_DB).all(-1)
    assert 0.05 < float(is_silent.float().mean()) < 0.8
    assert not batch.frame_weight[is_silent].any()


def test_caution_goes_by_category() -> None:
    careful = AugmentationConfig(frames=30, caution={"instrument": 1.5})
    speech, instrument = clips()[:2], clips()[2:]
    assert set(Examples(speech, careful, 3, seed=1).batch(0, 4).caution.flatten().tolist()) == {1.0}
    assert set(Examples(instrument, careful, 3, seed=1).batch(0, 4).caution.flatten().tolist()) == {1.5}


def test_caution_goes_over_into_that_of_low_cutoffs() -> None:
    careful = AugmentationConfig(frames=30, caution={"instrument": 1.6}, low_caution={"instrument": 0.4})
    batch = Examples(clips()[2:], careful, 3, seed=1).batch(0, 64)
    lowest = (batch.weight[:, 0] > 0).float().argmax(-1)
    caution = batch.caution.flatten()
    assert {0.4, 1.6} < {round(float(value), 6) for value in caution}
    # The higher the cutoff, the more it is the usual one's.
    means = torch.stack([caution[lowest == band].mean() for band in lowest.unique()])
    assert bool((means.diff() > -1e-6).all())
    assert float(caution[lowest == lowest.min()].max()) == pytest.approx(0.4)


def test_a_recording_is_changed_as_much_as_its_category_says() -> None:
    config = AugmentationConfig(frames=30, silence_share=0.0, strength={"instrument": 0.0})
    speech, instrument = (replace(clip, levels_db=np.full_like(clip.levels_db, -60.0)) for clip in clips()[1::2])
    speech_db, instrument_db = (
        Examples([clip], config, 0, seed=1).batch(0, 16).target_db for clip in (speech, instrument)
    )
    # Its gain is another each time; nothing else is.
    assert float((instrument_db - instrument_db[:, :1, :1]).abs().max()) < 1e-3
    assert float((speech_db[:, 0, 10] - speech_db[:, 0, 30]).abs().mean()) > 2.0


def test_half_of_the_cutoffs_are_those_of_the_named_rates() -> None:
    examples = Examples(clips(), AugmentationConfig(frames=30, rates_hz=(8000.0,)), 0, seed=1)
    lowest = (examples.batch(0, 128).weight[:, 0] > 0).float().argmax(-1)
    lowest_hz = band_centres_hz()[lowest.numpy()]
    assert 0.5 < float(np.mean((lowest_hz > 3600.0) & (lowest_hz < 4500.0))) < 0.75


def test_the_predictor_sees_the_input_and_is_judged_by_the_whole() -> None:
    clip = clips()[0]
    network = Predictor(RUN.extender().predictor).eval()
    device = torch.device("cpu")
    with torch.inference_mode():
        inputs = (None, clip.levels_db, clip.levels_db[::-1].copy())
        alone, same, other = (
            loop.predicted(network, replace(clip, input_db=levels), 4000.0, device).distance(4000.0)
            for levels in inputs
        )
    assert same == alone
    assert other != alone


def test_a_corpus_without_a_train_split_is_refused_before_anything_is_made(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "voice.wav", np.zeros(48000), 48000)
    names = "path,source,licence,speaker,split,sample_rate,seconds,true_bandwidth_hz,category,language,channels,"
    row = "voice.wav,Here,CC0,nobody,valid,48000,1.0,20000,speech,en,1,,"
    (tmp_path / "MANIFEST.csv").write_text(f"{names}lossy_source,brickwall_hz\n{row}\n")
    run = tmp_path / "run.toml"
    run.write_text(f'name = "tiny"\nsynthesizers = 1\ncorpus = "{tmp_path}"\n')
    with pytest.raises(ValueError, match="no clip of split train"):
        loop.command(run, tmp_path / "runs", tmp_path / "cache")
    assert not (tmp_path / "cache").exists()


def test_quiet_frames_count_little() -> None:
    clip = clips()[0]
    levels = np.full_like(clip.levels_db, -20.0)
    levels[::2] = -70.0
    plain = AugmentationConfig(
        frames=30,
        noise_share=0.0,
        room_share=0.0,
        mix_share=0.0,
        compress_share=0.0,
        degraded_share=0.0,
        eq_db=0.0,
        silence_share=0.0,
        quiet_weight=0.1,
    )
    weights = Examples([replace(clip, levels_db=levels)], plain, 3, seed=1).batch(0, 4).frame_weight
    assert weights.unique().tolist() == pytest.approx([0.1, 1.0])
    assert float(weights.mean()) == pytest.approx(0.55)


def test_speakers_of_one_source_are_drawn_alike() -> None:
    few, many = clips()[:1], [replace(clip, speaker="another") for clip in clips()[:2] for _ in range(32)]
    examples = Examples(few + many, AugmentationConfig(mix_share=0.0), 3, seed=1)
    groups = examples._whole["speech"]
    assert set(groups) == {"Here/nobody", "Here/another"}
    drawn = [examples._pick(examples._whole, np.random.default_rng(seed)).speaker for seed in range(400)]
    assert 20 <= drawn.count("nobody") <= 80
