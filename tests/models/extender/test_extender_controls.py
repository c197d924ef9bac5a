"""Laws of the knobs: each is audible, and none clicks, however it is moved."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from models.control import Control
from models.extender import controls as knobs
from models.extender.extender import Extender
from models.stage import Block
from plugin_host.checks.signals import sinking
from tests.models.extender.extenders import music, prepared, whole

BLOCK = 480
ENDS = {control.id: (control.low, control.high) for control in knobs.CONTROLS}


def sine() -> Block:
    return np.repeat(0.5 * np.sin(2 * np.pi * 200 * np.arange(12000) / 48000), 2).reshape(-1, 2).T.astype(np.float32)


def sound_of(name: str) -> Block:
    return sine() if name == "sine" else music(48000, 2)


def moved(extender: Extender, sound: Block, control: Control, values: Sequence[float]) -> Block:
    """Return the sound with a knob at these values, block by block, the last one held."""
    extender.reset()
    starts = range(0, sound.shape[1], BLOCK)
    blocks = [
        extender.process(sound[:, start : start + BLOCK], {control.id: values[min(turn, len(values) - 1)]})
        for turn, start in enumerate(starts)
    ]
    return np.concatenate(blocks, 1)


def step(sound: Block) -> float:
    return float(np.abs(np.diff(sound)).max())


@pytest.mark.parametrize("control", knobs.CONTROLS, ids=lambda control: control.id)
def test_every_control_is_audible(artifact: Path, control: Control) -> None:
    # So low an edge that all of the curve lies above it.
    extender, sound = prepared(artifact, 48000, 2, 2500.0), music(48000, 2, edge_hz=2500.0)
    if control.id == "soft_edge":
        extender.set_bandwidth(None)
        sound = sinking()
    low, high = (whole(extender, sound, {control.id: end}) for end in ENDS[control.id])
    assert np.abs(low - high).max() > 1e-3


def test_leaving_a_knob_out_is_its_default(artifact: Path) -> None:
    extender, sound = prepared(artifact), music(seconds=0.1)
    np.testing.assert_array_equal(whole(extender, sound), whole(extender, sound, knobs.defaults()))


@pytest.mark.parametrize("name", ["music", "sine"])
@pytest.mark.parametrize("control", knobs.CONTROLS, ids=lambda control: control.id)
def test_a_control_that_jumps_or_sweeps_makes_no_click(artifact: Path, control: Control, name: str) -> None:
    extender, sound = prepared(artifact, 48000, 2), sound_of(name)
    low, high = ENDS[control.id]
    settled = [step(moved(extender, sound, control, [control.from_position(k)])) for k in (0, 0.5, 1)]
    # The fine envelope takes a part of a jump by 36 dB for an attack.
    bound = 1.3 * max(settled) + 1e-6
    sweep = [control.from_position(k / 12) for k in range(13)]
    for values in ([low] * 15 + [high], [high] * 15 + [low], [low] * 6 + sweep, [low, high] * 8):
        assert step(moved(extender, sound, control, values)) < bound


def test_an_edge_that_moves_makes_no_click(artifact: Path) -> None:
    extender, sound = prepared(artifact, 48000, 2), music(48000, 2)
    settled = []
    for edge_hz in (4000.0, 6000.0, 22000.0):
        extender.set_bandwidth(edge_hz)
        settled.append(step(whole(extender, sound)))
    for before, after in ((4000.0, 6000.0), (6000.0, 22000.0), (22000.0, 4000.0)):
        extender.reset()
        extender.set_bandwidth(before)
        first = extender.process(sound[:, :7007], {})
        extender.set_bandwidth(after)
        rest = extender.process(sound[:, 7007:], {})
        # The network needs a moment to find its feet with other bands.
        assert step(np.concatenate([first, rest], 1)) < 1.25 * max(settled)
