"""The instances that DAWs have open: their files in the runtime folder, found, read and swept."""

from __future__ import annotations

import contextlib
import json
import os
import struct
from dataclasses import dataclass
from pathlib import Path

from plugin_host.plugin.product import PluginError

_CONSTANTS = struct.Struct("<6IQ256s1024s1024s64sI")
_MAGIC, _LAYOUT = 0x48424E44, 3
SUFFIX, NOTE_SUFFIX = ".region", ".json"


@dataclass(frozen=True)
class Instance:
    """A plug-in in a DAW.

    Attributes:
        path: Its shared memory.
        pid: The DAW's process.
        rate: In Hz.
        channels: 1 or 2.
        stage, folder: What it plays; see `Product`.
        library: The plug-in's library.
        product: The plug-in's name.
    """

    path: Path
    pid: int
    rate: int
    channels: int
    stage: str
    folder: str
    library: Path
    product: str

    @property
    def name(self) -> str:
        """What people call it by: the plug-in and a number."""
        return f"{self.product.lower().replace(' ', '-')}-{self.path.stem.rpartition('-')[0]}"

    @property
    def is_alive(self) -> bool:
        """Whether the DAW's process is there."""
        try:
            os.kill(self.pid, 0)
        except ProcessLookupError:
            return False
        except PermissionError:
            pass
        return self.path.exists()


def runtime_folder() -> Path:
    """Return the folder of the instances, made if need be; raise PluginError if it is not this user's own."""
    given = os.environ.get("XDG_RUNTIME_DIR")
    folder = Path(given) / "highband" if given else Path(f"/tmp/highband-{os.geteuid()}")
    try:
        with contextlib.suppress(FileExistsError):
            folder.mkdir(mode=0o700)
        found = folder.lstat()
    except OSError as error:
        raise PluginError(f"{folder} can't be made: {error.strerror or error}") from None
    if found.st_uid != os.geteuid() or found.st_mode & 0o077 or folder.is_symlink():
        raise PluginError(f"{folder} must be a folder of your own that others can't open: remove it")
    return folder


def instances() -> list[Instance]:
    """Return the instances of living processes."""
    return [found for path in sorted(runtime_folder().glob(f"*{SUFFIX}")) if (found := read_instance(path))]


def control_address(name: str) -> str:
    """Return where an instance is controlled.

    Args:
        name: The instance's name, or that of its track where no other instance is on a track of this name.

    Raises:
        PluginError: None has this name, several have, or no engine plays it; one sentence.
    """
    found = instances()
    named = [one for one in found if one.name == name] or [one for one in found if track_of(one) == name != ""]
    if len(named) > 1:
        raise PluginError(f"several plug-ins are on a track '{name}'; choose one of {_listed(named)}")
    if not named:
        raise PluginError(f"no DAW has a plug-in '{name}' open; there are: {_listed(found) or 'none is open'}")
    address = read_note(named[0]).get("control")
    if not address:
        raise PluginError(f"no engine plays {name} now; let the DAW play for a moment")
    return str(address)


def track_of(instance: Instance) -> str:
    """Return the name of the track that an instance is on, as its engine knows it, or ""."""
    return str(read_note(instance).get("track", ""))


def _listed(found: list[Instance]) -> str:
    return ", ".join(f"{one.name} ({track})" if (track := track_of(one)) else one.name for one in found)


def read_note(instance: Instance) -> dict[str, str | int]:
    """Return where an instance is controlled: "control", an address of ZeroMQ, and "osc", a port; or nothing."""
    try:
        return dict(json.loads(instance.path.with_suffix(NOTE_SUFFIX).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return {}


def read_instance(path: Path) -> Instance | None:
    """Return an instance, or None if the file is no region or not whole yet."""
    try:
        with open(os.open(path, os.O_RDONLY | os.O_NOFOLLOW), "rb") as file:
            data = file.read(_CONSTANTS.size)
    except OSError:
        return None
    if len(data) < _CONSTANTS.size:
        return None
    layout, _, channels, rate, _, pid, _, stage, folder, library, product, magic = _CONSTANTS.unpack(data)
    if magic != _MAGIC or layout != _LAYOUT or not 1 <= channels <= 2:
        return None
    texts = [text.split(b"\0")[0].decode(errors="replace") for text in (stage, folder, library, product)]
    return Instance(path, pid, rate, channels, texts[0], texts[1], Path(texts[2]), texts[3])


def sweep() -> int:
    """Remove what processes left that are gone; returns how many files."""
    swept = 0
    for path in (*runtime_folder().glob(f"*{SUFFIX}"), *runtime_folder().glob(f"*{NOTE_SUFFIX}")):
        owner = path.name.partition("-")[0]
        if owner.isdecimal() and not Path(f"/proc/{owner}").exists() and Path("/proc/self").exists():
            path.unlink(missing_ok=True)
            swept += 1
    return swept
