"""JSON documents of people: read strictly, and a mistake is shown with the line where it stands."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Sequence
from pathlib import Path as FilePath
from typing import Any

Path = tuple[str | int, ...]
# A longer number is beyond every float, and to read its digits would take long.
_MOST_DIGITS = 300
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


class DocumentError(ValueError):
    """A document that can't be used; the text is one sentence that names it and the line."""


class Document:
    """An object that was read from JSON, with the lines of its values.

    Args:
        where: The name of the document, such as its file's.
        text: The JSON.
        value: Its content.
    """

    def __init__(self, where: str, text: str, value: dict[str, Any]) -> None:
        self._where, self._text, self.value = where, text, value

    def error(self, path: Sequence[str | int], why: str) -> DocumentError:
        """Return an error with the line of the deepest part of the path that the document has."""
        known = lines(self._text)
        here: Path = ()
        for key in path:
            if (*here, key) in known:
                here = (*here, key)
        return DocumentError(f"{self._where}, line {known[here]}: {why}")


def read_document(data: bytes | str, where: str, most_bytes: int) -> Document:
    """Read an object from JSON in UTF-8.

    Raises:
        DocumentError: It is too large, no JSON or no object, a field stands twice, or a value could not be written
            again: infinite numbers and half characters, which readers of JSON accept.
    """
    text = _decode(data, where, most_bytes)
    repeated: list[str] = []

    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        keys = [key for key, _ in pairs]
        repeated.extend(key for key in keys if keys.count(key) > 1)
        return dict(pairs)

    def whole(digits: str) -> float:
        return int(digits) if len(digits) < _MOST_DIGITS else math.inf

    try:
        value = json.loads(text, object_pairs_hook=unique, parse_int=whole)
        document = Document(where, text, value)
        for path, why in _unwritable(value):
            raise document.error(path, why)
    except json.JSONDecodeError as error:
        raise DocumentError(f"{where}, line {error.lineno}: this is not JSON ({error.msg})") from None
    except RecursionError:
        raise DocumentError(f"{where}, line 1: its values are nested too deeply") from None
    if repeated:
        line = max(line for path, line in lines(text).items() if path and path[-1] == repeated[0])
        raise DocumentError(f"{where}, line {line}: '{repeated[0][:40]}' stands twice; keep one")
    if not isinstance(value, dict):
        raise DocumentError(f"{where}, line 1: the document must be an object {{...}}")
    return document


def read_file(path: FilePath, most_bytes: int) -> bytes:
    """Return what a file holds, one byte more than allowed at most.

    Raises:
        DocumentError: It can't be read.
    """
    try:
        if not path.is_file():
            raise DocumentError(f"{path} is not a file; give the path of one")
        with path.open("rb") as file:
            return file.read(most_bytes + 1)
    except OSError as error:
        raise DocumentError(f"{path} can't be read: {error.strerror or error}; give another") from None
    except ValueError as error:
        if isinstance(error, DocumentError):
            raise
        raise DocumentError(f"{path} can't be read: {error}; give another") from None


def _decode(data: bytes | str, where: str, most_bytes: int) -> str:
    if isinstance(data, str):
        return data
    if len(data) > most_bytes:
        raise DocumentError(f"{where}, line 1: the document may have {most_bytes // 2**20} MiB at most")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise DocumentError(f"{where}, line {line}: this is not text in UTF-8; save it as UTF-8") from None


def _unwritable(value: Any, path: Path = ()) -> Iterator[tuple[Path, str]]:
    """Yield the values that JSON readers accept but no writer may put out."""
    if isinstance(value, dict):
        for key, item in value.items():
            if not _is_encodable(key):
                yield path, "a key holds half a character (a lone surrogate)"
            yield from _unwritable(item, (*path, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _unwritable(item, (*path, index))
    elif isinstance(value, str) and not _is_encodable(value):
        yield path, "the text holds half a character (a lone surrogate)"
    elif isinstance(value, float) and not math.isfinite(value):
        yield path, "a number must be finite"


def _is_encodable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
