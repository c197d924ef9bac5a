"""Laws of the amount's curve: exact in dB where its nodes are, between them never beyond them, nothing at 0 dB."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from dsp import bands
from models.extender.controls import NODES_HZ, control
from models.extender.gains import curve_gains, node_weights
from models.stage import Block
from tests.models.extender.extenders import music, prepared, whole

RATE = 48000
# Half of the width of the band in which a level is measured, in octaves.
_HALF = 1 / 12


def noise(edge_hz: float, seconds: float = 2.0) -> Block:
    spectrum = np.fft.rfft(np.random.default_rng(1).standard_normal(int(seconds * RATE)))
    spectrum[np.fft.rfftfreq(int(seconds * RATE), 1 / RATE) > edge_hz] = 0
    return 0.1 * np.fft.irfft(spectrum).astype(np.float32)[None]


def level_db(sound: Block, hertz: float) -> float:
    power = np.abs(np.fft.rfft(sound[0].astype(np.float64))) ** 2
    at = np.abs(np.log2(np.maximum(np.fft.rfftfreq(sound.shape[1], 1 / RATE), 1.0) / hertz)) < _HALF
    return 10.0 * float(np.log10(power[at].mean()))


@pytest.mark.parametrize("node", NODES_HZ)
def test_the_band_changes_by_what_a_node_says(artifact: Path, node: str) -> None:
    hertz, edge_hz = NODES_HZ[node], 2500.0 if NODES_HZ[node] < 7000 else 6000.0
    extender, sound = prepared(artifact, edge_hz=edge_hz), noise(edge_hz)
    before = level_db(whole(extender, sound, {"delta": 1.0}), hertz)
    for gain_db in (control(node).low, -3.0, control(node).high):
        after = level_db(whole(extender, sound, {"delta": 1.0, node: gain_db}), hertz)
        assert after - before == pytest.approx(gain_db, abs=0.5)


def test_all_nodes_together_are_one_gain(artifact: Path) -> None:
    extender, sound = prepared(artifact, channels=2), music(channels=2)
    flat, lower = (whole(extender, sound, {"delta": 1.0, **dict.fromkeys(NODES_HZ, db)}) for db in (0.0, -9.0))
    expected, begun = flat * 10 ** (-9 / 20), int(np.argmax(np.abs(flat).max(0) > 0.01))
    np.testing.assert_allclose(lower[:, begun:], expected[:, begun:], atol=1e-5)
    # Up to an attack out of silence the fine envelope holds the band down, near the floor of what it sees.
    np.testing.assert_allclose(lower[:, :begun], expected[:, :begun], atol=3e-4)


def test_the_curve_stays_between_its_nodes_and_meets_them() -> None:
    weights, centres = node_weights(), bands.band_centres_hz()
    assert (weights >= 0).all()
    np.testing.assert_allclose(weights.sum(0), 1.0, atol=1e-6)
    for row, hertz in zip(weights, NODES_HZ.values(), strict=True):
        assert row[np.abs(centres - hertz).argmin()] > 0.98
    np.testing.assert_array_equal(weights[0, centres < 3000.0], 1.0)
    np.testing.assert_array_equal(weights[-1, centres > 18000.0], 1.0)


def test_the_gains_are_those_of_the_nodes_and_are_kept_while_none_moves() -> None:
    nodes = dict.fromkeys(NODES_HZ, 0.0)
    assert not curve_gains(tuple(nodes.values())).any()
    raised = tuple({**nodes, "curve_8k": 6.0}.values())
    assert curve_gains(raised).max() == pytest.approx(0.6 * np.log(10.0), rel=5e-3)
    assert curve_gains(raised) is curve_gains(raised)
