"""The declaration of a knob: its name, unit, range, curve and glide.

Values are plain numbers in their unit; a position 0..1 exists only at the edges (a MIDI controller, a drawn knob).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

Curve = Literal["linear", "log", "switch"]


@dataclass(frozen=True)
class Control:
    """One knob of a stage.

    Attributes:
        id: Stable name used by presets, messages and the command line; never reused for another meaning.
        name: What a person reads.
        unit: "Hz", "dB", "dB/oct", "%" or "" for a switch.
        low, high: Range of the value, in the unit.
        default: Value at start, in the unit.
        curve: How the position 0..1 maps onto the value; a switch is 0 or 1.
        glide_ms: Time in which the value moves to a new target.
        automatic: Whether the value 0 is allowed below `low` and means "auto".
        about: One sentence on what it does.
    """

    id: str
    name: str
    unit: str
    low: float
    high: float
    default: float
    curve: Curve = "linear"
    glide_ms: float = 25.0
    automatic: bool = False
    about: str = ""

    def check(self, value: float) -> float:
        """Return the value, or raise ValueError with a sentence that names the range."""
        value = float(value)
        if self.automatic and value == 0.0:
            return 0.0
        if not math.isfinite(value) or not self.low <= value <= self.high:
            raise ValueError(f"{self.id} must be {self.range_text()}, not {value:g}")
        if self.curve == "switch" and value not in (0.0, 1.0):
            raise ValueError(f"{self.id} must be on or off, not {value:g}")
        return value

    def to_position(self, value: float) -> float:
        """Map a value in its unit to 0..1; auto maps to 0."""
        if self.automatic and value == 0.0:
            return 0.0
        if self.curve == "log":
            position = math.log(value / self.low) / math.log(self.high / self.low)
        else:
            position = (value - self.low) / (self.high - self.low)
        return min(1.0, max(0.0, position))

    def from_position(self, position: float) -> float:
        """Map 0..1 to a value in its unit, inside the range."""
        position = min(1.0, max(0.0, position))
        if self.curve == "switch":
            return float(position >= 0.5)
        if self.curve == "log":
            value = self.low * math.pow(self.high / self.low, position)
        else:
            value = self.low + (self.high - self.low) * position
        return min(self.high, max(self.low, value))

    def to_text(self, value: float) -> str:
        """Write a value as a person reads it: "6.3 kHz", "-3 dB", "auto", "on"."""
        if self.automatic and value == 0.0:
            return "auto"
        if self.curve == "switch":
            return "on" if value else "off"
        if self.unit == "Hz" and value >= 1000.0:
            return f"{value / 1000.0:.6g} kHz"
        return f"{value:.6g} {self.unit}".rstrip()

    def from_text(self, text: str) -> float:
        """Read what `to_text` writes, or a plain number; raise ValueError with a sentence otherwise."""
        word = text.strip().lower()
        if self.automatic and word == "auto":
            return 0.0
        if self.curve == "switch" and word in _SWITCH_WORDS:
            return _SWITCH_WORDS[word]
        scale = 1.0
        for ending, factor in (("khz", 1000.0), (self.unit.lower(), 1.0)):
            if ending and word.endswith(ending):
                word, scale = word[: -len(ending)].strip(), factor
                break
        try:
            # Half the world writes a comma before the fraction.
            value = float(word.replace(",", ".")) * scale
        except ValueError:
            raise ValueError(f"{self.id} must be {self.range_text()}, not '{text}'") from None
        return self.check(value)

    def range_text(self) -> str:
        """Describe the allowed values in words."""
        if self.curve == "switch":
            return "on or off"
        words = f"between {self.low:g} and {self.high:g} {self.unit}".rstrip()
        return f"auto or {words}" if self.automatic else words


_SWITCH_WORDS = {"on": 1.0, "off": 0.0, "true": 1.0, "false": 0.0, "yes": 1.0, "no": 0.0}
