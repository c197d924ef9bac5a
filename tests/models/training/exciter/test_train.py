"""Laws of training on waveforms: a run that was stopped and resumed equals one that never stopped."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from models.exciters.two_stage import LearnedExtender
from models.training.data.corpus import Clip
from models.training.exciter.run import WaveformRun
from models.training.exciter.train import LAST, learning_rate, train, trained
from models.training.training_log import TrainingLog
from tests.models.training.exciter.waveforms import tiny_corpus, tiny_run


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> list[Clip]:
    return tiny_corpus(tmp_path_factory.mktemp("corpus"))


def run_to_its_end(run: WaveformRun, clips: list[Clip], home: Path) -> dict[str, torch.Tensor]:
    home.mkdir(exist_ok=True)
    training, judged = ([clip for clip in clips if clip.split == split] for split in ("train", "valid"))
    train(run, training, judged, home)
    return load_file(home / LAST)


def test_a_resumed_run_equals_one_that_never_stopped(
    clips: list[Clip], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The stop falls after the discriminators joined, so that their state counts as well.
    run = tiny_run()
    expected = run_to_its_end(run, clips, tmp_path / "whole")

    def stop(log: TrainingLog, step: int, values: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(TrainingLog, "line", stop)
        with pytest.raises(KeyboardInterrupt):
            run_to_its_end(run, clips, tmp_path / "stopped")
    resumed = run_to_its_end(run, clips, tmp_path / "stopped")
    assert resumed.keys() == expected.keys()
    assert [name for name in expected if not torch.equal(resumed[name], expected[name])] == []
    # Generator, discriminators, their optimiser and the balance of gradients are all in it.
    assert {name.split(".")[0] for name in expected} == {"network", "average", "optimiser"}
    parts = {name.split(".")[1] for name in expected if name.startswith("network")}
    assert parts == {"extender", "critics", "balancer"}


def test_the_generator_is_alone_at_first(clips: list[Clip], tmp_path: Path) -> None:
    run_to_its_end(tiny_run(alone=2), clips, tmp_path / "tiny")
    lines = [json.loads(line) for line in (tmp_path / "tiny" / "log.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines] == [2, 4, 4]
    assert "critics" not in lines[0]
    assert {"acoustic", "spectrum", "adversarial", "matching", "critics"} <= lines[1].keys()
    assert lines[2]["valid_lsd_hf"] > 0


def test_training_moves_every_part(clips: list[Clip], tmp_path: Path) -> None:
    run = tiny_run()
    after = run_to_its_end(run, clips, tmp_path / "tiny")
    torch.manual_seed(run.seed)
    before = LearnedExtender(run.extender()).state_dict()
    moved = [not torch.equal(before[name], after[f"average.{name}"]) for name in before]
    assert sum(moved) > 0.9 * len(moved)
    extender, step = trained(run, tmp_path)
    assert step == run.steps
    assert not extender.training


def test_the_learning_rate_warms_up_and_comes_down() -> None:
    run = tiny_run(steps=50, warm_up=5)
    rates = [learning_rate(run, step) for step in range(50)]
    assert rates[:5] == sorted(rates[:5])
    assert rates[5:] == sorted(rates[5:], reverse=True)
    assert max(rates) <= run.rate


def test_a_corpus_without_high_recordings_is_refused(clips: list[Clip], tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="reaches"):
        train(tiny_run(), [clip for clip in clips if clip.name == "low.wav"], [], tmp_path)
