"""The comparison of two versions: aligned to the sample, equally loud at the output, switched within a block."""

from __future__ import annotations

import numpy as np
import pyloudnorm
import pytest

from models.stage import Block
from plugin_host.chain.chain import Chain
from plugin_host.chain.comparison import Comparison, Version
from tests.plugin_host.gain import Gain
from tests.plugin_host.stages import Delay

RATE, BLOCK = 48000, 480
NEUTRAL = {"amount": 0.0, "bypass": 0.0}


def prepared(*versions: Version) -> Chain:
    chain = Chain([], Comparison(versions), [])
    chain.prepare(RATE, 2, BLOCK)
    chain.warm_up({})
    return chain


def comparison_of(chain: Chain) -> Comparison:
    assert isinstance(chain.extender, Comparison)
    return chain.extender


def played(chain: Chain, sound: Block) -> Block:
    blocks = []
    for start in range(0, sound.shape[1], BLOCK):
        blocks.append(chain.play(sound[:, start : start + BLOCK].copy(), {}).copy())
        comparison_of(chain).match.look()
    return np.concatenate(blocks, axis=1)


def noise(seconds: float) -> Block:
    random = np.random.default_rng(1)
    return (0.05 * random.standard_normal((2, round(seconds * RATE)))).astype(np.float32)


def test_both_are_aligned_to_the_sample_whatever_their_latencies() -> None:
    chain = prepared(Version(Chain([], Delay(10), []), NEUTRAL), Version(Chain([], Delay(300), []), NEUTRAL))
    assert chain.latency_samples == 300
    sound = np.zeros((2, 4 * BLOCK), np.float32)
    sound[:, [100, 2 * BLOCK + 100]] = 0.5
    first = played(chain, sound[:, : 2 * BLOCK])
    comparison_of(chain).audible = 1
    second = played(chain, sound[:, 2 * BLOCK :])
    assert [int(np.argmax(np.abs(one[0]))) for one in (first, second)] == [400, 400]


@pytest.mark.parametrize("gain_db", [-9.0, -1.0, 5.0])
def test_both_are_given_out_equally_loud(gain_db: float) -> None:
    louder = {**NEUTRAL, "amount": gain_db}
    chain = prepared(Version(Chain([], Gain(), []), NEUTRAL), Version(Chain([], Gain(), []), louder))
    sound = noise(4.0)
    played(chain, sound)
    meter = pyloudnorm.Meter(RATE)
    levels = []
    for side in (0, 1):
        comparison_of(chain).audible = side
        played(chain, sound[:, :BLOCK])
        levels.append(meter.integrated_loudness(played(chain, sound).T.astype(np.float64)))
    assert abs(levels[0] - levels[1]) < 0.1
    # What is louder is turned down, and nothing up.
    assert max(levels) < meter.integrated_loudness(sound.T.astype(np.float64)) + 0.1
    figures = comparison_of(chain).figures()
    assert figures["offset_db"] == pytest.approx(gain_db, abs=0.05)
    assert figures["lufs"] == pytest.approx(levels, abs=0.2)


def test_a_switch_is_over_within_its_block_and_does_not_click() -> None:
    inverted = {**NEUTRAL, "amount": -6.0}
    chain = prepared(Version(Chain([], Gain(), []), NEUTRAL), Version(Chain([], Gain(), []), inverted))
    # Too short to be measured, so that the levels differ.
    steady = np.full((2, BLOCK), 0.5, np.float32)
    np.testing.assert_array_equal(chain.play(steady.copy(), {}), steady)
    comparison_of(chain).audible = 1
    switch = chain.play(steady.copy(), {})
    assert np.abs(np.diff(switch)).max() < 0.5 / 200
    assert switch[0, -1] == pytest.approx(0.5 * 10 ** (-6.0 / 20.0))


def test_the_input_itself_is_a_version_and_passes_bit_for_bit() -> None:
    chain = prepared(Version(Chain([], None, []), {}), Version(Chain([], Delay(7), []), NEUTRAL))
    sound = noise(0.1)
    np.testing.assert_array_equal(played(chain, sound)[:, 7:], sound[:, :-7])
