"""ABX of two versions of what plays: a host plays them side by side; answers are judged as in a test of files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import platformdirs

from plugin_host.panel.listening.abx import Abx
from plugin_host.panel.listening.excerpts import Excerpt

_ITEM = "live"


class LiveAbx(Abx):
    """A test of one pair; see `Listening`.

    Args:
        versions: What the two are called; they differ.
        output: The CSV.
        rounds: Trials.
        seed: Of the order.
    """

    def __init__(self, versions: Sequence[str], output: Path, rounds: int, seed: int) -> None:
        # The host holds their sound.
        sounds = [Excerpt(version, b"", float("nan"), 0.0, 0) for version in versions]
        super().__init__({_ITEM: sounds}, output, rounds, seed)
        self._versions = tuple(versions)

    def set_levels(self, lufs: Sequence[float | None]) -> None:
        """Keep how loud the versions are given out, in LUFS, for the answers to come; None where that is unknown."""
        for version, level in zip(self._versions, lufs, strict=True):
            if level is not None:
                self.excerpts[_ITEM][version] = replace(self.excerpts[_ITEM][version], lufs=level)

    def side(self, word: str, button: str) -> int:
        """Return which of the two versions plays behind a button, "a", "b" or "x", in the trial that comes next."""
        session = self.session(word)
        return self._versions.index(session.trials[len(session.answers)].slots[button])


def answers_file() -> Path:
    """Return the CSV of the panel's tests; its folder is made where it is missing."""
    folder = Path(platformdirs.user_data_path("highband", appauthor=False)) / "listening"
    folder.mkdir(parents=True, exist_ok=True)
    return folder / "abx.csv"
