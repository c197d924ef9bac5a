"""What a preset would change: the knobs and the effects as they stand now against those that it names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from plugin_host.preset.effect_catalogue import effect
from plugin_host.preset.file import EffectNode, PluginNode, Preset
from plugin_host.preset.nodes import SIDES, nodes_of
from plugin_host.settings.snapshots import LISTENING

Node = EffectNode | PluginNode


def changes_by(
    preset: Preset, settings: Mapping[str, float], chain: Sequence[Mapping[str, Any]]
) -> dict[str, dict[str, str]]:
    """Return knob id, "before" or "after" to the text `now` and the text `then`.

    Args:
        preset: What would be loaded.
        settings: Every knob's target now, those of effects too.
        chain: The stages now, as a host reports them.
    """
    own = {knob: value for knob, value in settings.items() if "." not in knob}
    nodes = nodes_of(chain, {knob: {"value": value} for knob, value in settings.items()})
    now = Preset(name=preset.name).replace(settings=own, **nodes)
    # What one listens to stays, where the preset does not name it.
    stays = {knob: own[knob] for knob in LISTENING if knob in own}
    then = preset.replace(settings=stays | preset.settings)
    rows = {side: (_completed(getattr(now, side)), _completed(getattr(then, side))) for side in SIDES}
    for ours, theirs in rows.values():
        _leave_unnamed(ours, theirs)
    differences = now.replace(**{side: row[0] for side, row in rows.items()}).diff(
        then.replace(**{side: row[1] for side, row in rows.items()})
    )
    known = {*own, *SIDES}
    return {what: {"now": here, "then": there} for what, (here, there) in differences.items() if what in known}


def _completed(nodes: Sequence[Node]) -> list[dict[str, Any]]:
    """Write nodes out with the settings that stand at their defaults, so that only what sounds different differs."""
    plain = [node.model_dump(exclude_none=True) for node in nodes]
    for node, one in zip(nodes, plain, strict=True):
        if isinstance(node, EffectNode):
            kind = effect(node.effect)
            words = {name: choices[0] for name, choices in kind.choices.items()}
            given = {control.id: control.default for control in kind.controls} | words | one["settings"]
            one["settings"] = {name: given[name] for name in kind.settings if name in given}
    return plain


def _leave_unnamed(ours: Sequence[dict[str, Any]], theirs: Sequence[dict[str, Any]]) -> None:
    """Leave out the knobs of a plug-in that the preset does not name: the plug-in alone knows what they become."""
    for one, other in zip(ours, theirs, strict=False):
        if one.get("plugin") is not None and one.get("plugin") == other.get("plugin"):
            one["settings"] = {name: value for name, value in one["settings"].items() if name in other["settings"]}
