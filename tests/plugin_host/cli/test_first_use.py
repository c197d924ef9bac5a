"""Laws of the first use: the wait for the compiler is announced once, and to people only."""

from __future__ import annotations

from pathlib import Path

import pytest

from plugin_host.cli.common.first_use import announce_compiling


@pytest.mark.parametrize(
    ("is_terminal", "file", "is_announced"),
    [(True, "", True), (True, "extender.pyc", True), (True, "extender._play-1.nbi", False), (False, "", False)],
)
def test_it_is_announced_where_nothing_is_compiled_yet(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
    is_terminal: bool, file: str, is_announced: bool,
) -> None:  # fmt: skip
    cache = tmp_path / "__pycache__"
    cache.mkdir()
    if file:
        (cache / file).touch()
    monkeypatch.setattr("sys.stderr.isatty", lambda: is_terminal)
    announce_compiling(cache)
    assert ("compiling for this machine" in capsys.readouterr().err) == is_announced
