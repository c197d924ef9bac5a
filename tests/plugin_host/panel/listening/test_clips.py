"""The clips of the front page: each is dull, bright and clean, together to the sample, and named with its credit."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
import soundfile

from plugin_host.panel.listening.excerpts import Excerpt, load_excerpts
from plugin_host.panel.listening.groups import Group, find_groups

ROOT = Path(__file__).resolve().parents[4]
CLIPS = ROOT / "docs" / "clips"
GROUPS = find_groups([CLIPS])


def top_db(excerpt: Excerpt) -> float:
    """The level above 9 kHz against all of it."""
    samples, rate = soundfile.read(io.BytesIO(excerpt.wav), always_2d=True)
    power = np.abs(np.fft.rfft(samples[:, 0])) ** 2
    return 10.0 * float(np.log10(power[round(9000 * len(samples) / rate) :].sum() / power.sum()))


@pytest.mark.parametrize("group", GROUPS, ids=lambda group: group.name)
def test_a_clip_is_dull_bright_and_clean_and_aligned(group: Group) -> None:
    made = {one.version: one for one in load_excerpts(group, 0.0, 10.0)}
    assert sorted(made) == ["bright", "clean", "dull"]
    assert {one.shift_samples for one in made.values()} == {0}
    assert top_db(made["dull"]) < min(top_db(made["bright"]), top_db(made["clean"])) - 20.0


def test_every_clip_is_linked_and_credited() -> None:
    readme, credits = (path.read_text(encoding="utf-8") for path in (ROOT / "README.md", CLIPS / "CREDITS.md"))
    assert len(GROUPS) == 3
    for group in GROUPS:
        assert f"| {group.name} |" in credits
        assert all(path.relative_to(ROOT).as_posix() in readme for path in group.versions.values())
    assert len(readme.encode()) < 10_000
