"""The effects around the model as the panel's row shows and edits them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from models.control import Control
from plugin_host.preset.effect_catalogue import EFFECTS
from plugin_host.preset.nodes import SIDES, Nodes

_LONGEST_VALUE = 200


def addable() -> list[str]:
    """Return the effects that can be played live and need no file."""
    return [kind.name for kind in EFFECTS.values() if kind.live and not kind.file]


def options_of(effect: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return what can be set of an effect by no knob, with the value now, as words to choose from or as a number.

    Args:
        effect: As a host's chain lists it; the `choices` of a plug-in are those that the host found in it.
    """
    node, given = effect["node"], effect["node"].get("settings", {})
    if "plugin" in node:
        choices = effect.get("choices", {})
        return [{"key": key, "name": key.replace("_", " "), **choice} for key, choice in choices.items()]
    kind = EFFECTS[node["effect"]]
    words = [
        {"key": key, "name": key.replace("_", " "), "value": given.get(key, values[0]), "values": list(values)}
        for key, values in kind.choices.items()
    ]
    return words + [_fixed(control, given) for control in kind.controls if control.id in kind.fixed]


def with_options(chain: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return a host's chain as the row shows it: each effect's title, whether it is bypassed, and its options."""
    return [
        {
            "name": part["name"],
            "effects": [
                {"title": one["title"], "bypass": one["bypass"], "options": options_of(one)}
                for one in part.get("effects", ())
            ],
        }
        for part in chain
    ]


def _fixed(control: Control, given: Mapping[str, Any]) -> dict[str, Any]:
    value = given.get(control.id, control.default)
    if control.curve == "switch":
        return {"key": control.id, "name": control.name, "value": bool(value), "values": [False, True]}
    edges = {"low": control.low, "high": control.high, "unit": control.unit}
    return {"key": control.id, "name": control.name, "value": value, **edges}


def edited(
    nodes: Nodes, act: str, side: str, index: int, effect: str = "", key: str = "", value: object = None,
    plugins: Mapping[str, str] | None = None,
) -> Nodes:  # fmt: skip
    """Return the effects after one edit.

    Args:
        nodes: The effects now.
        act: "add" (an effect at the end of a side), "remove", "bypass" (or play again), "earlier", "later", "set".
        side: "before" or "after"; an effect that moves beyond its end of it goes to the other side of the model.
        index: Place of the effect within its side.
        effect: Name of the effect to add, or the id of an installed plug-in.
        key: What to set of the effect.
        value: To what; a number, a word, on or off.
        plugins: The paths of the installed plug-ins by their ids.

    Raises:
        ValueError: There is no such effect, side, place or edit.
    """
    changed: Nodes = {name: [{**node} for node in nodes[name]] for name in SIDES}
    if side not in SIDES:
        raise ValueError("effects stand before or after the model")
    if act == "add":
        if effect not in addable() and effect not in (plugins or {}):
            raise ValueError("choose an effect from the list")
        changed[side].append({"plugin": (plugins or {})[effect]} if effect in (plugins or {}) else {"effect": effect})
        return changed
    if not 0 <= index < len(changed[side]):
        raise ValueError("the chain has changed meanwhile; look at it again")
    if act == "remove":
        del changed[side][index]
    elif act == "bypass":
        changed[side][index]["bypass"] = not changed[side][index].get("bypass", False)
    elif act == "set":
        changed[side][index]["settings"] = {**changed[side][index].get("settings", {}), key: _plain(value)}
    elif act in ("earlier", "later"):
        _move(changed, side, index, -1 if act == "earlier" else 1)
    else:
        raise ValueError("an effect can be added, removed, bypassed, moved and set")
    return changed


def _plain(value: object) -> float | str | bool:
    if not isinstance(value, (int, float, str, bool)) or len(str(value)) > _LONGEST_VALUE:
        raise ValueError("a setting is a number, a word, on or off")
    return value


def _move(nodes: Nodes, side: str, index: int, way: int) -> None:
    node = nodes[side].pop(index)
    place = index + way
    if side == "before" and place > len(nodes[side]):
        nodes["after"].insert(0, node)
    elif side == "after" and place < 0:
        nodes["before"].append(node)
    else:
        nodes[side].insert(max(0, place), node)
