"""Presets as files: reading with the line that is wrong, writing whole or not at all, finding them by name."""

from __future__ import annotations

import contextlib
import difflib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from models.atomic_write import write_atomically
from plugin_host.files.json_document import DocumentError, read_document, read_file
from plugin_host.files.json_document import Path as JsonPath
from plugin_host.files.user_folders import presets_folder as user_folder
from plugin_host.preset.effect_catalogue import effect
from plugin_host.preset.schema import EffectNode, PluginNode, Preset

__all__ = [
    "EffectNode", "PluginNode", "Preset", "PresetError",
    "list_presets", "load_preset", "parse_preset", "save_preset", "user_folder",
]  # fmt: skip

# By its place: a program may have a package of this name too.
_BUNDLED = Path(__file__).parents[2] / "presets"
# A preset with the states of several plug-ins has room; a mistaken audio file has not.
LARGEST_BYTES = 16 * 2**20

_WHY = {
    "missing": "is missing",
    "string_type": "must be text",
    "string_too_long": "must be shorter",
    "string_pattern_mismatch": "must be null or a plain name of letters, digits, '.', '_' and '-', without a folder",
    "list_type": "must be a list of effects and plug-ins",
    "too_long": "must hold at most 64 effects and plug-ins",
    "bool_type": "must be true or false",
}


class PresetError(ValueError):
    """A preset that can't be read, built or written; the text is one sentence for a person."""


def parse_preset(data: bytes | str, where: str = "the preset") -> Preset:
    """Read a preset from the bytes or the text of its file.

    Args:
        data: JSON in UTF-8.
        where: What the error calls it, such as the file's name.

    Raises:
        PresetError: One sentence that names `where`, the line that is wrong and what is allowed.
    """
    try:
        document = read_document(data, where, LARGEST_BYTES)
        for path, why in _slips(document.value):
            raise document.error(path, why)
        try:
            return Preset.model_validate(document.value)
        except ValidationError as error:
            raise document.error(*_first(error)) from None
    except DocumentError as error:
        raise PresetError(str(error)) from None


def _slips(value: dict[str, Any]) -> Iterator[tuple[JsonPath, str]]:
    """Yield the fields whose misspelt names would leave them without effect."""
    yield from _slips_of(value, ["schema", *list(Preset.model_fields)[1:]], ())
    for place in ("before", "after"):
        nodes = value.get(place)
        for index, node in enumerate(nodes if isinstance(nodes, list) else []):
            if isinstance(node, dict) and ("plugin" in node or "effect" in node):
                kind = PluginNode if "plugin" in node else EffectNode
                yield from _slips_of(node, list(kind.model_fields), (place, index))


def _slips_of(fields: dict[str, Any], known: list[str], path: JsonPath) -> Iterator[tuple[JsonPath, str]]:
    for key in sorted(fields.keys() - set(known)):
        if meant := difflib.get_close_matches(key.lower(), known, 1, 0.8):
            yield (*path, key), f"'{key}' is unknown here; '{meant[0]}' is known"


def _first(error: ValidationError) -> tuple[JsonPath, str]:
    """Return where the first error is and its part of a sentence."""
    first = error.errors(include_url=False)[0]
    context = first.get("ctx", {})
    path, why = first["loc"], first["msg"]
    if path and path[0] in ("before", "after"):
        # Behind the place of an entry, pydantic names its kind, which is no level of the file.
        path = (*path[:2], *path[3:])
    if context.get("at") is not None:
        path = (*path, context["at"])
    elif first["type"] in _WHY or why.startswith("must "):
        subject = next((str(key) for key in reversed(path) if isinstance(key, str)), "the preset")
        why = f"{subject} {_WHY.get(first['type'], why)}"
    return path, why


def list_presets() -> list[Preset]:
    """Return the bundled presets, then the user's own, by name; a user's file that can't be read is left out.

    `load_preset` with the name of such a file says what is wrong with it.
    """
    found = [_bundled(stem) for stem in sorted(_bundled_stems())]
    for path in _user_files():
        with contextlib.suppress(PresetError):
            found.append(_read(path))
    return found


def load_preset(name_or_path: str | os.PathLike[str]) -> Preset:
    """Load a preset by the name of a bundled one or of one in the user's folder, or by the path of a file.

    A text with a folder in it or with the ending .json is a path, anything else a name, whose case does not matter.

    Raises:
        PresetError: There is none, or it is wrong; the sentence names the file and the line.
    """
    text = os.fspath(name_or_path)
    if isinstance(name_or_path, os.PathLike) or "/" in text or os.sep in text or text.lower().endswith(".json"):
        return _read(Path(text))
    wanted = text.strip().casefold()
    for stem in _bundled_stems():
        if stem.casefold() == wanted:
            return _bundled(stem)
    for path in _user_files():
        if path.stem.casefold() == wanted:
            return _read(path)
    names = sorted({*_bundled_stems(), *(path.stem for path in _user_files())})
    raise PresetError(f"there is no preset '{text}'; the presets are {', '.join(names)}, or give the path of a file")


def save_preset(preset: Preset, path: str | os.PathLike[str]) -> Preset:
    """Write a preset under a path, whole or not at all, and return it as it would be loaded from there.

    Raises:
        PresetError: It can't be written, or it names plug-ins or files and did not come from a file of this machine:
            such a preset, sent by another program, must not gain the trust of a local file.
    """
    target = Path(path).absolute()
    if preset.file is None and any(map(_names_file, preset.nodes)):
        raise PresetError(
            f"{target.name} can't be saved: only a preset from a file of yours may name plug-ins or files"
        )
    if preset.file is not None and preset.file.parent != target.parent:
        preset = _with_absolute_paths(preset, preset.file.parent)
    try:
        write_atomically(target, preset.to_text().encode())
    except OSError as error:
        raise PresetError(f"{target} can't be written: {error.strerror or error}") from None
    return _read(target)


def _names_file(node: EffectNode | PluginNode) -> bool:
    return isinstance(node, PluginNode) or bool(effect(node.effect).file)


def _with_absolute_paths(preset: Preset, folder: Path) -> Preset:
    """Keep relative paths true when the preset moves to another folder."""

    def moved(node: EffectNode | PluginNode) -> dict[str, Any]:
        plain = node.model_dump()
        if isinstance(node, PluginNode):
            plain["plugin"] = str(folder / node.plugin)
        elif (key := effect(node.effect).file) in node.settings:
            plain["settings"][key] = str(folder / str(node.settings[key]))
        return plain

    return preset.replace(before=[moved(node) for node in preset.before], after=[moved(node) for node in preset.after])


def _bundled_stems() -> list[str]:
    return sorted(path.stem for path in _BUNDLED.glob("*.json"))


def _bundled(stem: str) -> Preset:
    preset = parse_preset((_BUNDLED / f"{stem}.json").read_bytes(), f"{stem}.json")
    preset._id = stem
    return preset


def _user_files() -> list[Path]:
    return sorted(user_folder().glob("*.json"))


def _read(path: Path) -> Preset:
    try:
        data = read_file(path, LARGEST_BYTES)
    except DocumentError as error:
        raise PresetError(str(error)) from None
    preset = parse_preset(data, str(path))
    preset._file, preset._id = path.absolute(), path.stem
    return preset
