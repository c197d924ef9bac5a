"""Keys for control over a network: a pair of files, one for the host and one for its clients.

Each file holds its own CURVE key pair and the other's public key, so that both sides know whom they talk to.
"""

from __future__ import annotations

import json
import os
import re
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from models.atomic_write import write_atomically

Role = Literal["host", "client"]
FORM = 1
_KEY = re.compile(r"[0-9A-Za-z.\-:+=^!/*?&<>()\[\]{}@%$#]{40}")
_LARGEST_BYTES = 4096


class KeyFileError(ValueError):
    """A key file that can't be made, read or trusted; the text is one sentence."""


@dataclass(frozen=True)
class Keys:
    """One side's keys, in the 40 letters of Z85.

    Attributes:
        role: Whose they are.
        public, secret: Its own pair.
        peer: The other side's public key.
    """

    role: Role
    public: str
    secret: str
    peer: str

    def __repr__(self) -> str:
        return f"Keys({self.role}, {self.public})"


def file_name(role: Role) -> str:
    """Return the name of a side's file."""
    return f"highband-{role}.key"


def make_keys(folder: Path) -> tuple[Path, Path]:
    """Make both files in a folder, readable by their owner alone, and return host's and client's.

    Raises:
        KeyFileError: They are there already, or can't be written.
    """
    import zmq

    pairs = [tuple(key.decode() for key in zmq.curve_keypair()) for _ in range(2)]
    (host_public, host_secret), (client_public, client_secret) = pairs
    both = (
        Keys("host", host_public, host_secret, client_public),
        Keys("client", client_public, client_secret, host_public),
    )
    paths = tuple(folder / file_name(keys.role) for keys in both)
    for path in paths:
        if path.exists():
            raise KeyFileError(f"{path} is there already; remove it to make new keys, or choose another folder")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for keys, path in zip(both, paths, strict=True):
            _write(keys, path)
    except OSError as error:
        raise KeyFileError(f"{folder} can't take the keys: {error.strerror or error}") from None
    return paths[0], paths[1]


def read_keys(path: Path, role: Role) -> Keys:
    """Read a side's file; raise KeyFileError if it is another side's, damaged, or open to other users."""
    try:
        with path.open("rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            data = file.read(_LARGEST_BYTES + 1)
    except OSError as error:
        raise KeyFileError(f"{path} can't be read: {error.strerror or error}") from None
    if os.name == "posix" and stat.S_IMODE(mode) & 0o077:
        raise KeyFileError(f"{path} can be read by other users; run chmod 600 on it")
    try:
        plain = json.loads(data)
        keys = Keys(plain["role"], plain["public"], plain["secret"], plain["peer"])
        sound = plain["form"] == FORM and len(data) <= _LARGEST_BYTES
        sound = sound and all(_KEY.fullmatch(key) for key in (keys.public, keys.secret, keys.peer))
    except (ValueError, TypeError, KeyError, RecursionError):
        sound = False
    if not sound:
        raise KeyFileError(f"{path} is no key file; make a new pair with highband keys")
    if keys.role != role:
        raise KeyFileError(f"{path} is not the {role}'s file; give {file_name(role)}")
    return keys


def _write(keys: Keys, path: Path) -> None:
    plain = {"form": FORM, "role": keys.role, "public": keys.public, "secret": keys.secret, "peer": keys.peer}
    write_atomically(path, (json.dumps(plain, indent=2) + "\n").encode(), mode=0o600)
