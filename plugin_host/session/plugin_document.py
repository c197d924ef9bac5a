"""What a DAW's session keeps beside the knobs: the preset with its chain, the artifact and its hash, other knobs."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Container, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from models.artifact.manifest import MANIFEST, find_artifact
from plugin_host.chain.program import LiveSound, build, build_around
from plugin_host.midi.controller import OFF
from plugin_host.preset.file import parse_preset

FORMAT = 1


@dataclass(frozen=True)
class Restored:
    """A sound from a session.

    Attributes:
        sound: What plays.
        settings: Knobs that the host does not know, such as those of effects.
        midi_port: The MIDI port that plays the instance, "off" for none.
        warning: What is not as it was, or "".
    """

    sound: LiveSound
    settings: Mapping[str, float]
    warning: str = ""
    midi_port: str = OFF


def write_document(sound: LiveSound, settings: Mapping[str, float], known: Container[str], midi_port: str = OFF) -> str:
    """Write what is to be kept.

    Args:
        sound: What plays.
        settings: Every knob's target.
        known: The knobs that the host itself keeps.
        midi_port: The MIDI port that plays the instance, "off" for none.
    """
    preset = sound.preset
    words = {
        "highband_plugin": FORMAT,
        "preset": json.loads(preset.to_text()),
        "preset_name": sound.preset_name,
        "preset_file": str(preset.file) if preset.file is not None else "",
        "artifact": sound.artifact,
        "artifact_hash": artifact_hash(sound.artifact),
        "settings": {name: value for name, value in settings.items() if name not in known},
        "midi_port": midi_port,
    }
    return json.dumps(words, sort_keys=True)


def read_document(text: str) -> Restored:
    """Build what a session describes, "" for a new one; raise ValueError with one sentence if it can't be."""
    if not text:
        return Restored(build("", None), {})
    try:
        return _restored(_parse(text))
    except (KeyError, TypeError, AttributeError, OverflowError):
        raise ValueError("what the session says of the sound can't be read: choose a preset anew") from None


def _restored(words: Mapping[str, Any]) -> Restored:
    preset = parse_preset(json.dumps(words["preset"]), "the session's preset")
    if words.get("preset_file"):
        preset = preset.placed_at(Path(str(words["preset_file"])))
    artifact = str(words["artifact"])
    sound = build_around(preset, str(words.get("preset_name", "")), artifact)
    known = {control.id for control in sound.controls}
    settings = {name: float(value) for name, value in words.get("settings", {}).items() if name in known}
    is_same = artifact_hash(artifact) == words.get("artifact_hash")
    warning = "" if is_same else f"the artifact {artifact} is another than when the session was saved"
    return Restored(sound, settings, warning, str(words.get("midi_port", OFF)))


def _parse(text: str) -> dict[str, Any]:
    try:
        words = json.loads(text)
    except (json.JSONDecodeError, RecursionError):
        raise TypeError from None
    if words["highband_plugin"] > FORMAT:
        raise ValueError("the session was saved by a newer Highband: upgrade to use it")
    return dict(words)


def artifact_hash(name: str) -> str:
    """Return the hash of an artifact's manifest, which holds the hashes of its weights."""
    return hashlib.sha256((find_artifact(name) / MANIFEST).read_bytes()).hexdigest()
