"""Laws of a folder: every file is audio, looks like it and says why it can't be read, or is something else."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
import soundfile

from plugin_host.files.file_kind import judge, looks_like_audio


@pytest.mark.parametrize("kind", ["wav", "flac", "aiff", "ogg", "mp3", "caf", "au", "w64", "rf64"])
@pytest.mark.parametrize("named", [True, False])
def test_audio_is_known_by_its_name_and_without_it(tmp_path: Path, kind: str, named: bool) -> None:
    path = tmp_path / (f"a.{kind}" if named else "take 1")
    soundfile.write(path, np.zeros((4800, 1)), 48000, format=kind.upper())
    if named or kind != "mp3":
        assert judge(path) == ("audio", "")


@pytest.mark.parametrize("name", ["a.txt", "a.pdf", "cover.jpg", "session.als", "take"])
def test_other_files_are_other_files(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"Dear engineer, " * 100)
    assert judge(tmp_path / name) == ("other", "")


@pytest.mark.parametrize("name", ["a.wav", "b.m4a", "c.mp3", "d.caf", "e.wma"])
def test_what_looks_like_audio_and_is_none_is_named_with_a_reason(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"Dear engineer, " * 100)
    verdict = judge(tmp_path / name)
    assert verdict.kind == "unreadable"
    assert verdict.reason.startswith(f"{tmp_path / name} is ")
    assert ";" in verdict.reason


def test_a_name_that_is_not_utf_8_can_be_read(tmp_path: Path) -> None:
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.wav"))
    soundfile.write(tmp_path / "a.wav", np.zeros((480, 1)), 48000)
    (tmp_path / "a.wav").rename(path)
    assert judge(path) == ("audio", "")


def test_what_is_gone_is_no_audio(tmp_path: Path) -> None:
    assert not looks_like_audio(tmp_path / "gone")
    assert judge(tmp_path / "gone.wav").kind == "unreadable"
