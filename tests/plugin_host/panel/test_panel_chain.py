"""Laws of the panel's chain row: an edit changes what it says and keeps the rest."""

from __future__ import annotations

from typing import Any

import pytest

from plugin_host.panel.chain_editor import addable, edited, options_of, with_options
from plugin_host.preset.effect_catalogue import EFFECTS
from plugin_host.preset.nodes import Nodes, knobs_of, nodes_of
from plugin_host.preset.schema import Preset


def nodes() -> Nodes:
    return {
        "before": [{"effect": "HighpassFilter", "settings": {"cutoff_frequency_hz": 100.0}}],
        "after": [{"effect": "Gain"}, {"plugin": "/x/Y.vst3", "bypass": True}],
    }


def names(found: Nodes) -> list[list[str]]:
    return [[node.get("effect", "plug-in") for node in found[side]] for side in ("before", "after")]


@pytest.mark.parametrize(
    ("edit", "after"),
    [
        (("add", "after", 0, "Limiter"), [["HighpassFilter"], ["Gain", "plug-in", "Limiter"]]),
        (("remove", "after", 0), [["HighpassFilter"], ["plug-in"]]),
        (("later", "after", 0), [["HighpassFilter"], ["plug-in", "Gain"]]),
        (("earlier", "after", 1), [["HighpassFilter"], ["plug-in", "Gain"]]),
        (("earlier", "after", 0), [["HighpassFilter", "Gain"], ["plug-in"]]),
        (("later", "before", 0), [[], ["HighpassFilter", "Gain", "plug-in"]]),
        (("earlier", "before", 0), [["HighpassFilter"], ["Gain", "plug-in"]]),
        (("later", "after", 1), [["HighpassFilter"], ["Gain", "plug-in"]]),
        (("bypass", "after", 0), [["HighpassFilter"], ["Gain", "plug-in"]]),
    ],
)
def test_an_edit_changes_what_it_says_and_leaves_what_was_given(edit: tuple[Any, ...], after: list[list[str]]) -> None:
    given = nodes()
    assert names(edited(given, *edit)) == after
    assert given == nodes()


def test_bypass_is_there_and_back() -> None:
    once = edited(nodes(), "bypass", "after", 1)
    assert once["after"][1] == {"plugin": "/x/Y.vst3", "bypass": False}
    assert edited(once, "bypass", "after", 1)["after"][1]["bypass"] is True


@pytest.mark.parametrize(
    "edit",
    [
        ("add", "after", 0, "/tmp/evil.vst3"), ("add", "after", 0, "Convolution"), ("remove", "after", 2),
        ("remove", "before", -1), ("remove", "inside", 0), ("dance", "after", 0),
    ],
)  # fmt: skip
def test_an_edit_that_makes_no_sense_is_refused(edit: tuple[Any, ...]) -> None:
    with pytest.raises(ValueError):
        edited(nodes(), *edit)


def test_every_effect_that_can_be_added_is_one_of_a_preset() -> None:
    for name in addable():
        made = edited({"before": [], "after": []}, "add", "before", 0, name)
        assert Preset.model_validate({"schema": 1, "name": "x", "settings": {}, **made}).before[0].title == name
        assert EFFECTS[name].live


def test_effects_take_their_knobs_along() -> None:
    two = [{"node": {"effect": "Gain", "settings": {"gain_db": 1.0}}}, {"node": {"effect": "Gain"}}]
    chain: list[dict[str, Any]] = [{"name": "extender", "effects": []}, {"name": "after", "effects": two}]
    settings = {"amount": {"value": 3.0}, "after.0.gain_db": {"value": -5.0}, "after.1.gain_db": {"value": 2.0}}
    moved = edited(nodes_of(chain, settings), "later", "after", 0)
    assert knobs_of(moved, settings) == {"after.0.gain_db": 2.0, "after.1.gain_db": -5.0}


def test_a_plug_in_is_added_by_its_id_and_no_path_is_taken() -> None:
    plugins = {"0123": "/usr/lib/vst3/Z.vst3"}
    added = edited(nodes(), "add", "before", 0, "0123", plugins=plugins)
    assert added["before"][-1] == {"plugin": "/usr/lib/vst3/Z.vst3"}
    with pytest.raises(ValueError, match="from the list"):
        edited(nodes(), "add", "before", 0, "/usr/lib/vst3/Z.vst3", plugins=plugins)


def test_what_no_knob_moves_can_be_chosen_and_set() -> None:
    ladder, limiter = {"node": {"effect": "LadderFilter"}}, {"node": {"effect": "BrickwallLimiter"}}
    (mode,) = options_of(ladder)
    assert (mode["value"], mode["values"][0]) == ("LPF12", "LPF12")
    assert {option["key"]: option["value"] for option in options_of(limiter)} == {
        "lookahead_ms": 5.0, "true_peak": False,
    }  # fmt: skip
    node = {"before": [ladder["node"]], "after": []}
    changed = edited(node, "set", "before", 0, key="mode", value="HPF24")
    assert options_of({"node": changed["before"][0]})[0]["value"] == "HPF24"
    with pytest.raises(ValueError, match="a setting is"):
        edited(node, "set", "before", 0, key="mode", value=["HPF24"])


def test_a_plug_in_offers_the_choices_that_the_host_found() -> None:
    choices = {"model": {"value": "b", "values": ["a", "b"]}}
    effect = {"title": "Y", "bypass": False, "node": {"plugin": "/x/Y.vst3"}, "choices": choices}
    shown = with_options([{"name": "after", "effects": [effect]}])
    assert shown[0]["effects"][0]["options"] == [{"key": "model", "name": "model", "value": "b", "values": ["a", "b"]}]
