"""A reset in the middle of a sound: what follows begins softly, without a burst, whatever was before."""

from __future__ import annotations

import numpy as np
import pytest

from models.extender import entry
from models.extender.extender import Extender
from models.stage import Block
from plugin_host.checks.signals import delayed, play
from tests.models.conftest import SHIPPED
from tests.models.extender.extenders import music, prepared

BAND = {"delta": 1.0, "crossover": 6000.0}
MOST = 10 ** (3.0 / 20)
# 200 ms in stretches of 5 ms.
STRETCHES, STRETCH_MS = 40, 5


def lines(rate: int, seconds: float) -> Block:
    """Return steady lines, which a network without memory takes for more than it knows them to be."""
    time_s = np.arange(round(seconds * rate)) / rate
    rows = [sum(np.sin(2 * np.pi * hertz * k * time_s + k * k) / k for k in range(1, 29)) for hertz in (180.0, 205.0)]
    return (0.1 * np.stack(rows)).astype(np.float32)


def levels(band: Block, rate: int) -> Block:
    """Return the levels of the stretches of a band."""
    size = rate * STRETCH_MS // 1000
    whole: Block = np.sqrt(np.square(band[:, : STRETCHES * size].reshape(2, STRETCHES, size)).mean((0, 2)))
    return whole


def entered(extender: Extender, sound: Block, position: int) -> Block:
    """Return what comes of a sound from a position on, without the latency."""
    extender.reset(position)
    return extender.process(sound[:, position:], BAND)[:, extender.latency_samples :]


@pytest.mark.parametrize("rate", [44100, 48000])
@pytest.mark.parametrize("name", sorted(SHIPPED))
def test_it_is_at_no_time_louder_than_the_undisturbed(name: str, rate: int) -> None:
    extender, sound = prepared(SHIPPED[name], rate, 2), lines(rate, 1.0)
    undisturbed = extender.process(sound, BAND)[:, extender.latency_samples :]
    for position in (round(0.42 * rate) + at for at in (0, 100, 313, 1777)):
        expected, found = levels(undisturbed[:, position:], rate), levels(entered(extender, sound, position), rate)
        assert (found < MOST * expected).all()
        assert (found > 0.5 * expected)[8:].all(), "after 40 ms the band is there"


@pytest.mark.parametrize("name", sorted(SHIPPED))
def test_speech_like_sound_has_no_burst_either(name: str) -> None:
    extender, sound = prepared(SHIPPED[name], 48000, 2), music(48000, 2, 1.0)
    undisturbed = extender.process(sound, BAND)[:, extender.latency_samples :]
    for position in range(20_000, 30_000, 1999):
        expected, found = levels(undisturbed[:, position:], 48000), levels(entered(extender, sound, position), 48000)
        # What is soft beside the rest of these 200 ms makes no burst.
        assert (found < MOST * np.maximum(expected, 0.3 * expected.max())).all()


@pytest.mark.parametrize("name", sorted(SHIPPED))
def test_what_is_held_back_is_the_delayed_input_bit_for_bit(name: str) -> None:
    extender, sound = prepared(SHIPPED[name], 48000, 2), music(48000, 2, 0.3)
    extender.reset(5000)
    late = extender.latency_samples
    held = late + (0 if late else 2 * 256)
    out = play(extender, sound, (100,), {"crossover": 6000.0})
    np.testing.assert_array_equal(out[:, :held], delayed(sound, late)[:, :held])
    assert np.abs(out - delayed(sound, late)).max() > 0.001, "then there is a band"


def test_a_jump_keeps_the_measured_edge_and_a_reset_does_not() -> None:
    extender = prepared(SHIPPED["live"], 48000, 2, edge_hz=None)
    extender.process(music(48000, 2, 1.9), {})
    found = extender.crossover_hz
    extender.jump(70_000)
    extender.process(music(48000, 2, 0.02), {})
    assert found is not None
    assert extender.crossover_hz == found
    extender.reset(70_000)
    extender.process(music(48000, 2, 0.02), {})
    assert extender.crossover_hz is None


@pytest.mark.parametrize("name", sorted(SHIPPED))
def test_a_jump_to_the_start_of_the_song_is_a_reset(name: str) -> None:
    extender, sound = prepared(SHIPPED[name], 48000, 2), music(48000, 2, 0.2)
    expected = extender.process(sound, BAND)
    extender.jump(0)
    np.testing.assert_array_equal(extender.process(sound, BAND), expected)


def test_the_past_is_the_mirror_image() -> None:
    held = np.array([[1.0, 2.0, 3.0]], np.float32)
    assert entry.with_past(held, 8).tolist() == [[3, 2, 1, 1, 2, 3, 3, 2, 1, 1, 2, 3][1:]]
