"""Tries a plug-in in a process of its own, where a crash ends nobody's sound; run as a script, it is that process."""

from __future__ import annotations

import functools
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

# Hosts hand over no more at once, and plug-ins are built for that.
LARGEST_BLOCK = 8192
_RATE, _BLOCK = 48000, 512
# Some crash only once their buffers have gone round.
_PLAYED_S = 3.0
_PATIENCE_S = 60.0


def fault_of(path: Path, name: str | None, state: str | None, settings: dict[str, Any]) -> str:
    """Load a plug-in in another process and play noise through it; return why it can't be used, or "".

    Args:
        path: The plug-in's file or bundle.
        name: Of one plug-in in a bundle of several.
        state: Its state in base64.
        settings: Its settings by key.

    Returns:
        "crashes (SIGSEGV)" or the like. What can be said without a crash is left to those who load it afterwards.
    """
    wishes = json.dumps({"path": str(path), "name": name, "state": state, "settings": settings})
    return _fault(wishes, path.stat().st_mtime_ns)


@functools.lru_cache(maxsize=256)
def _fault(wishes: str, stamp: int) -> str:
    """Remember each answer until the file changes: a chain edit tries no plug-in twice."""
    # -P keeps this folder out of the way of the standard library.
    command = [sys.executable, "-P", __file__]
    try:
        done = subprocess.run(command, input=wishes.encode(), capture_output=True, timeout=_PATIENCE_S, check=False)
    except subprocess.TimeoutExpired:
        return f"does not answer within {_PATIENCE_S:g} s"
    if done.returncode >= 0:
        return ""
    try:
        return f"crashes ({signal.Signals(-done.returncode).name})"
    except ValueError:
        return f"crashes (signal {-done.returncode})"


def _try(wishes: dict[str, Any]) -> None:
    import base64

    import numpy as np
    import pedalboard

    any_pedalboard: Any = pedalboard
    plugin = any_pedalboard.load_plugin(wishes["path"], plugin_name=wishes["name"])
    if wishes["state"]:
        plugin.raw_state = base64.b64decode(wishes["state"])
    for key, value in wishes["settings"].items():
        setattr(plugin, key, value)
    noise = 0.1 * np.random.default_rng(0).standard_normal((2, LARGEST_BLOCK)).astype(np.float32)
    for width in (2, 1):
        try:
            plugin.process(noise[:width], _RATE, buffer_size=LARGEST_BLOCK, reset=False)
        except (ValueError, RuntimeError):
            continue
        for _ in range(round(_PLAYED_S * _RATE / _BLOCK)):
            plugin.process(noise[:width, :_BLOCK], _RATE, buffer_size=LARGEST_BLOCK, reset=False)
        return


if __name__ == "__main__":
    try:
        _try(json.load(sys.stdin))
    except Exception:
        # Whatever is raised is raised again, with a sentence, where the plug-in is loaded in earnest.
        sys.exit(0)
    # Some crash when they are taken apart, which happens after the last sound.
    sys.stdout.flush()
    os._exit(0)
