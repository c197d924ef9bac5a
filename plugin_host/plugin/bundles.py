"""Where hosts look for plug-ins: put a library there in the layout of each format, list and remove it."""

from __future__ import annotations

import json
import os
import platform
import shutil
from dataclasses import dataclass
from pathlib import Path

from plugin_host.plugin.lv2_ports import description, manifest
from plugin_host.plugin.product import PluginError, Product

FORMATS = ("vst3", "clap", "lv2")
# Beside the library of each bundle, so that a bundle says what it plays.
_NOTE = "highband.json"


@dataclass(frozen=True)
class Installed:
    """A plug-in in one format.

    Attributes:
        format: "vst3", "clap" or "lv2".
        name: In the hosts' lists.
        stage: "highband" or `module:Class`.
        folder: Where the module lies.
        path: The bundle.
    """

    format: str
    name: str
    stage: str
    folder: str
    path: Path


def folder_of(kind: str, home: Path | None = None) -> Path:
    """Return the folder in which hosts look for a user's plug-ins of a format."""
    return (home or Path.home()) / f".{kind}"


def install(
    product: Product, library: Path, formats: tuple[str, ...] = FORMATS, home: Path | None = None
) -> list[Path]:
    """Copy a library to where hosts look, in each format; an older one of that name is replaced.

    Raises:
        PluginError: A folder can't be written; one sentence.
    """
    placed = []
    for kind in formats:
        target = folder_of(kind, home)
        try:
            target.mkdir(parents=True, exist_ok=True)
            placed.append(_place(product, library, kind, target))
        except OSError as error:
            raise PluginError(f"{target} can't be written: {error.strerror or error}") from None
    return placed


def _place(product: Product, library: Path, kind: str, target: Path) -> Path:
    name = product.slug
    if kind == "clap":
        bundle = target / f"{name}.clap"
        _copy(library, bundle)
        _note(product, target / f"{name}.clap.{_NOTE}")
        return bundle
    bundle = target / f"{name}.{kind}"
    if kind == "vst3":
        inside = bundle / "Contents" / f"{platform.machine()}-linux"
        inside.mkdir(parents=True, exist_ok=True)
        _copy(library, inside / f"{name}.so")
    else:
        bundle.mkdir(exist_ok=True)
        _copy(library, bundle / f"{name}.so")
        (bundle / "manifest.ttl").write_text(manifest(product), encoding="utf-8")
        (bundle / f"{name}.ttl").write_text(description(product), encoding="utf-8")
    _note(product, bundle / _NOTE)
    return bundle


def _copy(library: Path, target: Path) -> None:
    """Put a new file in place of the old one, which a host may have open."""
    fresh = target.with_name(f".{target.name}.partial")
    shutil.copy(library, fresh)
    os.replace(fresh, target)


def _note(product: Product, path: Path) -> None:
    text = json.dumps({"name": product.name, "stage": product.stage, "folder": product.folder})
    path.write_text(text + "\n", encoding="utf-8")


def installed(home: Path | None = None) -> list[Installed]:
    """Return the plug-ins that were installed here, in every format."""
    found = []
    for kind in FORMATS:
        pattern = f"*.clap.{_NOTE}" if kind == "clap" else f"*.{kind}/{_NOTE}"
        for note in sorted(folder_of(kind, home).glob(pattern)):
            path = note.with_name(note.name.removesuffix(f".{_NOTE}")) if kind == "clap" else note.parent
            words = _read(note)
            if words is not None and path.exists():
                found.append(Installed(kind, words["name"], words["stage"], words["folder"], path))
    return found


def remove(name: str, home: Path | None = None) -> list[Path]:
    """Remove a plug-in in every format; returns what was removed."""
    gone = [one for one in installed(home) if one.name == name]
    for one in gone:
        if one.format == "clap":
            one.path.unlink()
            one.path.with_name(f"{one.path.name}.{_NOTE}").unlink()
        else:
            shutil.rmtree(one.path)
    return [one.path for one in gone]


def _read(path: Path) -> dict[str, str] | None:
    try:
        words = json.loads(path.read_text(encoding="utf-8"))
        return {name: str(words[name]) for name in ("name", "stage", "folder")}
    except (OSError, ValueError, KeyError, TypeError):
        return None
