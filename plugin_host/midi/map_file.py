"""Controller maps as files: reading with the line that is wrong, writing whole or not at all, finding them by name."""

from __future__ import annotations

import os
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from pydantic import ValidationError

from models.atomic_write import write_atomically
from plugin_host.files.json_document import DocumentError, read_document, read_file
from plugin_host.files.json_document import Path as JsonPath
from plugin_host.files.user_folders import maps_folder as user_folder
from plugin_host.midi.map import MidiMap

# A map of every knob there is has a hundredth of it; a mistaken audio file has not.
LARGEST_BYTES = 2**20
_SHIPPED = "plugin_host.midi.maps"


class MidiMapError(ValueError):
    """A map that can't be read or written; the text is one sentence that names the file and says what to do."""


@dataclass(frozen=True)
class FoundMap:
    """A map that can be used by name.

    Attributes:
        id: Its name.
        midi_map: What it holds, or None where it can't be read.
        file: The user's file, or None for one that Highband brought.
        fault: Why it can't be read.
    """

    id: str
    midi_map: MidiMap | None
    file: Path | None = None
    fault: str = ""


def parse_map(data: bytes | str, where: str = "the map") -> MidiMap:
    """Read a map from the bytes or the text of its file.

    Raises:
        MidiMapError: One sentence that names `where`, the line that is wrong and what is allowed.
    """
    try:
        document = read_document(data, where, LARGEST_BYTES)
        try:
            return MidiMap.model_validate(document.value)
        except ValidationError as error:
            raise document.error(*_first(error)) from None
    except DocumentError as error:
        raise MidiMapError(f"{error}; mend or delete it") from None


def list_maps() -> list[FoundMap]:
    """Return the user's maps and then the shipped ones, by name; a user's map hides a shipped one of its name."""
    found = [_found(path) for path in _user_files()]
    hidden = {one.id.casefold() for one in found}
    return found + [FoundMap(stem, _shipped(stem)) for stem in _shipped_stems() if stem.casefold() not in hidden]


def load_map(name_or_path: str | os.PathLike[str]) -> MidiMap:
    """Load a map by its name, or by the path of a file.

    A text with a folder in it or with the ending .json is a path, anything else a name, whose case does not matter.

    Raises:
        MidiMapError: There is none, or it is wrong; the sentence names the file and the line.
    """
    text = os.fspath(name_or_path)
    if isinstance(name_or_path, os.PathLike) or "/" in text or os.sep in text or text.lower().endswith(".json"):
        return _read(Path(text))
    for found in list_maps():
        if found.id.casefold() == text.strip().casefold():
            if found.midi_map is None:
                raise MidiMapError(found.fault)
            return found.midi_map
    names = ", ".join(found.id for found in list_maps())
    raise MidiMapError(f"there is no controller map '{text}'; the maps are {names}, or give the path of a file")


def user_file(name: str) -> Path:
    """Return the file of a user's map by its name; raise MidiMapError where the name can't be a file's."""
    if not name or name != name.strip(". ") or any(letter in '/\\:*?"<>|' or ord(letter) < 32 for letter in name):
        raise MidiMapError(f"'{name}' can't name a map; use letters, digits, spaces and dashes")
    return user_folder() / f"{name}.json"


def map_file(name_or_path: str) -> Path:
    """Return the file that a changed map is written to: its own, or one in the user's folder that hides a shipped one.

    Raises:
        MidiMapError: The name can't be a file's.
    """
    return Path(name_or_path) if name_or_path.lower().endswith(".json") else user_file(name_or_path)


def save_map(midi_map: MidiMap, path: Path) -> None:
    """Write a map, whole or not at all; the folder is made where it is missing.

    Raises:
        MidiMapError: It can't be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, midi_map.to_text().encode())
    except OSError as error:
        raise MidiMapError(
            f"{path} can't be written: {error.strerror or error}; free the space or name another"
        ) from None


def _first(error: ValidationError) -> tuple[JsonPath, str]:
    """Return where the first error is and its part of a sentence."""
    first = error.errors(include_url=False)[0]
    context = first.get("ctx", {})
    path: JsonPath = first["loc"]
    if context.get("at") is not None:
        path = (*path, context["at"])
    if "binding" in context:
        path = ("bindings", context["binding"])
    why = first["msg"]
    subject = next((str(key) for key in reversed(path) if isinstance(key, str)), "the map")
    if first["type"] != "refused":
        why = f"{subject}: {why[0].lower()}{why[1:]}"
    elif why.startswith("must "):
        why = f"{subject} {why}"
    return path, why


def _shipped_stems() -> list[str]:
    entries = resources.files(_SHIPPED).iterdir()
    return sorted(entry.name.removesuffix(".json") for entry in entries if entry.name.endswith(".json"))


def _shipped(stem: str) -> MidiMap:
    return parse_map(resources.files(_SHIPPED).joinpath(f"{stem}.json").read_bytes(), f"{stem}.json")


def _user_files() -> list[Path]:
    return sorted(user_folder().glob("*.json"))


def _found(path: Path) -> FoundMap:
    try:
        return FoundMap(path.stem, _read(path), path)
    except MidiMapError as error:
        return FoundMap(path.stem, None, path, str(error))


def _read(path: Path) -> MidiMap:
    try:
        data = read_file(path, LARGEST_BYTES)
    except DocumentError as error:
        raise MidiMapError(str(error)) from None
    return parse_map(data, str(path))
