"""Laws of plug-ins on any number of channels: each instance plays its own, with the same knobs and the same latency."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from models.stage import Block
from plugin_host.chain.effects import EffectsStage
from plugin_host.preset.file import EffectNode, PluginNode
from tests.plugin_host.chain.test_effects import MONO, RATE, VST3_LATENCY, native, noise, play, plugin, stage


def test_a_plug_in_for_one_channel_plays_each_by_itself_with_the_same_knobs() -> None:
    nodes: list[EffectNode | PluginNode] = [
        native("Gain", gain_db=-6),
        PluginNode(plugin=str(MONO), settings={"threshold_db": -40.0}),
    ]
    alone, together, signal = stage(*nodes, channels=1), stage(*nodes, channels=3), noise(3, 6000)
    assert together.latency_samples == alone.latency_samples
    turned = {control.id: 12.0 for control in alone.controls if "makeup" in control.id}
    assert len(turned) == 1
    parts = []
    for channel in signal:
        alone.reset()
        parts.append(play(alone, channel[None], 512, turned))
    np.testing.assert_allclose(play(together, signal, 512, turned), np.concatenate(parts), atol=1e-6)
    together.reset()
    assert np.abs(play(together, signal, 512) - np.concatenate(parts)).max() > 0.001


def test_the_knobs_of_a_plug_in_are_what_a_person_may_turn_and_not_its_meters() -> None:
    knobs = {control.id.rpartition(".")[2] for control in stage(plugin()).controls}
    assert knobs == {"release_ms", "output_ceiling_db", "threshold_db"}


@pytest.mark.parametrize("channels", [3, 6])
@pytest.mark.parametrize("size", [2, 3, 6, 512])
def test_a_plug_in_for_two_channels_plays_pairs_and_what_is_left_alone(channels: int, size: int) -> None:
    node, signal = plugin(settings={"threshold_db": -12.0}), noise(channels, 1200)
    many, pair = stage(node, channels=channels), stage(node)
    assert many.latency_samples == VST3_LATENCY
    whole = play(many, signal, size)
    for left in range(0, channels, 2):
        pair.reset()
        both = signal[left : left + 2] if left + 2 <= channels else signal[[left, left]]
        np.testing.assert_allclose(whole[left : left + 2], play(pair, both, size)[: channels - left], atol=1e-6)


def test_a_layout_that_a_plug_in_can_not_take_is_refused_in_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> Block:
        raise ValueError("it takes\nfive")

    made = EffectsStage([plugin()], folder=Path("/"))
    monkeypatch.setattr(made._board.effects[0], "instances", [SimpleNamespace(process=refuse)])
    with pytest.raises(ValueError, match="can't work on 6 channels; take it out of the preset: it takes five"):
        made.prepare(RATE, 6, 512)


def test_a_plug_in_leaves_the_arithmetic_as_it_was() -> None:
    stage(plugin()).process(noise(2, 64), {})
    assert np.float64(5e-324) * np.float64(1.0) > 0.0
