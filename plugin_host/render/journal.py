"""What was rendered into a folder, so that a stopped batch goes on where it was."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any, BinaryIO

from plugin_host.files.audio_reader import reason

JOURNAL_NAME = ".highband-render.jsonl"


class Journal:
    """What was rendered into one folder: a line of JSON for each output, appended when it is complete.

    Damaged and unknown lines are ignored; the last line of an output counts.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / JOURNAL_NAME
        self._lines: dict[str, dict[str, Any]] = {}
        try:
            text = self._path.read_text("utf-8", errors="replace")
        except OSError:
            return
        for line in text.splitlines():
            try:
                entry = json.loads(line)
                self._lines[entry["output"]] = entry
            except (ValueError, KeyError, TypeError, RecursionError):
                continue

    def is_done(self, source: Path, target: Path, digest: str) -> bool:
        """Whether the output is there, untouched, made of this very input with these settings."""
        entry = self._lines.get(target.name, {})
        return self.is_ours(target) and entry.get("settings") == digest and entry.get("input") == _named(source)

    def is_ours(self, target: Path) -> bool:
        """Whether the output is a file that was rendered here and not changed since."""
        entry = self._lines.get(target.name, {})
        return target.exists() and entry.get("made") == _trace(target)

    def add(self, source: Path, target: Path, digest: str) -> None:
        """Note a complete output; a journal that can't be written costs only the resuming."""
        entry = {"output": target.name, "made": _trace(target), "input": _named(source), "settings": digest}
        self._lines[target.name] = entry
        try:
            # A line cut off by a crash must not swallow this one.
            with open(self._path, "a+b") as file:
                torn = file.tell() > 0 and not _ends_a_line(file)
                file.write(b"\n" * torn + json.dumps(entry).encode() + b"\n")
        except OSError:
            return


def _trace(path: Path) -> dict[str, Any]:
    try:
        status = path.stat()
    except OSError as error:
        return {"missing": reason(error)}
    return {"size": status.st_size, "mtime_ns": status.st_mtime_ns}


def _named(path: Path) -> dict[str, Any]:
    return {"path": str(path.resolve()), **_trace(path)}


def _ends_a_line(file: BinaryIO) -> bool:
    file.seek(-1, os.SEEK_END)
    return file.read(1) == b"\n"
