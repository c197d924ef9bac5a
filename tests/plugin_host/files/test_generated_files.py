"""Hostile files drawn anew from seeds; `python -m tests.stress files` tries as many as you like."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.stress.hostile_files import draw, judge


@pytest.mark.parametrize("seed", range(120))
def test_a_right_result_or_one_sentence(tmp_path: Path, seed: int) -> None:
    for folder in ("in", "out"):
        (tmp_path / folder).mkdir()
    judge(draw(seed, tmp_path / "in"), tmp_path / "out", ".flac" if seed % 10 == 9 else ".wav")
