"""The law of large manifests, with a small one: nothing is lost, and memory does not grow with the files."""

from __future__ import annotations

import tracemalloc
from pathlib import Path

from tests.stress.manifest import run


def test_memory_does_not_grow_with_the_manifest(tmp_path: Path) -> None:
    peaks = []
    for files in (300, 3000):
        tracemalloc.start()
        assert [cost.name for cost in run(tmp_path / str(files), files)] == ["plan", "note", "read back"]
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] - peaks[0] < 300 * 2700
