"""The last session: what was playing and how it was set, so that it can go on after a crash or a restart."""

from __future__ import annotations

from pathlib import Path

import platformdirs
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from models.atomic_write import write_atomically
from plugin_host.files.audio_error import reason

FORMAT = 1


class SessionError(ValueError):
    """A session file that can't be used, in one sentence for people."""


class Session(BaseModel):
    """What a session file holds.

    Attributes:
        format: Version of this form.
        preset: Name or path, "" for none.
        artifact: Name or path, None for the preset's or the default.
        settings: Control id to value in its unit.
        patch: Wires of our ports on the JACK server, None on another device.
        recording: Folder of the takes that are being written, None after a clean end.
    """

    model_config = ConfigDict(extra="ignore", allow_inf_nan=False)
    format: int = FORMAT
    preset: str = ""
    artifact: str | None = None
    settings: dict[str, float] = Field(default_factory=dict)
    patch: list[tuple[str, str]] | None = None
    recording: str | None = None


def session_path() -> Path:
    """Return where this user's last session is kept."""
    return Path(platformdirs.user_state_dir("highband", appauthor=False)) / "last-session.json"


def read_session(path: Path) -> Session:
    """Read a session; raise SessionError with one sentence if it can't be used."""
    try:
        session = Session.model_validate_json(path.read_bytes())
    except OSError as error:
        raise SessionError(f"{path} can't be read: {reason(error)}") from None
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "the file"
        raise SessionError(f"{path} is not a session: {where}: {first['msg']}; start without --resume") from None
    if session.format > FORMAT:
        raise SessionError(f"{path} was made by a newer Highband: upgrade, or start without --resume")
    return session


def write_session(path: Path, session: Session) -> None:
    """Write a session, whole or not at all; raise SessionError if the place can't be written."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, (session.model_dump_json(indent=2) + "\n").encode(), mode=0o600)
    except OSError as error:
        raise SessionError(f"{path} can't be written: {reason(error)}") from None
