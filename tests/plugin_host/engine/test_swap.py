"""Laws of a swap during play: the generated band never goes, whatever is exchanged, and what is equal stays equal."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from models.artifact.load import load_extender
from models.extender.controls import CONTROLS
from models.stage import Block
from plugin_host.chain.chain import Chain
from plugin_host.engine.engine import Engine
from plugin_host.preset.file import Preset, load_preset
from plugin_host.settings.store import SettingsStore
from tests.plugin_host.stages import Delay

RATE, BLOCK = 48000, 480
EDGE_HZ = 8000.0


def dull(seconds: float) -> Block:
    """Noise that was cut off at 8 kHz."""
    count = round(seconds * RATE)
    spectrum = np.fft.rfft(np.random.default_rng(4).standard_normal((2, count)))
    spectrum[:, round(EDGE_HZ * count / RATE) :] = 0.0
    sound: Block = (0.1 * np.fft.irfft(spectrum, count)).astype(np.float32)
    return sound


def band_db(sound: Block) -> NDArray[np.float64]:
    """Return the level of 10 to 16 kHz in intervals of 20 ms."""
    frames = sound.mean(axis=0)[: sound.shape[1] // 960 * 960].reshape(-1, 960) * np.hanning(960)
    power = np.abs(np.fft.rfft(frames))[:, 200:320] ** 2
    levels: NDArray[np.float64] = 10.0 * np.log10(power.mean(axis=1) + 1e-20)
    return levels


def play(engine: Engine, sound: Block) -> Block:
    parts = []
    for start in range(0, sound.shape[1], BLOCK):
        out = np.empty((BLOCK, 2), np.float32)
        engine.callback(np.ascontiguousarray(sound[:, start : start + BLOCK].T), out)
        parts.append(out.T)
    assert engine.take_error() is None
    return np.concatenate(parts, axis=1)


def chain(preset: Preset, artifact: str) -> Chain:
    return Chain.from_preset(preset, load_extender(artifact))


def edited(number: int) -> Chain:
    return chain(Preset.model_validate({"before": [{"effect": "HighpassFilter"}] * (number % 2)}), "live")


def loaded(number: int) -> Chain:
    return chain(load_preset(("dull-vocal", "default")[number % 2]), "live")


def another_artifact(number: int) -> Chain:
    return chain(Preset(), ("studio", "live")[number % 2])


@pytest.mark.parametrize("change", [edited, loaded, another_artifact])
def test_the_generated_band_stays_while_chains_are_exchanged_every_second(change: Callable[[int], Chain]) -> None:
    engine = Engine(edited(0), SettingsStore(CONTROLS))
    engine.is_timed = False
    engine.prepare(RATE, 2, BLOCK)
    sound = dull(5.2)
    begin = round(2.2 * RATE)
    played = [play(engine, sound[:, :begin])]
    for number in range(1, 4):
        engine.swap_chain(change(number))
        played.append(play(engine, sound[:, begin : begin + RATE]))
        begin += RATE
    before = band_db(played[0][:, -RATE // 4 :])
    assert before.min() > -20.0
    assert band_db(np.concatenate(played[1:], axis=1)).min() > before.min() - 6.0


def test_a_chain_that_missed_blocks_meanwhile_comes_in_after_the_gap_has_passed() -> None:
    engine = Engine(Delay(20), SettingsStore(CONTROLS))
    engine.is_timed = False
    engine.prepare(RATE, 2, BLOCK)
    sound = dull(0.5)
    play(engine, sound[:, : 10 * BLOCK])
    engine.swap_chain(Delay(20))
    swap = engine._swap
    assert swap is not None
    assert swap._reached == 10 * BLOCK
    # As if a block had come between the catching up and the swap.
    swap._reached -= BLOCK
    output = play(engine, sound[:, 10 * BLOCK : 30 * BLOCK])
    np.testing.assert_array_equal(output[:, 20:], sound[:, 10 * BLOCK : 30 * BLOCK - 20])
    assert not engine.is_swapping


def test_a_swap_for_the_same_chain_plays_the_same_noise_at_the_same_place() -> None:
    sound = dull(1.5)

    def played(swaps: bool) -> Block:
        settings = SettingsStore(CONTROLS)
        settings.request("crossover", EDGE_HZ, "test")
        engine = Engine(edited(0), settings)
        engine.is_timed = False
        engine.prepare(RATE, 2, BLOCK)
        first = play(engine, sound[:, : RATE // 2])
        if swaps:
            engine.swap_chain(edited(0))
        return np.concatenate([first, play(engine, sound[:, RATE // 2 :])], axis=1)[:, RATE // 2 :]

    swapped, alone = played(True), played(False)
    below_db = band_db(alone) - band_db(swapped - alone)
    # The network remembers more than it is played of the past; noise of another place would be no dB below.
    assert np.median(below_db[:25]) > 10.0
    assert np.median(below_db[25:]) > 20.0


def test_the_band_stays_where_the_crossover_goes_from_a_frequency_to_auto() -> None:
    settings = SettingsStore(CONTROLS)
    settings.request("crossover", EDGE_HZ, "test")
    engine = Engine(edited(0), settings)
    engine.is_timed = False
    engine.prepare(RATE, 2, BLOCK)
    sound = dull(3.0)
    before = band_db(play(engine, sound[:, :RATE])[:, RATE // 2 :])
    settings.request("crossover", "auto", "test")
    assert band_db(play(engine, sound[:, RATE:])).min() > before.min() - 6.0
