"""Provenance: what an output's tags say of how it was made, as JSON under the name "highband".

FLAC and its kin keep it as a comment of that name, WAV as an element of that name in its iXML chunk.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, replace
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any
from xml.sax.saxutils import escape, unescape

from plugin_host.chain.file_program import Sound
from plugin_host.files.audio_reader import AudioReader
from plugin_host.files.audio_tags import AudioTags

if TYPE_CHECKING:
    from plugin_host.render.loudness import LoudnessTarget

NAME = "highband"
_CHUNK = b"iXML"
_ELEMENT = re.compile(rb"<HIGHBAND>(.*?)</HIGHBAND>\s*", re.DOTALL)
_ROOT_END = b"</BWFXML>"
_EMPTY = b'<?xml version="1.0" encoding="UTF-8"?>\n<BWFXML><IXML_VERSION>2.0</IXML_VERSION></BWFXML>'


def origin(sound: Sound, input_digest: str) -> dict[str, Any]:
    """Return what decides an output: the version, the artifact and its hash, the preset, the knobs, the input's hash.

    Args:
        sound: The stage and the settings.
        input_digest: SHA-256 of the input's content.
    """
    return {
        "highband": version("highband"), "artifact": sound.artifact, "preset": sound.preset,
        "identity": dict(sound.identity), "settings": dict(sound.settings), "input_sha256": input_digest,
    }  # fmt: skip


def provenance(
    edge_hz: float | None, generated_from_hz: float | None, rate: int, loudness: LoudnessTarget | None
) -> dict[str, Any]:
    """Return what a render finds out: which band is generated, and whether the rest was turned louder or softer."""
    return {
        "edge_hz": edge_hz, "generated_from_hz": generated_from_hz,
        "generated_to_hz": None if generated_from_hz is None else rate / 2,
        "loudness": None if loudness is None else asdict(loudness),
    }  # fmt: skip


def with_provenance(tags: AudioTags, target: Path, entry: Mapping[str, Any]) -> AudioTags:
    """Return tags with an entry, which keeps the one that they have under "before"."""
    before = entry_of(tags)
    text = json.dumps({**entry, **({"before": before} if before else {})}, default=str)
    xml = next((data for code, data in tags.chunks if code == _CHUNK), b"")
    xml = _ELEMENT.sub(b"", xml).rstrip(b"\0 \r\n")
    others = tuple((code, data) for code, data in tags.chunks if code != _CHUNK)
    if target.suffix.lower() != ".wav":
        # What is left of a chunk that held nothing else is not worth keeping.
        kept = ((_CHUNK, xml),) if xml and xml != _EMPTY else ()
        return replace(tags, words={**tags.words, NAME: (text,)}, chunks=(*others, *kept))
    words = {name: texts for name, texts in tags.words.items() if name != NAME}
    if not xml.endswith(_ROOT_END):
        xml = _EMPTY
    element = f"<HIGHBAND>{escape(text)}</HIGHBAND>".encode()
    return replace(tags, words=words, chunks=(*others, (_CHUNK, xml[: -len(_ROOT_END)] + element + _ROOT_END)))


def read_provenance(path: Path) -> dict[str, Any] | None:
    """Return the entry of a file, or None where it has none; raise AudioFileError where it can't be read."""
    with AudioReader(path) as reader:
        return entry_of(reader.tags())


def entry_of(tags: AudioTags) -> dict[str, Any] | None:
    """Return the entry in tags, or None where they have none."""
    text = next(iter(tags.words.get(NAME, ())), "")
    for code, data in tags.chunks:
        if code == _CHUNK and (found := _ELEMENT.search(data)):
            text = unescape(found[1].decode("utf-8", "replace"))
    try:
        entry = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return entry if isinstance(entry, dict) else None
