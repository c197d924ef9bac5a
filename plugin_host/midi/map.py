"""The map of a controller: which of its knobs moves which of ours; it belongs to the rig and no preset holds it."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    Strict,
    StringConstraints,
    model_validator,
)
from pydantic_core import PydanticCustomError

from models.control import Control
from models.extender import controls as knobs
from plugin_host.midi.relative_encoder import RELATIVE_KINDS

SCHEMA = 1

SourceKind = Literal["cc", "cc14", "nrpn", "note"]
BindingKind = Literal["absolute", "toggle", "hold", "twos_complement", "binary_offset", "sign_magnitude"]
_SOURCES: tuple[SourceKind, ...] = ("cc", "cc14", "nrpn", "note")

# A knob of the effects around the model, such as after.0.gain_db; which there are depends on the preset that plays.
_EFFECT_KNOB = re.compile(r"(before|after)\.[0-9]{1,2}\.[A-Za-z0-9_]{1,100}")


# What a button of the controller does that is no knob: the way that it goes in the list of presets.
STEPS = {
    one.id: (one, way)
    for one, way in (
        (Control("preset.previous", "Previous preset", "", 0.0, 1.0, 0.0, "switch"), -1),
        (Control("preset.next", "Next preset", "", 0.0, 1.0, 0.0, "switch"), 1),
    )
}


def refusal(why: str, at: str | None = None) -> PydanticCustomError:
    """Make the error that carries a sentence and, below the field, the key it is about."""
    return PydanticCustomError("refused", "{why}", {"why": why, "at": at})


def _check_schema(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise refusal(f"schema must be {SCHEMA}, not {str(value)[:40]!r}")
    if value > SCHEMA:
        raise refusal(f"schema {str(value)[:40]} is newer than this Highband, which reads {SCHEMA}; update Highband")
    return value


def _check_control(name: str) -> str:
    if name in STEPS or _EFFECT_KNOB.fullmatch(name):
        return name
    try:
        return knobs.control(name).id
    except ValueError as error:
        raise refusal(str(error)) from None


def _check_text(value: str) -> str:
    # A name is printed on a terminal, where control characters are commands.
    if any(ord(letter) < 32 or 127 <= ord(letter) < 160 for letter in value):
        raise refusal("must hold no control characters")
    return value


def _check_programs(value: Any) -> Any:
    if not isinstance(value, Mapping):
        raise refusal('programs must be an object such as {"0": "dull-vocal"}')
    for key in value:
        if not (isinstance(key, str) and key.isascii() and key.isdigit() and len(key) <= 3 and int(key) < 128):
            raise refusal(f"a program is a number from 0 to 127, not '{str(key)[:40]}'")
        if key != str(int(key)):
            raise refusal(f"program '{key}' must be written {int(key)}", key)
    return value


Text = Annotated[str, Strict(), StringConstraints(max_length=200), AfterValidator(_check_text)]
PresetName = Annotated[str, Strict(), StringConstraints(min_length=1, max_length=200), AfterValidator(_check_text)]
Flag = Annotated[bool, Strict()]


# From 120 on, control changes mean "all notes off" and the like and are no knobs.
KnobNumber = Annotated[int, Strict(), Field(ge=0, le=119)]
PairNumber = Annotated[int, Strict(), Field(ge=0, le=31)]
ParameterNumber = Annotated[int, Strict(), Field(ge=0, le=16382)]
NoteNumber = Annotated[int, Strict(), Field(ge=0, le=127)]
Channel = Annotated[int, Strict(), Field(ge=1, le=16)]


class _Part(BaseModel):
    """Whatever is unknown here is kept for the version that knows it."""

    model_config = ConfigDict(extra="allow", frozen=True, protected_namespaces=())


class Binding(_Part):
    """One knob, fader, button or pad of the controller, and the knob of ours that it moves.

    Attributes:
        control: The id of our knob, or one of `STEPS`; one of an effect rests while a preset without that effect plays.
        cc, cc14, nrpn, note: What the controller sends; exactly one is given.
        channel: 1..16, or None for any.
        kind: "absolute" knobs and faders; "toggle" and "hold" buttons; encoders by the way they count.
        step: Share of the whole way that one step of an encoder, or of an NRPN, goes.
        takeover: Whether an absolute control waits until it meets the setting.
        feedback: Whether the controller shows when something else moved the setting.
    """

    control: Annotated[str, Strict(), AfterValidator(_check_control)]
    cc: KnobNumber | None = None
    cc14: PairNumber | None = None
    nrpn: ParameterNumber | None = None
    note: NoteNumber | None = None
    channel: Channel | None = None
    kind: BindingKind = "absolute"
    step: Annotated[float, Strict(), Field(gt=0.0, le=1.0, allow_inf_nan=False)] = 0.01
    takeover: Flag = True
    feedback: Flag = True

    @model_validator(mode="after")
    def _fits(self) -> Binding:
        given = [name for name in _SOURCES if getattr(self, name) is not None]
        if len(given) != 1:
            raise refusal(f"a binding must have exactly one of cc, cc14, nrpn and note, not {len(given)}")
        known = STEPS[self.control][0] if self.control in STEPS else knobs.BY_ID.get(self.control)
        if self.kind in ("toggle", "hold") and (known is None or known.curve != "switch"):
            raise refusal(f"kind {self.kind} is for switches such as bypass; {self.control} is none", "kind")
        if self.note is not None and self.kind not in ("toggle", "hold"):
            raise refusal("a note must have the kind toggle or hold", "note")
        if self.control in STEPS and self.kind not in ("toggle", "hold"):
            raise refusal(f"{self.control} is for buttons and pads, of the kind toggle or hold", "kind")
        if self.kind in RELATIVE_KINDS and self.cc is None:
            raise refusal(f"kind {self.kind} is for encoders on a cc", "kind")
        return self

    @property
    def source(self) -> tuple[SourceKind, int]:
        """What the controller sends: the kind of message and its number."""
        kind = next(name for name in _SOURCES if getattr(self, name) is not None)
        return kind, getattr(self, kind)

    @property
    def source_text(self) -> str:
        """What the controller sends, as a person reads it: "cc 70", "nrpn 300 on channel 2"."""
        kind, number = self.source
        return f"{kind} {number}" + ("" if self.channel is None else f" on channel {self.channel}")

    def clashes(self, other: Binding) -> bool:
        """Say whether one message could mean both bindings."""
        return self.source == other.source and (
            self.channel is None or other.channel is None or self.channel == other.channel
        )


class MidiMap(_Part):
    """A controller: its bindings, and the presets that its program changes load.

    Attributes:
        schema_version: The version of this form, "schema" in the file.
        name, description: What a person reads.
        port: Part of the name of the port it is found at, or None for any.
        tolerance: How near to a setting a control takes hold of it, as a share of the whole way.
        bindings: One entry for each knob, fader, button and pad; one may move several of our knobs.
        programs: Program number, counted from 0, to the name of a preset.
    """

    schema_version: Annotated[int, BeforeValidator(_check_schema)] = Field(default=SCHEMA, alias="schema")
    name: Text = ""
    description: Text = ""
    port: Text | None = None
    tolerance: Annotated[float, Strict(), Field(ge=0.0, le=0.5, allow_inf_nan=False)] = 0.02
    bindings: list[Binding] = Field(default_factory=list, max_length=256)
    programs: Annotated[dict[str, PresetName], BeforeValidator(_check_programs)] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _no_binding_twice(self) -> MidiMap:
        for index, binding in enumerate(self.bindings):
            if any(binding.control == one.control and binding.clashes(one) for one in self.bindings[:index]):
                raise PydanticCustomError(
                    "refused", "{why}",
                    {"why": f"{binding.source_text} moves {binding.control} twice; keep one", "binding": index},
                )  # fmt: skip
        return self

    def with_binding(self, binding: Binding) -> MidiMap:
        """Return a copy in which this binding stands for its control, and nothing else uses what it listens to."""
        kept = [one for one in self.bindings if one.control != binding.control and not one.clashes(binding)]
        return self.model_copy(update={"bindings": [*kept, binding]})

    def taken_from(self, before: MidiMap) -> list[str]:
        """Return what was moved in an earlier map by a control that now moves something else instead."""
        new = [one for one in self.bindings if one not in before.bindings]
        lost = [one for one in before.bindings if one not in self.bindings]
        taken = [one for one in lost if any(one.control != other.control and one.clashes(other) for other in new)]
        return list(dict.fromkeys(one.control for one in taken))

    def news_of(self, binding: Binding, before: MidiMap | None) -> str:
        """Return what a binding that was learned has changed, as a person reads it."""
        taken = self.taken_from(before) if before else []
        return f"{binding.source_text} moves {binding.control}" + "".join(f", and {one} no longer" for one in taken)

    def without(self, control: str) -> MidiMap:
        """Return a copy in which nothing moves this control."""
        return self.model_copy(update={"bindings": [one for one in self.bindings if one.control != control]})

    def to_text(self) -> str:
        """Return the text of its file; the same map always gives the same text."""
        plain = self.model_dump(by_alias=True, exclude_defaults=True)
        return json.dumps({"schema": SCHEMA} | plain, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
