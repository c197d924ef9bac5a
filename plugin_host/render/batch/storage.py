"""Files here and elsewhere: paths as they are, and addresses such as s3://, http:// and ssh:// by fsspec."""

from __future__ import annotations

import hashlib
import os
import posixpath
import re
from collections.abc import Callable, Iterator
from typing import Any

_ADDRESS = re.compile(r"[a-z][a-z0-9+]*://")
_MAGIC = re.compile(r"[*?\[]")


def is_remote(path: str) -> bool:
    """Return whether a path is an address."""
    return "://" in path and _ADDRESS.match(path) is not None


def join(folder: str, name: str) -> str:
    """Return the path of a file in a folder, here or elsewhere."""
    return posixpath.join(folder, name) if is_remote(folder) else os.path.join(folder, name)


def filesystem(address: str) -> tuple[Any, str]:
    """Return the file system of an address, and its path there.

    Raises:
        ValueError: The library for it is not installed.
    """
    try:
        import fsspec

        system, path = fsspec.core.url_to_fs(address)
    except ImportError as error:
        raise ValueError(f"{address} needs another library: {error}; install highband[cluster]") from None
    return system, path


def find(address: str, is_wanted: Callable[[str], bool]) -> Iterator[tuple[str, str]]:
    """Yield (address, path below the folder) of the files of a folder or a glob elsewhere, or of a file."""
    system, path = filesystem(address)
    if _MAGIC.search(path):
        root = path[: _MAGIC.search(path).start()].rpartition("/")[0]  # type: ignore[union-attr]
        found = [name for name in system.glob(path) if is_wanted(name)]
    elif system.isdir(path):
        root = path.rstrip("/")
        found = [name for name in system.find(path) if is_wanted(name)]
    else:
        yield address, posixpath.basename(path)
        return
    for name in sorted(found):
        relative = name[len(root) :].lstrip("/")
        if not any(part.startswith(".") for part in relative.split("/")):
            yield system.unstrip_protocol(name), relative


def exists(path: str) -> bool:
    """Return whether there is a file, or a link to nowhere."""
    if is_remote(path):
        system, place = filesystem(path)
        return bool(system.exists(place))
    return os.path.lexists(path)


def trace_of(path: str) -> tuple[int, int] | None:
    """Return a file's size and time of change, elsewhere what stands for that; None where there is none."""
    if not is_remote(path):
        try:
            status = os.stat(path)
        except OSError:
            return None
        return status.st_size, status.st_mtime_ns
    system, place = filesystem(path)
    try:
        found = system.info(place)
    except OSError:
        return None
    mark = str(found.get("ETag") or found.get("mtime") or found.get("LastModified") or "")
    return int(found.get("size") or 0), int.from_bytes(hashlib.sha256(mark.encode()).digest()[:7], "big")
