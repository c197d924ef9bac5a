"""The plug-ins that are installed on this machine: found in the standard folders, none of them loaded."""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_DEEPEST = 3
_MOST = 2000


@dataclass(frozen=True)
class InstalledPlugin:
    """A plug-in's file or bundle.

    Attributes:
        id: Stands for its path, which is not shown to clients.
        name: For people.
        path: Where it is.
    """

    id: str
    name: str
    path: Path


def folders() -> list[Path]:
    """Return the folders in which this system's plug-ins are installed, the user's own first; some may be missing."""
    home = Path.home()
    if sys.platform == "darwin":
        roots = (home / "Library/Audio/Plug-Ins", Path("/Library/Audio/Plug-Ins"))
        return [root / kind for root in roots for kind in ("VST3", "Components")]
    if sys.platform == "win32":
        return [Path(os.environ.get("COMMONPROGRAMFILES", r"C:\Program Files\Common Files")) / "VST3"]
    return [home / ".vst3", *(Path(f"/usr/{place}/vst3") for place in ("local/lib", "lib", "lib64"))]


def installed() -> list[InstalledPlugin]:
    """Return the installed plug-ins by name; of two with one name both."""
    found = {path.resolve(): path for folder in folders() for path in _below(folder, _DEEPEST)}
    listed = [InstalledPlugin(_id(path), path.stem, path) for path in list(found.values())[:_MOST]]
    return sorted(listed, key=lambda one: (one.name.casefold(), str(one.path)))


def is_installed(path: str) -> bool:
    """Say whether a path is that of an installed plug-in."""
    return any(str(one.path) == path for one in installed())


def _below(folder: Path, deep: int) -> Iterator[Path]:
    try:
        entries = sorted(folder.iterdir())
    except OSError:
        return
    for entry in entries:
        if entry.name.startswith("."):
            continue
        if entry.suffix.lower() in (".vst3", ".component"):
            # Inside a bundle lies the plug-in again, as a file for each system.
            yield entry
        elif deep > 1 and entry.is_dir() and not entry.is_symlink():
            yield from _below(entry, deep - 1)


def _id(path: Path) -> str:
    return hashlib.sha256(str(path).encode()).hexdigest()[:16]
