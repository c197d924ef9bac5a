"""The requests of the control protocol: what each one holds, checked by pydantic."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StrictBool, StrictFloat, StrictInt, StrictStr, TypeAdapter

Name = Annotated[StrictStr, Field(min_length=1, max_length=80)]
Origin = Annotated[StrictStr, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9 ._-]{0,31}$")]
Value = StrictFloat | StrictInt | Annotated[StrictStr, Field(max_length=64)]
Slot = Literal["A", "B", "C", "D"]
Node = dict[StrictStr, Any]


class _Request(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    version: Literal[1]
    id: StrictInt | Annotated[StrictStr, Field(max_length=64)] | None = None
    origin: Origin = "zmq"


class Describe(_Request):
    """Return the knobs, the commands and the place of the telemetry."""

    do: Literal["describe"]


class Get(_Request):
    """Return one knob's setting, or all."""

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
    tags: Annotated[list[Annotated[StrictStr, Field(min_length=1, max_length=24)]], Field(max_length=16)] | None = None
    overwrite: StrictBool = False


class Favourite(_Request):
    """Make a preset a favourite of the person's, or no longer."""

    do: Literal["favourite"]
    name: Name
    on: StrictBool


class StepPreset(_Request):
    """Play the preset that comes next in the list, or the one before."""

    do: Literal["step_preset"]
    way: Literal[-1, 1]


class SetChain(_Request):
    """Put other effects around the model."""

    do: Literal["set_chain"]
    before: Annotated[list[Node], Field(max_length=64)]
    after: Annotated[list[Node], Field(max_length=64)]


class SelectSlot(_Request):
    """Play another slot."""

    do: Literal["select_slot"]
    slot: Slot


class CopySlot(_Request):
    """Copy one slot to another."""

    do: Literal["copy_slot"]
    source: Slot
    target: Slot


class Switch(_Request):
    """Switch the bypass, or begin or end a take of input and output."""

    do: Literal["bypass", "record"]
    on: StrictBool


class Lock(_Request):
    """Hold a knob against presets, or release it."""

    do: Literal["lock"]
    knob: Name
    on: StrictBool


class Side(BaseModel):
    """A version of the sound: a slot, a preset or an artifact by its name, or the input as it comes."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    kind: Literal["slot", "preset", "artifact", "input"]
    name: Annotated[StrictStr, Field(pattern=r"^([A-Za-z0-9][A-Za-z0-9 ._-]{0,79})?$")] = ""


class Compare(_Request):
    """Play two versions side by side, equally loud."""

    do: Literal["compare"]
    sides: Annotated[list[Side], Field(min_length=2, max_length=2)]


class Audition(_Request):
    """Make one of the compared versions audible."""

    do: Literal["audition"]
    side: Literal[0, 1]


class MidiLearn(_Request):
    """Bind the next control of the controller that moves to this knob."""

    do: Literal["midi_learn"]
    knob: Name


class MidiBind(_Request):
    """Bind a control of the controller to a knob, instead of what moved that knob before."""

    do: Literal["midi_bind"]
    binding: Node


class MidiUnbind(_Request):
    """Remove the bindings of a knob."""

    do: Literal["midi_unbind"]
    knob: Name


class MidiPort(_Request):
    """Play from another MIDI port: part of its name, "" for the first, "virtual" to offer one, "off" for none."""

    do: Literal["midi_port"]
    port: Annotated[str, Field(max_length=200)]


class DiffPreset(_Request):
    """Return what a preset would change."""

    do: Literal["diff_preset"]
    name: Name


class Plain(_Request):
    """A command that needs nothing but its name."""

    do: Literal[
        "presets", "plugins", "chain", "slots", "undo", "redo", "stats", "meters", "spectra", "midi", "midi_cancel",
        "midi_undo", "snapshot", "takes", "end_comparison",
    ]  # fmt: skip


Request = (
    Describe | Get | Set | SetMany | EndGesture | LoadPreset | SavePreset | Favourite | StepPreset | SetChain
    | SelectSlot | CopySlot | Switch | Lock | Compare | Audition | MidiLearn | MidiBind | MidiUnbind | MidiPort
    | DiffPreset | Plain
)  # fmt: skip
REQUEST: TypeAdapter[Request] = TypeAdapter(Annotated[Request, Field(discriminator="do")])
COMMANDS = (
    "describe", "get", "set", "set_many", "end_gesture", "presets", "load_preset", "diff_preset", "save_preset",
    "favourite", "step_preset", "plugins", "chain", "set_chain", "slots", "select_slot", "copy_slot", "bypass", "lock",
    "undo", "redo", "stats", "meters", "spectra", "midi", "midi_learn", "midi_cancel", "midi_bind", "midi_unbind",
    "midi_undo", "midi_port", "snapshot", "record", "takes", "compare", "audition", "end_comparison",
)  # fmt: skip
# They read or write files or build a chain, which may take seconds; undo and redo only where a step is of that kind.
SLOW = frozenset({
    "presets", "load_preset", "diff_preset", "save_preset", "favourite", "step_preset", "plugins", "set_chain",
    "midi_bind", "midi_unbind", "midi_undo", "midi_port", "record", "takes", "compare", "end_comparison",
})  # fmt: skip
STEPS = frozenset({"undo", "redo"})
