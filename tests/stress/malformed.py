"""Malformed messages for the control interfaces of a host."""

from __future__ import annotations

import json
import random
from typing import Any

_WHOLE: dict[str, Any] = {"version": 1, "id": 7, "do": "set", "knob": "amount", "value": -3.0}
_WRONG: tuple[dict[str, Any], ...] = (
    {"version": 2}, {"version": True}, {"do": "explode"}, {"do": None}, {"knob": "nothing"}, {"knob": "k" * 5000},
    {"value": 1e308}, {"value": "loud"}, {"value": [1, 2]}, {"value": {}}, {"value": None}, {"extra": 1},
    {"origin": "../../etc"}, {"origin": ""}, {"knob": 3}, {"id": {"deep": [1]}, "value": -900},
)  # fmt: skip
_OSC = b"/parameter/extender/amount\0\0,f\0\0"


def request(chance: random.Random) -> list[bytes]:
    """Return the parts of a request that any host must refuse."""
    kind = chance.randrange(6)
    text = json.dumps({**_WHOLE, **chance.choice(_WRONG)}).encode()
    if kind == 0:
        return [chance.randbytes(chance.randrange(1, 300))]
    if kind == 1:
        return [json.dumps(_WHOLE).encode()[: chance.randrange(1, 60)]]
    if kind == 2:
        return [b"[" * chance.randrange(10, 20000)]
    if kind == 3:
        return [text, chance.randbytes(9)]
    if kind == 4:
        place = chance.randrange(len(text))
        # A zero byte is never part of JSON.
        return [text[:place] + b"\0" + text[place:]]
    return [text]


def osc_packet(chance: random.Random) -> bytes:
    """Return a packet that moves nothing."""
    kind = chance.randrange(5)
    if kind == 0:
        return chance.randbytes(chance.randrange(300))
    if kind == 1:
        return _OSC + chance.choice([b"\x7f\xc0\0\0", b"\x7f\x80\0\0", b"\x49\x74\x24\0", b"\0"])
    if kind == 2:
        return b"#bundle\0" + chance.randbytes(chance.randrange(60))
    if kind == 3:
        return _OSC[: chance.randrange(1, len(_OSC))]
    return b"/" + chance.randbytes(chance.randrange(1, 40)) + b"\0,s\0\0" + chance.randbytes(8)


def preset(chance: random.Random, whole: bytes) -> bytes:
    """Return a preset file with random bytes: all of it, or in the middle of a right one."""
    if chance.random() < 0.4:
        return chance.randbytes(chance.randrange(2000))
    place = chance.randrange(len(whole))
    return whole[:place] + chance.randbytes(chance.randrange(1, 20)) + whole[place + chance.randrange(40) :]
