"""A law of kernels that are bound: nobody looks at their arguments any more, so these must always have one type."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dsp.bandwidth.turns import Turn
from scripts.studies.count_hops import bound_kernels
from tests.models.extender.extenders import MOVED, music, prepared

SIZES = (1, 64, 255, 256, 257, 700, 4096)


@pytest.fixture
def types(monkeypatch: pytest.MonkeyPatch) -> dict[str, set[object]]:
    """The types of the arguments that each bound kernel has received."""
    seen: dict[str, set[object]] = defaultdict(set)

    def watch(function: Any) -> Any:
        def call(*arguments: object) -> object:
            seen[function.py_func.__qualname__].add(tuple(map(function.typeof_pyval, arguments)))
            return function(*arguments)

        return call

    for bound in bound_kernels():
        monkeypatch.setattr(bound, "call", watch(bound.function))
    return seen


def test_a_bound_kernel_always_gets_arguments_of_the_same_types(artifact: Path, types: dict[str, set[object]]) -> None:
    kinds: tuple[Any, ...] = (float, round, np.float32)
    for rate, channels in ((48000, 1), (44100, 2), (96000, 6)):
        for settings in ({name: kind(value) for name, value in MOVED.items()} for kind in kinds):
            extender, sound = prepared(artifact, rate, channels), music(rate, channels, 0.5)
            extender.set_bandwidth(9000.0, [[Turn(9000, 17000, 4000.0)]] * channels)
            at = 0
            for size in SIZES * 4:
                # With gaps in memory.
                extender.process(np.repeat(sound[:, at : at + size], 2, axis=1)[:, ::2], settings)
                at += size
            extender.process(sound[:, at:].astype(np.float64), settings)
            extender.set_bandwidth(None)
    assert len(types) >= 5
    assert {name: len(found) for name, found in types.items()} == dict.fromkeys(types, 1)
