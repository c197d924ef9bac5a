"""Laws of provenance: every output says how it was made, and all else that a file says of itself stays."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from plugin_host.chain.file_program import Sound
from plugin_host.files.audio_reader import AudioReader
from plugin_host.files.audio_tags import AudioTags
from plugin_host.render.provenance import NAME, origin, read_provenance, with_provenance
from plugin_host.render.render import render_file
from tests.plugin_host.stages import FollowingDelay

SOUND = Sound(lambda: FollowingDelay(5), {"amount": -3.0}, "live", "old-tape", {"weights": "abc"})


def write(path: Path, title: str = "") -> Path:
    with soundfile.SoundFile(path, "w", 16000, 1) as file:
        if title:
            file.title = title
        file.write(np.random.default_rng(1).uniform(-0.5, 0.5, 20_000))
    return path


def rendered(source: Path, target: Path) -> dict[str, Any]:
    render_file(SOUND.stage, SOUND.settings, source, target, origin=origin(SOUND, "digest"))
    entry = read_provenance(target)
    assert entry is not None
    return entry


@pytest.mark.parametrize(
    ("before", "after", "title"),
    [("wav", "wav", ""), ("wav", "flac", ""), ("flac", "wav", 'a <b> & "c" \u00e4'), ("flac", "flac", "a")],
)
def test_every_output_says_how_it_was_made(tmp_path: Path, before: str, after: str, title: str) -> None:
    entry = rendered(write(tmp_path / f"in.{before}", title), tmp_path / f"out.{after}")
    assert (entry["artifact"], entry["preset"], entry["identity"]) == ("live", "old-tape", {"weights": "abc"})
    assert (entry["settings"], entry["input_sha256"]) == ({"amount": -3.0}, "digest")
    assert entry["edge_hz"] > 7000
    assert set(entry) >= {"highband", "generated_from_hz", "generated_to_hz", "loudness"}
    with AudioReader(tmp_path / f"out.{after}") as reader:
        assert reader.tags().words.get("title", ("",))[0] == title


def test_an_output_that_is_rendered_again_keeps_its_past(tmp_path: Path) -> None:
    first = rendered(write(tmp_path / "in.wav"), tmp_path / "once.wav")
    assert rendered(tmp_path / "once.wav", tmp_path / "twice.flac")["before"] == first
    assert rendered(tmp_path / "twice.flac", tmp_path / "thrice.wav")["before"]["before"] == first


def test_another_programs_ixml_stays() -> None:
    theirs = b"<?xml version='1.0'?><BWFXML><SCENE>4</SCENE></BWFXML>\n\0"
    tags = AudioTags(chunks=((b"LIST", b"adtl1"), (b"LIST", b"INFO2"), (b"iXML", theirs)))
    for _ in range(2):
        tags = with_provenance(tags, Path("a.wav"), {"highband": "1"})
    assert [data for code, data in tags.chunks if code == b"LIST"] == [b"adtl1", b"INFO2"]
    ((_, xml),) = [chunk for chunk in tags.chunks if chunk[0] == b"iXML"]
    assert b"<SCENE>4</SCENE>" in xml
    assert xml.count(b"<HIGHBAND>") == xml.count(b"<BWFXML>") == 1


@pytest.mark.parametrize("junk", [b"<BWFXML><HIGHBAND>{</HIGHBAND></BWFXML>", b"\xff\xfe", b"<HIGHBAND>3</HIGHBAND>"])
def test_junk_is_no_entry_and_does_no_harm(junk: bytes) -> None:
    tags = AudioTags({NAME: ("[" * 100_000,)}, chunks=((b"iXML", junk),))
    again = with_provenance(tags, Path("a.wav"), {"highband": "1"})
    assert b'{"highband": "1"}' in dict(again.chunks)[b"iXML"]


def test_a_file_of_another_program_has_no_entry(tmp_path: Path) -> None:
    assert read_provenance(write(tmp_path / "in.wav", "title")) is None
