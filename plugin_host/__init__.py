"""Highband from Python: arrays and files through the model, chains, running hosts; `import highband` gives the same.

Names are resolved when they are first used, so that importing costs nothing:

    import highband

    bright, rate = highband.restore(samples, rate, preset="podcast-brightener", amount=-2)
"""

from __future__ import annotations

import importlib
import importlib.util
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from models.artifact.load import load_extender as load
    from models.control import Control
    from models.stage import Stage
    from plugin_host.chain.chain import Chain
    from plugin_host.control.client import Client
    from plugin_host.engine.engine import Engine
    from plugin_host.preset.file import load_preset
    from plugin_host.render.api import render_file, restore
    from plugin_host.render.render import render_samples
    from plugin_host.settings.store import SettingsStore

    __version__: str

__all__ = [
    "Chain", "Client", "Control", "Engine", "SettingsStore", "Stage", "__version__",
    "load", "load_preset", "render_file", "render_samples", "restore",
]  # fmt: skip

_HOMES = {
    "Chain": "plugin_host.chain.chain",
    "Client": "plugin_host.control.client",
    "Control": "models.control",
    "Engine": "plugin_host.engine.engine",
    "SettingsStore": "plugin_host.settings.store",
    "Stage": "models.stage",
    "load": "models.artifact.load:load_extender",
    "load_preset": "plugin_host.preset.file",
    "render_file": "plugin_host.render.api",
    "render_samples": "plugin_host.render.render",
    "restore": "plugin_host.render.api",
}


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from importlib.metadata import version

        return version("highband")
    if name not in _HOMES:
        raise AttributeError(f"highband has no '{name}'; it has {', '.join(__all__)}")
    home, _, name_there = _HOMES[name].partition(":")
    return getattr(importlib.import_module(home), name_there or name)


def __dir__() -> list[str]:
    return sorted(__all__)


def _find_behind_others(name: str) -> None:
    """Find this package's modules also where another package, or module, of the name comes first on the path.

    Highband's folders have plain names, and a working folder often has a `models` of its own.

    Raises:
        ImportError: Both have a module of one name, so that only one of the two can be imported.
    """
    ours = Path(__file__).parents[1] / name
    spec = importlib.util.find_spec(name)
    if spec is None or str(ours) in (spec.submodule_search_locations or ()):
        return
    other = importlib.import_module(name)
    folders = [Path(folder) for folder in getattr(other, "__path__", ())]
    taken = {path.stem for folder in folders for path in folder.iterdir()} & {path.stem for path in ours.iterdir()}
    if both := sorted(taken - {"__init__", "__pycache__"}):
        raise ImportError(
            f"highband can't be imported beside {other.__file__}, which has a '{both[0]}' as its own '{name}' has: "
            "start Python with -P where the program does not need the other, or rename that"
        )
    other.__path__ = [*map(str, folders), str(ours)]


for _name in ("dsp", "models"):
    _find_behind_others(_name)
