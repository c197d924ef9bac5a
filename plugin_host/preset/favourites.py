"""The person's favourite presets: names in a file beside the folder of presets."""

from __future__ import annotations

import json

from models.atomic_write import write_atomically
from plugin_host.preset.file import PresetError, user_folder

_FILE = "favourites.json"


def favourites() -> frozenset[str]:
    """Return the names of the favourites; none where the file is missing or damaged, which is then written anew."""
    try:
        names = json.loads((user_folder().parent / _FILE).read_bytes())
    except (OSError, ValueError):
        return frozenset()
    return frozenset(name for name in names if isinstance(name, str)) if isinstance(names, list) else frozenset()


def mark_favourite(name: str, is_favourite: bool) -> None:
    """Make a preset a favourite, or no longer; raise PresetError, one sentence, where that can't be written."""
    names = favourites() - {name} | ({name} if is_favourite else set())
    path = user_folder().parent / _FILE
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, (json.dumps(sorted(names), indent=2, ensure_ascii=False) + "\n").encode())
    except OSError as error:
        raise PresetError(f"{path} can't be written: {error.strerror or error}") from None
