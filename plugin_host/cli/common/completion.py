"""Names that the shell completes: presets, artifacts, knobs and maps, read without what is heavy."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path


def presets(incomplete: str) -> Iterator[str]:
    """Yield the presets, shipped and the user's own, that begin so."""
    from plugin_host.files.user_folders import presets_folder

    own = _files(presets_folder(), "*.json")
    yield from _beginning(incomplete, [*_files(_package("presets"), "*.json"), *own])


def artifacts(incomplete: str) -> Iterator[str]:
    """Yield the shipped artifacts that begin so."""
    manifests = _package("models").glob("artifacts/*/manifest.json")
    yield from _beginning(incomplete, [path.parent.name for path in manifests])


def midi_maps(incomplete: str) -> Iterator[str]:
    """Yield the maps of MIDI controllers, shipped and the user's own, that begin so."""
    from plugin_host.files.user_folders import maps_folder

    own = _files(maps_folder(), "*.json")
    yield from _beginning(incomplete, [*_files(_package("plugin_host"), "midi/maps/*.json"), *own])


def knobs(incomplete: str) -> Iterator[tuple[str, str]]:
    """Yield the knobs that begin so, each with its range."""
    from models.extender.controls import CONTROLS

    yield from ((one.id, one.range_text()) for one in CONTROLS if one.id.startswith(incomplete))


def assignments(incomplete: str) -> Iterator[tuple[str, str]]:
    """Yield "knob=" for knobs that begin so, and behind the sign the words that stand for a value."""
    from models.extender.controls import CONTROLS

    name, sign, begun = incomplete.partition("=")
    if not sign:
        yield from ((f"{knob}=", about) for knob, about in knobs(name))
        return
    for one in CONTROLS:
        words = ["on", "off"] if one.curve == "switch" else ["auto"] if one.automatic else []
        yield from ((f"{name}={word}", one.about) for word in words if one.id == name and word.startswith(begun))


def _package(name: str) -> Path:
    """Return the folder of a package beside this one, without importing it."""
    return Path(__file__).parents[3] / name


def _files(folder: Path, pattern: str) -> list[str]:
    return [path.stem for path in folder.glob(pattern)]


def _beginning(incomplete: str, names: list[str]) -> list[str]:
    return sorted({name for name in names if name.startswith(incomplete)})
