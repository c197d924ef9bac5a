"""Laws of the state: an extender that is given another's state goes on with the same bits."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dsp.bandwidth.turns import Turn
from models.extender.extender import Extender
from models.state import SavedState, save_state
from tests.models.extender.extenders import MOVED, music, prepared

RATE, CUT = 48000, 20_011
TURNS = [[Turn(3000, 9000, 4000.0), Turn(19_000, 30_000, 4000.0)], [Turn(15_000, 33_000, 7000.0)]]


def fresh(base: Extender, turns: list[list[Turn]]) -> Extender:
    """Return an extender that is prepared as those of `prepared`, apart from them."""
    extender = base.sibling()
    extender.set_bandwidth(12_000.0, turns)
    extender.prepare(RATE, 2, RATE)
    return extender


@pytest.mark.parametrize("turns", [[], TURNS], ids=["one edge", "turns"])
@pytest.mark.parametrize("settings", [{}, {**MOVED, "crossover": 3300.0}], ids=["auto", "moved"])
def test_what_goes_on_from_a_state_has_the_same_bits(
    artifact: Path, turns: list[list[Turn]], settings: dict[str, float]
) -> None:
    base, sound = prepared(artifact, RATE, 2), music(RATE, 2, 0.8, edge_hz=3000.0)
    first, second = fresh(base, turns), fresh(base, turns)
    first.process(sound[:, :CUT], settings)
    content = save_state(first, done=CUT)
    expected = first.process(sound[:, CUT:], settings)
    saved = SavedState(content)
    saved.restore(second)
    assert saved.beside == {"done": CUT}
    np.testing.assert_array_equal(second.process(sound[:, CUT:], settings), expected)
    # What had no past sounds otherwise.
    assert np.abs(fresh(base, turns).process(sound[:, CUT:], settings) - expected).max() > 1e-4


def parts(part: object) -> Iterator[Any]:
    """Yield a part and those in it that have a state."""
    if hasattr(part, "STATE"):
        yield part
        for name in part.STATE:
            yield from parts(getattr(part, name))


def test_the_names_of_states_are_those_of_the_attributes(artifact: Path) -> None:
    for part in parts(prepared(artifact)):
        assert [name for name in part.STATE if not hasattr(part, name)] == []


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 and no more", b"noise" * 100])
def test_damaged_states_are_refused(content: bytes) -> None:
    with pytest.raises(ValueError, match="no saved state"):
        SavedState(content)


def test_a_part_without_a_state_is_refused() -> None:
    class Forgetful:
        STATE = ("past",)
        past = object()

    with pytest.raises(TypeError, match="object names no STATE"):
        save_state(Forgetful())
