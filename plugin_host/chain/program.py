"""The live program: the chain that a preset and an artifact add up to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import ValidationError

from models.control import Control
from models.stage import Stage
from plugin_host.chain.chain import Chain
from plugin_host.chain.dry_wet import MATCH
from plugin_host.chain.input_trim import TRIM
from plugin_host.chain.plugin_catalogue import is_installed
from plugin_host.preset.artifact_pin import warning_for
from plugin_host.preset.effect_catalogue import effect
from plugin_host.preset.file import EffectNode, PluginNode, Preset, PresetError, load_preset, user_folder

DEFAULT_ARTIFACT = "live"


class Recipe(NamedTuple):
    """What a sound is built from.

    Attributes:
        preset: The effects and what they are around.
        preset_name: As the person named it, "" for none.
        artifact: Name or path of the artifact.
    """

    preset: Preset
    preset_name: str
    artifact: str


@dataclass(frozen=True)
class LiveSound:
    """A chain, not yet prepared, and what it was built from.

    Attributes:
        chain: The preset's effects around the extender.
        preset: What it was built from.
        preset_name: As the person named it, "" for none.
        artifact: Name or path of the artifact.
        warning: A sentence for the person where the preset was saved with another version of the artifact, or "".
    """

    chain: Chain
    preset: Preset
    preset_name: str
    artifact: str
    warning: str = ""

    @property
    def recipe(self) -> Recipe:
        """What it was built from, which is light enough to be kept."""
        return Recipe(self.preset, self.preset_name, self.artifact)

    @property
    def controls(self) -> Sequence[Control]:
        """The extender's knobs, those of the effects, the one that matches loudness, and the input's trim."""
        return [*self.chain.controls, *self.chain.effect_controls, MATCH, TRIM]


def build(preset_name: str, artifact: str | None) -> LiveSound:
    """Load what is named; call it on the main thread, where plug-ins want to be loaded.

    Args:
        preset_name: Name or path, "" for the extender alone.
        artifact: Name or path; by default the preset's, else "live".

    Raises:
        ValueError: With one sentence: the preset, an effect, a plug-in or the artifact can't be used.
    """
    preset = load_preset(preset_name) if preset_name else Preset(name="Live")
    return build_around(preset, preset_name, artifact)


def build_around(preset: Preset, preset_name: str, artifact: str | None) -> LiveSound:
    """Build what a preset in memory describes; see `build`."""
    name = artifact or preset.artifact or DEFAULT_ARTIFACT
    model = load_model(name)
    chain = Chain.from_preset(preset, model, live=True)
    return LiveSound(chain, preset, preset_name, name, warning_for(preset, name))


def load_model(name: str) -> Stage:
    """Load an extender; raise ValueError with one sentence if it can't be used."""
    from models.artifact.load import load_extender

    return load_extender(name)


def with_effects(preset: Preset, before: Sequence[Mapping[str, Any]], after: Sequence[Mapping[str, Any]]) -> Preset:
    """Return a preset with other effects, given as a preset file gives them.

    Raises:
        PresetError: One is wrong, or it names a file, or a plug-in that is not installed on this machine, and the
            preset does not hold it already: a client that may turn knobs may not make the host load foreign code.
    """
    try:
        changed = preset.replace(before=list(before), after=list(after))
    except ValidationError as error:
        raise PresetError(f"the chain stays as it is: {_first_of(error)}") from None
    known = {foreign for node in preset.nodes if (foreign := _foreign(node))}
    for node in changed.nodes:
        foreign = _foreign(node)
        if foreign and foreign not in known and not (foreign[0] == "plugin" and is_installed(foreign[1])):
            raise PresetError(
                f"{node.title} can't be added from outside; put {foreign[1]} into a preset file and load it"
            )
    if changed.file is None and any(map(_foreign, changed.nodes)):
        # What is installed here is as trusted as a preset of the user's own, where alone plug-ins may be named.
        return changed.placed_at(user_folder() / f"{changed.id or 'panel'}.json")
    return changed


def _first_of(error: ValidationError) -> str:
    first = error.errors(include_url=False, include_input=False)[0]
    place = " ".join(str(part) for part in first["loc"] if isinstance(part, str))
    return first["msg"] if first["type"] == "refused" else f"{place}: {first['msg']}"


def path_of(node: EffectNode | PluginNode, preset: Preset) -> str | None:
    """Return where the plug-in or the file of an effect lies on this machine, or None for an effect without one."""
    foreign = _foreign(node)
    if foreign is None or preset.file is None:
        return None
    return str((preset.file.parent / Path(foreign[1]).expanduser()).absolute())


def _foreign(node: EffectNode | PluginNode) -> tuple[str, str] | None:
    """Return what a node takes from outside the program, or None."""
    if isinstance(node, PluginNode):
        return ("plugin", node.plugin)
    name = effect(node.effect).file
    return ("file", str(node.settings[name])) if name and name in node.settings else None
