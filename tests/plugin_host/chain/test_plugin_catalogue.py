"""Laws of the catalogue: what lies in the standard folders is found, named once, and nothing else counts."""

from __future__ import annotations

from pathlib import Path

import pytest

from plugin_host.chain import plugin_catalogue
from plugin_host.chain.plugin_catalogue import installed, is_installed
from plugin_host.chain.program import with_effects
from plugin_host.preset.file import Preset, PresetError


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    made = tmp_path / "vst3"
    for bundle in ("Zoom.vst3", "maker/Air.vst3", ".hidden/No.vst3", "a/b/c/Deep.vst3"):
        (made / bundle / "Contents" / "x86_64-linux").mkdir(parents=True)
    (made / "Zoom.vst3" / "Contents" / "x86_64-linux" / "Zoom.vst3").write_bytes(b"")
    (made / "one.vst3").write_bytes(b"")
    (made / "again").symlink_to(made / "maker", target_is_directory=True)
    (made / "readme.txt").write_text("no plug-in")
    monkeypatch.setattr(plugin_catalogue, "folders", lambda: [tmp_path / "missing", made, made])
    return made


def test_bundles_and_files_are_found_once_and_by_name(folder: Path) -> None:
    found = installed()
    assert [one.name for one in found] == ["Air", "one", "Zoom"]
    assert len({one.id for one in found}) == 3
    assert is_installed(str(folder / "one.vst3"))
    assert not is_installed(str(folder / "maker" / ".." / "one.vst3"))
    assert not is_installed(str(folder / "Zoom.vst3" / "Contents" / "x86_64-linux" / "Zoom.vst3"))


def test_only_what_is_installed_may_be_added_from_outside(folder: Path, tmp_path: Path) -> None:
    bare = Preset(name="Live")
    added = with_effects(bare, [{"plugin": str(folder / "one.vst3")}], [])
    assert added.before[0].title == "one"
    assert added.file is not None
    evil = tmp_path / "evil.vst3"
    evil.write_bytes(b"")
    for path in (str(evil), "one.vst3", str(folder / ".." / "evil.vst3")):
        with pytest.raises(PresetError, match="can't be added from outside"):
            with_effects(added, [{"plugin": str(folder / "one.vst3")}], [{"plugin": path}])
