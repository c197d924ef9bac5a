"""State: what a part remembers between blocks, as plain values that a disk can keep.

A part names the attributes that hold its past in `STATE`; all else follows from how it was built and prepared. Of two
parts that were prepared alike, one that is given the other's state goes on with the same bits.
"""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

_PLACE = "array"
_TREE = "tree"


def save_state(part: object, **beside: Any) -> bytes:
    """Return a part's state as the bytes of a file.

    Args:
        part: With `STATE`; its attributes are numbers, arrays, rows of such, and parts of their own.
        beside: Plain values that are kept along with it.

    Raises:
        TypeError: Something in it names no state.
    """
    arrays: list[NDArray[Any]] = []
    text = json.dumps({"part": _plain(part, arrays), "beside": beside})
    file = io.BytesIO()
    named: dict[str, Any] = {str(number): array for number, array in enumerate(arrays)}
    np.savez(file, **{_TREE: np.array(text), **named})
    return file.getvalue()


class SavedState:
    """The state in the bytes of a file.

    Args:
        content: From `save_state`.

    Raises:
        ValueError: They are none.

    Attributes:
        beside: The values that were kept along with it.
    """

    def __init__(self, content: bytes) -> None:
        try:
            with np.load(io.BytesIO(content)) as kept:
                self._arrays = {name: kept[name] for name in kept.files}
            tree = json.loads(str(self._arrays.pop(_TREE)))
            self._part, self.beside = tree["part"], dict(tree["beside"])
        except Exception as error:  # Whatever a damaged archive leads its reader to.
            raise ValueError("this is no saved state; remove the file") from error

    def restore(self, part: object) -> None:
        """Give the state to a part that was prepared like the one that it was saved of."""
        self._restored(part, self._part)

    def _restored(self, value: Any, kept: Any) -> Any:
        """Return what is kept in the place of a value, as what the value is."""
        if hasattr(value, "STATE"):
            for name in value.STATE:
                setattr(value, name, self._restored(getattr(value, name), kept[name]))
            return value
        if isinstance(kept, Mapping):
            return self._arrays[str(kept[_PLACE])].copy()
        if isinstance(value, tuple):
            values = [self._restored(one, other) for one, other in zip(value, kept, strict=True)]
            return type(value)(*values) if hasattr(value, "_fields") else tuple(values)
        if isinstance(value, list) and any(map(_is_deep, value)):
            return [self._restored(one, other) for one, other in zip(value, kept, strict=True)]
        return kept


def _is_deep(value: object) -> bool:
    return hasattr(value, "STATE") or isinstance(value, tuple | list | np.ndarray)


def _plain(value: Any, arrays: list[NDArray[Any]]) -> Any:
    """Return a value as JSON has it, with its arrays put aside."""
    if hasattr(value, "STATE"):
        return {name: _plain(getattr(value, name), arrays) for name in value.STATE}
    if isinstance(value, np.ndarray):
        arrays.append(value)
        return {_PLACE: len(arrays) - 1}
    if isinstance(value, tuple | list):
        return [_plain(one, arrays) for one in value]
    if isinstance(value, np.generic):
        return value.item()
    if value is None or isinstance(value, bool | int | float | str):
        return value
    raise TypeError(f"{type(value).__name__} names no STATE")
