"""The run of a plain folder of recordings: a shipped model is trained further on them."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from models.atomic_write import write_atomically
from models.training.data import corpus
from models.training.predictor.run import read_run

_SHIPPED = Path(__file__).parent / "runs"
_NOTE = "# Written by highband train; change what you like and train it again under another name.\n"


def write_run(folder: Path, runs: Path, artifact: str = "live") -> Path:
    """Write the run file of a folder, unless it is there already, and return its path.

    Args:
        folder: Recordings, with a manifest or without.
        runs: Folder of runs, which receives the file.
        artifact: Shipped model to start from, by its name.

    Raises:
        ValueError: The folder holds no recording, or there is no such model; one sentence.
    """
    name = re.sub(r"[^a-z0-9]+", "-", folder.resolve().name.lower()).strip("-") or "recordings"
    file = runs / f"{name}.toml"
    if file.exists():
        return file
    template = _SHIPPED / f"{artifact}.toml"
    if not template.is_file():
        raise ValueError(f"there is no run of a model '{artifact}' to start from; start from live or studio")
    counts = Counter(corpus.categories(folder))
    values = read_run(template).model_dump(mode="json", exclude_unset=True) | {
        "name": name,
        "about": f"{artifact}, trained further on {folder.resolve().name}.",
        "corpus": str(folder.resolve()),
        "artifact": artifact,
        "amplifiers": 0,
        "synthesizers": 0,
        "augmentation": {"categories": {kind: count / counts.total() for kind, count in sorted(counts.items())}},
    }
    values.pop("start", None)
    runs.mkdir(parents=True, exist_ok=True)
    write_atomically(file, (_NOTE + _toml(values)).encode())
    return file


def _toml(values: Mapping[str, Any], table: str = "") -> str:
    """Return plain values as TOML, which writes them as JSON does."""
    plain = [f"{_key(key)} = {json.dumps(value)}" for key, value in values.items() if not isinstance(value, dict)]
    text = "\n".join([f"\n[{table}]"] * bool(table and plain) + plain) + "\n" * bool(plain)
    inner = {f"{table}.{key}".lstrip("."): value for key, value in values.items() if isinstance(value, dict)}
    return text + "".join(_toml(value, name) for name, value in inner.items())


def _key(key: str) -> str:
    return key if re.fullmatch(r"[A-Za-z0-9_-]+", key) else json.dumps(key)
