"""Where the user's own files are kept; read by the shell's completion too, so that nothing heavy is imported here."""

from __future__ import annotations

from pathlib import Path

import platformdirs


def presets_folder() -> Path:
    """Return the folder of the user's own presets; it need not exist."""
    return Path(platformdirs.user_data_path("highband", appauthor=False)) / "presets"


def maps_folder() -> Path:
    """Return the folder of the user's own maps of MIDI controllers; it need not exist."""
    return Path(platformdirs.user_config_path("highband", appauthor=False)) / "controllers"
