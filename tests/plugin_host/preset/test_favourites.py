"""Favourite presets: kept beside the person's presets, and a damaged file costs nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

from plugin_host.control import host as hosts
from plugin_host.preset.favourites import favourites, mark_favourite
from plugin_host.preset.file import PresetError, list_presets, load_preset
from plugin_host.settings.changes import SettingsError
from tests.plugin_host.fake_host import client, running


@pytest.fixture
def home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    return tmp_path / "highband"


def test_favourites_are_kept_and_are_no_presets(home: Path) -> None:
    assert favourites() == frozenset()
    count = len(list_presets())
    mark_favourite("old-tape", True)
    mark_favourite("dull-vocal", True)
    mark_favourite("old-tape", False)
    assert favourites() == {"dull-vocal"}
    assert len(list_presets()) == count
    assert [one["name"] for one in hosts.list_presets() if one["favourite"]] == ["dull-vocal"]


@pytest.mark.parametrize("damage", [b"", b"{}", b'[1, "old-tape"', b"\xff", b'{"a": 1}'])
def test_a_damaged_file_is_written_anew(home: Path, damage: bytes) -> None:
    home.mkdir()
    (home / "favourites.json").write_bytes(damage)
    assert favourites() == frozenset()
    mark_favourite("old-tape", True)
    assert favourites() == {"old-tape"}


def test_what_is_no_preset_is_refused_and_so_is_a_folder_that_cannot_be_written(home: Path) -> None:
    with pytest.raises(SettingsError, match="no preset 'nonsense'"):
        hosts.mark_favourite("nonsense", True)
    home.write_bytes(b"a file where the folder should be")
    with pytest.raises(PresetError, match=r"favourites\.json can't be written"):
        mark_favourite("old-tape", True)


def test_clients_mark_favourites_and_step_through_the_list(home: Path) -> None:
    names = [one.id for one in list_presets()]
    with running() as (control, _, host), client(control) as asking:
        assert asking.ask("favourite", name="old-tape", on=True)["favourites"] == ["old-tape"]
        assert asking.ask("step_preset", way=1)["name"] == names[0]
        assert asking.ask("step_preset", way=-1)["name"] == names[-1]
        assert host.loaded == [names[0], names[-1]]


def test_every_bundled_preset_has_tags_to_be_found_by() -> None:
    assert [one.id for one in list_presets() if one.file is None and not one.tags] == []
    assert "speech" in load_preset("phone-guest").tags
