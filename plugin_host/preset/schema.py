"""The schema of a preset: what its fields may hold, checked by pydantic, written back in one canonical form."""

from __future__ import annotations

import base64
import binascii
import json
import math
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, ClassVar

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    PrivateAttr,
    Strict,
    StringConstraints,
    Tag,
    ValidationInfo,
    field_validator,
)
from pydantic_core import PydanticCustomError

from models.extender import controls as knobs
from plugin_host.preset.effect_catalogue import check_value, effect

SCHEMA = 1

Plain = float | str | bool


def refusal(why: str, at: str | None = None) -> PydanticCustomError:
    """Return the error that carries a sentence and, below the field, the key it is about."""
    return PydanticCustomError("refused", "{why}", {"why": why, "at": at})


def _check_schema(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise refusal(f"schema must be {SCHEMA}, not {value!r}")
    if value > SCHEMA:
        raise refusal(f"schema {value} is newer than this Highband, which reads up to {SCHEMA}; update Highband")
    return value


def _check_text(value: str) -> str:
    # A name is printed on a terminal, where control characters are commands.
    if any(ord(letter) < 32 or 127 <= ord(letter) < 160 for letter in value):
        raise refusal("must hold no control characters")
    return value


def _check_path(value: str) -> str:
    if not value or "\0" in value:
        raise refusal("must be the path of a plug-in")
    return value


def _check_state(value: str) -> str:
    try:
        base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError):
        raise refusal("must be null or the plug-in's state in base64") from None
    return value


def _check_hash(value: str) -> str:
    if re.fullmatch(r"(sha256:)?[0-9a-f]{8,64}", value) is None:
        raise refusal("must be null or 8 to 64 hexadecimal digits")
    return value


def _check_settings(value: Any, what: str) -> dict[str, Any]:
    if not isinstance(value, Mapping):
        raise refusal(f"must be an object of {what} and their values")
    return dict(value)


Text = Annotated[str, Strict(), StringConstraints(max_length=1000), AfterValidator(_check_text)]
Flag = Annotated[bool, Strict()]


class _Part(BaseModel):
    """Whatever is unknown here is kept for the version that knows it."""

    model_config = ConfigDict(extra="allow", frozen=True, protected_namespaces=())


class EffectNode(_Part):
    """A native effect of the chain, with the settings that differ from its defaults."""

    effect: Annotated[str, Strict()]
    settings: dict[str, float | str] = Field(default_factory=dict)
    bypass: Flag = False

    @field_validator("effect")
    @classmethod
    def _known(cls, value: str) -> str:
        try:
            return effect(value).name
        except ValueError as error:
            raise refusal(str(error)) from None

    @field_validator("settings", mode="before")
    @classmethod
    def _in_range(cls, value: Any, info: ValidationInfo) -> dict[str, float | str]:
        given = _check_settings(value, "settings")
        if "effect" not in info.data:
            return {}
        kind = effect(info.data["effect"])
        checked: dict[str, float | str] = {}
        for key, setting in given.items():
            try:
                checked[key] = kind.check(key, setting)
            except ValueError as error:
                raise refusal(str(error), key) from None
        return checked

    @property
    def title(self) -> str:
        """The name that a person reads."""
        return self.effect


class PluginNode(_Part):
    """A VST3 or Audio Unit plug-in of the chain; its settings are its own and checked when it is loaded."""

    plugin: Annotated[str, Strict(), AfterValidator(_check_path)]
    name: Text | None = None
    settings: dict[str, Plain] = Field(default_factory=dict)
    state: Annotated[str, Strict(), AfterValidator(_check_state)] | None = None
    bypass: Flag = False

    @field_validator("settings", mode="before")
    @classmethod
    def _plain(cls, value: Any) -> dict[str, Plain]:
        given = _check_settings(value, "settings")
        for key, setting in given.items():
            if not isinstance(setting, (int, float, str, bool)):
                raise refusal(f"{key} must be a number, a text, true or false", key)
        return given

    @property
    def title(self) -> str:
        """The name that a person reads."""
        return self.name or Path(self.plugin).stem


def _node_tag(value: Any) -> str | None:
    if isinstance(value, (EffectNode, PluginNode)):
        return "effect" if isinstance(value, EffectNode) else "plugin"
    if isinstance(value, Mapping) and ("effect" in value) != ("plugin" in value):
        return "effect" if "effect" in value else "plugin"
    return None


Node = Annotated[
    Annotated[EffectNode, Tag("effect")] | Annotated[PluginNode, Tag("plugin")],
    Discriminator(
        _node_tag,
        custom_error_type="refused",
        custom_error_message='every entry must be an {"effect": name} or a {"plugin": path}',
    ),
]


class Preset(_Part):
    """A named set of settings plus the chain around the model.

    Attributes:
        schema_version: The version of this form, "schema" in the file.
        name, description: What a person reads.
        tags: Words by which it is found.
        artifact: Name of the model, or None for the host's own choice; `artifact_hash` pins its content.
        settings: Knob id to value in its unit; a knob that is missing stands at its default.
        before, after: The effects and plug-ins around the extender, in order.
    """

    schema_version: Annotated[int, BeforeValidator(_check_schema)] = Field(default=SCHEMA, alias="schema")
    name: Text = ""
    description: Text = ""
    tags: list[Annotated[Text, Field(min_length=1, max_length=24)]] = Field(default_factory=list, max_length=16)
    artifact: Annotated[str, Strict(), StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$")] | None = None
    artifact_hash: Annotated[str, Strict(), AfterValidator(_check_hash)] | None = None
    settings: dict[str, float] = Field(default_factory=dict)
    before: list[Node] = Field(default_factory=list, max_length=64)
    after: list[Node] = Field(default_factory=list, max_length=64)

    FIELDS: ClassVar[tuple[str, ...]] = ("name", "description", "artifact", "artifact_hash")
    _file: Path | None = PrivateAttr(default=None)
    _id: str = PrivateAttr(default="")

    @field_validator("settings", mode="before")
    @classmethod
    def _knobs(cls, value: Any) -> dict[str, float]:
        checked: dict[str, float] = {}
        for key, setting in _check_settings(value, "knobs").items():
            try:
                checked[key] = check_value(knobs.control(key), setting)
            except ValueError as error:
                raise refusal(str(error), key) from None
        return checked

    @property
    def file(self) -> Path | None:
        """The user's file it was loaded from; None for a bundled preset and for one built in memory."""
        return self._file

    @property
    def id(self) -> str:
        """The stem of its file: the name by which it is loaded."""
        return self._id

    @property
    def nodes(self) -> tuple[EffectNode | PluginNode, ...]:
        """Everything before and after the extender."""
        return (*self.before, *self.after)

    def complete_settings(self) -> dict[str, float]:
        """Return every knob's value: the preset's own, else the default."""
        return knobs.defaults() | self.settings

    def replace(self, **fields: Any) -> Preset:
        """Return a copy with some fields changed and everything checked anew; raise pydantic's error otherwise."""
        copy = Preset.model_validate(self.plain() | fields)
        copy._file, copy._id = self._file, self._id
        return copy

    def placed_at(self, file: Path) -> Preset:
        """Return a copy that counts as one from this file of the user's, which need not exist."""
        copy = self.replace()
        copy._file = file
        return copy

    def plain(self) -> dict[str, Any]:
        """Return it as JSON values: whole numbers without a point, an automatic knob as "auto"."""
        plain: dict[str, Any] = _whole(self.model_dump(by_alias=True))
        plain["settings"] = {key: _knob_value(key, value) for key, value in plain["settings"].items()}
        return plain

    def to_text(self) -> str:
        """Return the text of its file; the same preset always gives the same text."""
        return json.dumps(self.plain(), indent=2, ensure_ascii=False, allow_nan=False) + "\n"

    def diff(self, other: Preset) -> dict[str, tuple[str, str]]:
        """Return what changes on the way to another preset: field or knob id to (text here, text there)."""
        pairs = {field: (_word(getattr(self, field)), _word(getattr(other, field))) for field in self.FIELDS}
        mine, theirs = self.complete_settings(), other.complete_settings()
        pairs |= {c.id: (c.to_text(mine[c.id]), c.to_text(theirs[c.id])) for c in knobs.CONTROLS}
        pairs |= {"before": (_row(self.before), _row(other.before)), "after": (_row(self.after), _row(other.after))}
        return {key: pair for key, pair in pairs.items() if pair[0] != pair[1]}


def _whole(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _whole(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_whole(item) for item in value]
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return int(value)
    return value


def _knob_value(key: str, value: float) -> float | str:
    return "auto" if knobs.control(key).automatic and value == 0.0 else value


def _word(value: object) -> str:
    return "none" if value is None else str(value)


def _row(nodes: list[EffectNode | PluginNode]) -> str:
    return " > ".join(map(_node_text, nodes)) or "none"


def _node_text(node: EffectNode | PluginNode) -> str:
    values = [
        f"{key} {value:g}" if isinstance(value, float) else f"{key} {value}" for key, value in node.settings.items()
    ]
    if isinstance(node, PluginNode) and node.state:
        values.append(f"state {binascii.crc32(node.state.encode()):08x}")
    text = f"{node.title} ({', '.join(values)})" if values else node.title
    return f"{text}, bypassed" if node.bypass else text


def is_finite(value: object) -> bool:
    """Say whether a value, where it is a float, is a real number."""
    return not isinstance(value, float) or math.isfinite(value)
