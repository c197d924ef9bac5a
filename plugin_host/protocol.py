"""The messages of the control protocol: JSON with a version, checked whole before anything is done.

A request is one object, `{"version": 1, "id": 7, "do": "set", "knob": "amount", "value": -3}`, and has exactly one
reply, `{"version": 1, "id": 7, "ok": true, ...}` or `{..., "ok": false, "error": NAME, "sentence": TEXT}`. Names of
errors are stable; docs/control-protocol.md lists them.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Annotated, Any, Literal, NoReturn

from pydantic import BaseModel, ConfigDict, Field, StrictBool, StrictFloat, StrictInt, StrictStr, TypeAdapter
from pydantic import ValidationError as SchemaError

from plugin_host.changes import Accepted, Change

VERSION = 1
LARGEST_BYTES = 64 * 1024
DEEPEST = 8
TOPICS = ("meters", "spectra", "stats", "changes")
# A float has 17 digits; what is longer is an attack on the parser and not a number.
_MOST_DIGITS = 32

Name = Annotated[StrictStr, Field(min_length=1, max_length=80)]
Origin = Annotated[StrictStr, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9 ._-]{0,31}$")]
Value = StrictFloat | StrictInt | Annotated[StrictStr, Field(max_length=64)]
Slot = Literal["A", "B", "C", "D"]
Node = dict[StrictStr, Any]


class Refusal(ValueError):
    """A message that was refused.

    Attributes:
        kind: The stable name of the error.
        id: The request's own id, as far as it could be read.
    """

    def __init__(self, kind: str, sentence: str, id: int | str | None = None) -> None:
        super().__init__(sentence)
        self.kind, self.id = kind, id


class _Request(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    version: Literal[1]
    id: StrictInt | Annotated[StrictStr, Field(max_length=64)] | None = None
    origin: Origin = "zmq"


class Describe(_Request):
    """Ask for the knobs, the commands and the place of the telemetry."""

    do: Literal["describe"]


class Get(_Request):
    """Ask for one knob's setting, or for all."""

    do: Literal["get"]
    knob: Name | None = None


class Set(_Request):
    """Move a knob; a value in its unit or a text."""

    do: Literal["set"]
    knob: Name
    value: Value
    gesture: Name | None = None


class SetMany(_Request):
    """Move several knobs at the same sample, or none of them."""

    do: Literal["set_many"]
    values: Annotated[dict[Name, Value], Field(min_length=1, max_length=256)]
    gesture: Name | None = None


class EndGesture(_Request):
    """End a drag."""

    do: Literal["end_gesture"]
    gesture: Name


class LoadPreset(_Request):
    """Play a preset."""

    do: Literal["load_preset"]
    name: Name


class SavePreset(_Request):
    """Keep what plays as a preset of the user's own folder."""

    do: Literal["save_preset"]
    name: Name
    description: Annotated[StrictStr, Field(max_length=1000)] = ""
    overwrite: StrictBool = False


class SetChain(_Request):
    """Put other effects around the model."""

    do: Literal["set_chain"]
    before: Annotated[list[Node], Field(max_length=64)]
    after: Annotated[list[Node], Field(max_length=64)]


class SelectSlot(_Request):
    """Hear another slot."""

    do: Literal["select_slot"]
    slot: Slot


class CopySlot(_Request):
    """Copy one slot to another."""

    do: Literal["copy_slot"]
    source: Slot
    target: Slot


class Bypass(_Request):
    """Switch the bypass."""

    do: Literal["bypass"]
    on: StrictBool


class Plain(_Request):
    """A command that needs nothing but its name."""

    do: Literal["presets", "chain", "slots", "undo", "redo", "stats", "meters", "spectra", "snapshot"]


Request = (
    Describe | Get | Set | SetMany | EndGesture | LoadPreset | SavePreset | SetChain | SelectSlot | CopySlot | Bypass
    | Plain
)  # fmt: skip
_REQUEST: TypeAdapter[Request] = TypeAdapter(Annotated[Request, Field(discriminator="do")])
COMMANDS = (
    "describe", "get", "set", "set_many", "end_gesture", "presets", "load_preset", "save_preset", "chain", "set_chain",
    "slots", "select_slot", "copy_slot", "bypass", "undo", "redo", "stats", "meters", "spectra", "snapshot",
)  # fmt: skip


def read_request(data: bytes) -> Request:
    """Read and check one request; raise Refusal for anything else, whatever the bytes are."""
    message = _read_json(data)
    if not isinstance(message, dict):
        raise Refusal("bad_message", 'a message is a JSON object such as {"version": 1, "do": "get"}')
    id = _plain_id(message.get("id"))
    if message.get("version") != VERSION or isinstance(message.get("version"), bool):
        raise Refusal("wrong_version", f'this host speaks "version": {VERSION}; add it or update your program', id)
    if message.get("do") not in COMMANDS:
        raise Refusal("unknown_command", f'"do" must be one of {", ".join(COMMANDS)}', id)
    try:
        return _REQUEST.validate_python(message)
    except SchemaError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        place = ".".join(str(part) for part in first["loc"][1:])[:80] or "the message"
        raise Refusal("bad_message", f"{place}: {first['msg'][:200]}", id) from None


def accept(id: int | str | None, **content: Any) -> bytes:
    """Write the reply to a request that was done."""
    return write({"version": VERSION, "id": id, "ok": True, **content})


def refuse(id: int | str | None, kind: str, sentence: str) -> bytes:
    """Write the reply to a request that was refused."""
    return write({"version": VERSION, "id": id, "ok": False, "error": kind, "sentence": sentence})


def write(message: Mapping[str, Any]) -> bytes:
    """Write a message; numbers that JSON has not, such as the level of silence in dB, become null."""
    try:
        text = json.dumps(message, allow_nan=False, separators=(",", ":"))
    except (TypeError, ValueError):
        text = json.dumps(_plain(message), allow_nan=False, separators=(",", ":"))
    return text.encode()


def setting(accepted: Accepted) -> dict[str, Any]:
    """Write a knob's setting: the value in its unit, as text, and where the knob points."""
    return {
        "value": accepted.value,
        "text": accepted.text,
        "position": round(accepted.position, 6),
        "sequence": accepted.sequence,
    }


def change(change: Change) -> dict[str, Any]:
    """Write a change for the topic "changes"."""
    return {
        "sequence": change.sequence, "origin": change.origin, "cause": change.cause, "slot": change.slot,
        "settings": {accepted.name: setting(accepted) for accepted in change.accepted},
    }  # fmt: skip


def _read_json(data: bytes) -> Any:
    if len(data) > LARGEST_BYTES:
        raise Refusal("too_large", f"a message has at most {LARGEST_BYTES // 1024} KiB, not {len(data) // 1024}")
    try:
        message = json.loads(data.decode(), parse_constant=_no_number, parse_int=_whole, object_pairs_hook=_unique)
    except Refusal:
        raise
    except RecursionError:
        message = None
        deep = True
    except ValueError:
        raise Refusal("bad_json", "the message is not JSON in UTF-8") from None
    else:
        deep = _is_deep(message)
    if deep:
        raise Refusal("too_deep", f"a message is nested at most {DEEPEST} levels deep")
    return message


def _no_number(word: str) -> NoReturn:
    raise Refusal("bad_json", f"{word} is not a number in JSON")


def _whole(digits: str) -> int:
    if len(digits) > _MOST_DIGITS:
        raise Refusal("bad_json", f"a number has at most {_MOST_DIGITS} digits")
    return int(digits)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) < len(pairs):
        raise Refusal("bad_json", "a field stands twice in one object")
    return members


def _is_deep(message: Any) -> bool:
    level = [message]
    for _ in range(DEEPEST + 1):
        level = [
            part
            for one in level
            if isinstance(one, (dict, list))
            for part in (one.values() if isinstance(one, dict) else one)
        ]
    return bool(level)


def _plain_id(id: Any) -> int | str | None:
    if isinstance(id, str):
        return id[:64]
    return id if isinstance(id, int) and not isinstance(id, bool) else None


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _plain(part) for key, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(part) for part in value]
    if isinstance(value, (str, bool, int)) or value is None:
        return value
    try:
        number = float(value)
    except (TypeError, ValueError):
        return str(value)
    return number if math.isfinite(number) else None
