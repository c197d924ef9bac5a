"""Laws of the table: it says what pedalboard has, and pedalboard takes what it allows."""

from __future__ import annotations

import inspect
import re
from typing import Any

import pedalboard
import pytest

from plugin_host.chain.board import NativeEffect
from plugin_host.preset.effect_catalogue import EFFECTS, UNUSABLE, EffectKind, effect
from plugin_host.preset.file import EffectNode

KINDS = pytest.mark.parametrize("kind", EFFECTS.values(), ids=list(EFFECTS))
# Containers, base classes, and plug-ins, which a preset names by their file.
NOT_EFFECTS = {
    "AudioUnitPlugin", "Chain", "ExternalPlugin", "IIRFilter", "Mix", "Pedalboard", "Plugin", "PluginContainer",
    "VST3Plugin", "_klass",
}  # fmt: skip


def arguments(kind: EffectKind) -> dict[str, str]:
    """The constructor's arguments and their defaults, as pedalboard documents them."""
    signature = (getattr(pedalboard, kind.name).__init__.__doc__ or "").splitlines()[0].split(" -> ")[0]
    return dict(re.findall(r"(\w+): .+?(?: = (.+?))?(?=, \w+: |\)$)", signature))


def test_every_effect_of_pedalboard_is_either_offered_or_refused_with_a_reason() -> None:
    classes = {n for n, c in vars(pedalboard).items() if inspect.isclass(c) and issubclass(c, pedalboard.Plugin)}
    assert classes - NOT_EFFECTS == set(EFFECTS) | set(UNUSABLE)
    for name in UNUSABLE:
        with pytest.raises(ValueError, match="block by block"):
            effect(name)


@KINDS
def test_settings_and_defaults_are_those_of_pedalboard(kind: EffectKind) -> None:
    given = arguments(kind)
    given.pop("self", None)
    if kind.file:
        given.pop("sample_rate", None)
    assert set(kind.settings) == set(given)
    for control in kind.controls:
        default = {"True": "1", "False": "0"}.get(given[control.id], given[control.id])
        assert control.default == pytest.approx(float(default))


@KINDS
def test_pedalboard_takes_both_ends_of_every_range(kind: EffectKind) -> None:
    if kind.file:
        return
    for control in kind.controls:
        for value in (control.low, control.high):
            NativeEffect(EffectNode(effect=kind.name, settings={control.id: value}), None)
    for name, words in kind.choices.items():
        for word in words:
            NativeEffect(EffectNode(effect=kind.name, settings={name: word}), None)


@KINDS
def test_what_is_not_allowed_is_refused_with_what_is(kind: EffectKind) -> None:
    with pytest.raises(ValueError, match="it has"):
        kind.check("loudness", 1.0)
    for control in kind.controls:
        hostile: list[Any] = [control.high * 2 + 1, float("nan"), "loud", None, [], 10**400]
        for bad in hostile:
            with pytest.raises(ValueError, match=control.id):
                kind.check(control.id, bad)
        assert kind.check(control.id, control.to_text(control.default)) == pytest.approx(control.default, rel=1e-4)
