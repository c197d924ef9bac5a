"""The effects around the model as a preset names them, read from what a host reports of its chain."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from plugin_host.preset.effect_catalogue import EFFECTS

SIDES = ("before", "after")
Node = dict[str, Any]
Nodes = dict[str, list[Node]]


def nodes_of(
    chain: Sequence[Mapping[str, Any]], settings: Mapping[str, Mapping[str, Any]], is_elsewhere: bool = False
) -> Nodes:
    """Return the effects before and after the model as a preset names them, with the knobs where they stand now.

    Args:
        chain: As the host reports it.
        settings: The knobs as the host reports them.
        is_elsewhere: Whether they go into a preset of another folder, which must name files by their whole paths.
    """
    nodes: Nodes = {side: [] for side in SIDES}
    for part in chain:
        if part["name"] in nodes:
            effects = part.get("effects", ())
            nodes[part["name"]] = [_placed(one) if is_elsewhere else {**one["node"]} for one in effects]
    for knob, setting in settings.items():
        side, _, rest = knob.partition(".")
        index, _, key = rest.partition(".")
        if side in nodes and index.isdecimal() and int(index) < len(nodes[side]):
            node = nodes[side][int(index)]
            node["settings"] = {**node.get("settings", {}), key: setting["value"]}
    return nodes


def _placed(effect: Mapping[str, Any]) -> Node:
    node, path = effect["node"], effect.get("path")
    if path is None:
        return {**node}
    if "plugin" in node:
        return {**node, "plugin": path}
    return {**node, "settings": {**node["settings"], EFFECTS[node["effect"]].file: path}}


def knobs_of(nodes: Mapping[str, Sequence[Mapping[str, Any]]], known: Collection[str]) -> dict[str, float]:
    """Return where the knobs of the effects belong, by the ids they have at their places; only known ones."""
    return {
        name: float(value)
        for side in SIDES
        for index, node in enumerate(nodes[side])
        for key, value in node.get("settings", {}).items()
        if (name := f"{side}.{index}.{key}") in known and isinstance(value, (int, float))
    }
