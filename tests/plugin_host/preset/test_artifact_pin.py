"""Laws of the hash that pins a preset's artifact: compared wherever the preset is used, and never a refusal."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest

from models.artifact.manifest import FOLDER
from plugin_host.chain.file_program import choose
from plugin_host.chain.program import build
from plugin_host.preset.artifact_pin import hash_of, pin_of, warning_for
from plugin_host.preset.file import Preset
from plugin_host.render.api import restore

LIVE_HASH = hashlib.sha256((FOLDER / "live" / "manifest.json").read_bytes()).hexdigest()
OTHER_HASH = "sha256:" + "0123456789abcdef" * 4


def saved(folder: Path, pin: str | None) -> Path:
    path = folder / "pinned.json"
    path.write_text(Preset.model_validate({"name": "Pinned", "artifact": "live", "artifact_hash": pin}).to_text())
    return path


def test_the_hash_is_that_of_the_manifest() -> None:
    assert hash_of("live") == LIVE_HASH
    assert pin_of("live") == f"sha256:{LIVE_HASH}"
    assert pin_of("none-such") is pin_of(None) is None


@pytest.mark.parametrize("pin", [None, LIVE_HASH, f"sha256:{LIVE_HASH}", LIVE_HASH[:8]])
def test_the_same_content_is_no_news(pin: str | None) -> None:
    preset = Preset.model_validate({"artifact": "live", "artifact_hash": pin})
    assert warning_for(preset, "live") == ""


def test_another_artifact_that_the_person_named_is_not_compared() -> None:
    preset = Preset.model_validate({"artifact": "live", "artifact_hash": OTHER_HASH})
    assert warning_for(preset, "studio") == ""


def test_another_content_is_said_and_plays_on(tmp_path: Path) -> None:
    path = saved(tmp_path, OTHER_HASH)
    for warning in (build(str(path), None).warning, choose(str(path), [], None).warning):
        assert warning.startswith(
            "the preset 'Pinned' was saved with another version of the artifact live (0123456789ab"
        )
        assert LIVE_HASH[:12] in warning
    with pytest.warns(UserWarning, match="another version of the artifact live"):
        restore(np.zeros((1, 4800), np.float32), 48000, preset=path)
    assert choose(str(saved(tmp_path, LIVE_HASH)), [], None).warning == ""
