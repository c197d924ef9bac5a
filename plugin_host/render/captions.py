"""Names of files as text in a picture: any characters, in fonts that have them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from functools import cache

from matplotlib import font_manager

_FIRST = "DejaVu Sans"
# Stands for what no installed font has.
_MISSING = "\u25a1"


def readable(name: str) -> str:
    """Return a name as it can be shown: bytes that are no UTF-8 and control characters become marks."""
    text = os.fsencode(name).decode("utf-8", "replace")
    return "".join(char if char.isprintable() else "\ufffd" for char in text)


def in_fonts(text: str) -> tuple[str, list[str]]:
    """Return the text with marks for what no font has, and the families that hold the rest, in order."""
    families, missing = [_FIRST], {char for char in text if char != "\n"} - _characters(_path_of(_FIRST))
    for family, path in _others() if missing else ():
        found = missing & _characters(path)
        if found:
            families.append(family)
            missing -= found
        if not missing:
            break
    return "".join(_MISSING if char in missing else char for char in text), families


def _others() -> Iterator[tuple[str, str]]:
    """Yield upright fonts of common weight, those made for many scripts first."""
    entries = [
        entry
        for entry in font_manager.fontManager.ttflist
        if entry.style == "normal" and str(entry.weight) in ("400", "normal", "regular") and entry.name != _FIRST
    ]
    entries.sort(key=lambda entry: (not entry.name.startswith(("Noto Sans", "Arial Unicode")), entry.name))
    # Only what a search by the family's name leads to will be drawn with.
    return ((entry.name, entry.fname) for entry in entries if _path_of(entry.name) == entry.fname)


@cache
def _path_of(family: str) -> str:
    return str(font_manager.findfont(font_manager.FontProperties(family=[family])))


@cache
def _characters(path: str) -> frozenset[str]:
    try:
        return frozenset(map(chr, font_manager.get_font(path).get_charmap()))
    except (OSError, RuntimeError):  # pictures instead of outlines, or no font at all
        return frozenset()
