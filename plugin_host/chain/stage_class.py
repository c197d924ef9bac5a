"""A stage of somebody else's: a class that is named `module:Class` and imported as `python -m` would."""

from __future__ import annotations

import importlib
import re
import sys

from models.stage import Stage

CLASS = re.compile(r"(?P<module>[A-Za-z_][\w.]*):(?P<name>[A-Za-z_]\w*)")


class StageClassError(ValueError):
    """No stage is found under this name; one sentence."""


def load_stage(name: str, folder: str = "") -> Stage:
    """Import a class and make one of it.

    Args:
        name: `module:Class`.
        folder: Where the module lies, "" for the current folder.

    Raises:
        StageClassError: It can't be imported or made, or is no stage.
    """
    match = CLASS.fullmatch(name)
    if match is None:
        raise StageClassError(f"'{name}' is no class; give module:Class")
    if folder not in sys.path:
        sys.path.insert(0, folder)
    try:
        kind = getattr(importlib.import_module(match["module"]), match["name"])
    except Exception as error:  # Whatever somebody's module does when it is imported.
        raise StageClassError(f"{name} can't be imported: {_reason(error)}; give module:Class") from None
    try:
        stage = kind()
    except Exception as error:  # Whatever somebody's class does when it is made.
        why = _reason(error)
        raise StageClassError(f"{name} can't be made without arguments: {why}; see models/stage.py") from None
    if not isinstance(stage, Stage):
        raise StageClassError(f"{name} is no stage: it needs what models/stage.py names, such as process")
    return stage


def _reason(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__
