"""The line of every value in a JSON text, so that a mistake can be shown where it stands."""

from __future__ import annotations

import json
import re

Path = tuple[str | int, ...]
_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\],:]|[^\s{}\[\],:"]+')


def lines(text: str) -> dict[Path, int]:
    """Map the path of every member and element to the line where it begins, counted from 1; () is the whole.

    Args:
        text: JSON that `json.loads` has accepted; of anything else the answer is meaningless, never an error.
    """
    found: dict[Path, int] = {(): 1}
    path: list[str | int] = []
    line, seen, key_next = 1, 0, False
    for token in _TOKEN.finditer(text):
        line += text.count("\n", seen, token.start())
        seen, word = token.start(), token.group()
        if word in "{[":
            found.setdefault(tuple(path), line)
            path.append("" if word == "{" else 0)
            key_next = word == "{"
        elif word in "}]":
            path[-1:] = []
            key_next = False
        elif word == "," and path:
            last = path[-1]
            path[-1], key_next = (last + 1, False) if isinstance(last, int) else ("", True)
        elif key_next and path:
            path[-1], key_next = _name(word), False
            found[tuple(path)] = line
        elif word != ":":
            found.setdefault(tuple(path), line)
    return found


def _name(word: str) -> str:
    """Undo the quotes and escapes of a key."""
    try:
        return str(json.loads(word))
    except ValueError:
        return word
