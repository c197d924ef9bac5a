"""The messages of the control protocol: JSON with a version, checked whole before anything is done.

A request is one object, `{"version": 1, "id": 7, "do": "set", "knob": "amount", "value": -3}`, and has exactly one
reply, `{"version": 1, "id": 7, "ok": true, ...}` or `{..., "ok": false, "error": NAME, "sentence": TEXT}`. Names of
errors are stable; docs/control-protocol.md lists them.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any, NoReturn

from pydantic import ValidationError as SchemaError
from pydantic_core import PydanticSerializationError, to_json

from plugin_host.control.request import COMMANDS, REQUEST, Request
from plugin_host.settings.changes import Accepted, Change

VERSION = 1
LARGEST_BYTES = 64 * 1024
DEEPEST = 8
TOPICS = ("meters", "spectra", "stats", "midi", "changes")
# A float has 17 digits; what is longer is an attack on the parser and not a number.
_MOST_DIGITS = 32


class Refusal(ValueError):
    """A message that was refused.

    Attributes:
        kind: The stable name of the error.
        id: The request's own id, as far as it could be read.
    """

    def __init__(self, kind: str, sentence: str, id: int | str | None = None) -> None:
        super().__init__(sentence)
        self.kind, self.id = kind, id


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
        return REQUEST.validate_python(message)
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
        return to_json(message, inf_nan_mode="null")
    except (PydanticSerializationError, UnicodeError):
        return json.dumps(_plain(message), allow_nan=False, separators=(",", ":")).encode()


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
        message = _DECODER.decode(data.decode())
    except Refusal:
        raise
    except RecursionError:
        message = None
        deep = True
    except ValueError:
        raise Refusal("bad_json", "the message is not JSON in UTF-8") from None
    else:
        # What opens so seldom can't be deep; to count is quicker than to look.
        deep = data.count(b"{") + data.count(b"[") > DEEPEST and _is_deep(message)
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


# One for all messages, as making one takes longer than reading a message with it.
_DECODER = json.JSONDecoder(parse_constant=_no_number, parse_int=_whole, object_pairs_hook=_unique)


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
