"""The ways in which endless encoders write their steps into a value of 0..127."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import pairwise
from typing import Literal, get_args

RelativeKind = Literal["twos_complement", "binary_offset", "sign_magnitude"]
RELATIVE_KINDS: tuple[RelativeKind, ...] = get_args(RelativeKind)


def twos_complement(value: int) -> int:
    """Read 1, 2, .. as +1, +2, .. and 127, 126, .. as -1, -2, .."""
    return value - 128 if value > 63 else value


def binary_offset(value: int) -> int:
    """Read 65, 66, .. as +1, +2, .. and 63, 62, .. as -1, -2, .."""
    return value - 64


def sign_magnitude(value: int) -> int:
    """Read 1, 2, .. as +1, +2, .. and 65, 66, .. as -1, -2, .."""
    return 64 - value if value > 63 else value


STEPS: Mapping[RelativeKind, Callable[[int], int]] = {
    "twos_complement": twos_complement,
    "binary_offset": binary_offset,
    "sign_magnitude": sign_magnitude,
}


def guess(values: list[int]) -> RelativeKind | None:
    """Return the encoder's kind from the values that it sent, or None for a plain knob.

    A knob sends only what changed, so the same value twice in a row comes from an encoder. Turning one
    way can't separate all kinds; then the commoner is returned, and turning it both ways decides.
    """
    if not any(one == next_one for one, next_one in pairwise(values)):
        return None
    sent = set(values)
    if sent <= {*range(1, 16), *range(112, 128)}:
        return "twos_complement"
    if sent <= {*range(48, 64), *range(65, 80)}:
        return "binary_offset"
    if sent <= {*range(1, 16), *range(65, 80)}:
        return "sign_magnitude"
    return None
