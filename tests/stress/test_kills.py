"""The law of a killed batch: every output exactly once, none damaged, and a journal that agrees."""

from __future__ import annotations

from pathlib import Path

from tests.stress import cluster_kills
from tests.stress.kills import run


def test_a_batch_that_is_killed_again_and_again_comes_to_its_end(tmp_path: Path) -> None:
    verdict = run(tmp_path, files=40, kills=4, jobs=2, seed=2, longest_s=1.2)
    assert (verdict.missing, verdict.damaged, verdict.partial, verdict.printed) == ([], [], [], "")
    assert verdict.journal == 40
    assert min(verdict.kills) >= 1


def test_a_batch_on_a_cluster_that_is_killed_again_and_again_comes_to_its_end(tmp_path: Path) -> None:
    verdict = cluster_kills.run(tmp_path, files=20, kills=2, seed=3, longest_s=1.2)
    assert (verdict.missing, verdict.damaged, verdict.partial, verdict.printed) == ([], [], [], "")
    assert (verdict.journal, verdict.kills) == (20, (1, 1))
