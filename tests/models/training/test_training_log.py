"""Laws of the training log: lines always, and a board where it is installed."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
import torch

from models.training.training_log import TrainingLog, picture


def test_lines_are_added_to_those_of_the_run_before(tmp_path: Path) -> None:
    for step in (1, 2):
        log = TrainingLog(tmp_path)
        log.line(step, {"loss": 0.12345})
        log.close()
    lines = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert lines == [{"step": 1, "loss": 0.1235}, {"step": 2, "loss": 0.1235}]


def test_the_board_holds_values_sounds_and_pictures(tmp_path: Path) -> None:
    pytest.importorskip("tensorboard")
    log = TrainingLog(tmp_path)
    log.line(1, {"loss": 1.0})
    log.sound(1, "restored", torch.randn(4800))
    log.close()
    written = b"".join(file.read_bytes() for file in (tmp_path / "board").iterdir())
    assert all(name in written for name in (b"loss", b"restored", b"PNG", b"RIFF"))


def test_without_a_board_the_lines_are_enough(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)
    log = TrainingLog(tmp_path)
    log.line(1, {"loss": 1.0})
    log.sound(1, "restored", torch.randn(4800))
    log.close()
    assert [file.name for file in tmp_path.iterdir()] == ["log.jsonl"]


def test_a_full_scale_tone_is_white_in_the_picture_and_silence_is_black() -> None:
    time = torch.arange(24000) / 48000
    image = picture(torch.cos(2 * torch.pi * 12000 * time))
    assert image.shape[:2] == (1, 513)
    assert float(image[0, 256, 20]) > 0.99
    assert not picture(torch.zeros(24000)).any()
    # High frequencies are on top.
    high = picture(torch.cos(2 * torch.pi * 20000 * time))
    assert int(high[0, :, 20].argmax()) < 100
