"""Laws of the shell's completion: it offers names that there are, and loads nothing heavy for them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from models.artifact.manifest import list_artifacts
from models.extender.controls import CONTROLS
from plugin_host.cli.common import completion
from plugin_host.midi.map import MidiMap
from plugin_host.midi.map_file import list_maps, save_map, user_file
from plugin_host.preset.file import list_presets


def completed(folder: Path, *words: str) -> list[str]:
    """Return what bash is offered for the last word."""
    request = {"_HIGHBAND_COMPLETE": "complete_bash", "COMP_WORDS": " ".join(words), "COMP_CWORD": str(len(words) - 1)}
    environment = {**os.environ, "XDG_DATA_HOME": str(folder), **request}
    program = "import sys; sys.argv = ['highband']; from plugin_host.cli.main import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.stderr == ""
    return done.stdout.split()


def test_presets_of_the_product_and_of_the_user_are_offered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "highband" / "presets").mkdir(parents=True)
    (tmp_path / "highband" / "presets" / "phone-mine.json").write_text("{}")
    assert completed(tmp_path, "highband", "render", "--preset", "phone") == ["phone-guest", "phone-mine"]
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "none"))
    assert list(completion.presets("")) == sorted(preset.id for preset in list_presets())


def test_knobs_are_offered_with_their_words(tmp_path: Path) -> None:
    assert completed(tmp_path, "highband", "render", "--set", "a") == ["amount=", "attack="]
    assert [name for name, _ in completion.knobs("")] == [control.id for control in CONTROLS]
    assert [word for word, _ in completion.assignments("crossover=")] == ["crossover=auto"]
    assert [word for word, _ in completion.assignments("bypass=o")] == ["bypass=on", "bypass=off"]
    assert list(completion.assignments("amount=3")) == []


def test_artifacts_and_maps_are_those_that_are_listed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert completed(tmp_path, "highband", "live", "--artifact", "") == [info.name for info in list_artifacts()]
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    # One that hides a shipped map, and one more.
    for name in ("cc-70-79", "desk"):
        save_map(MidiMap(name=name), user_file(name))
    assert list(completion.midi_maps("")) == sorted(one.id for one in list_maps())
    assert list(completion.midi_maps("d")) == ["desk"]


def test_commands_are_offered(tmp_path: Path) -> None:
    assert completed(tmp_path, "highband", "midi", "le") == ["learn"]
