"""Laws of the dry/wet path: wet and dry equally loud where that is wished, and bit for bit where it is not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pyloudnorm
import pytest

from dsp.loudness import gated_loudness
from models.stage import Block
from plugin_host.chain.chain import Chain
from plugin_host.chain.dry_wet import MATCH
from plugin_host.chain.loudness_match import LoudnessMatch
from plugin_host.checks.signals import delayed, largest_step, music, play
from plugin_host.checks.suite import LEVELS, Level, run
from plugin_host.checks.target import subject_of
from tests.plugin_host.stages import Delay

RATE, LATENCY = 48000, 50
ON = {MATCH.id: 1.0}
DRY = {"bypass": 1.0}


def compared(gain: float) -> tuple[Chain, LoudnessMatch]:
    match, chain = LoudnessMatch(), Chain([], Delay(LATENCY, gain), [])
    chain.compare_by(match)
    chain.prepare(RATE, 2, 512)
    return chain, match


def matched(stage: Chain, match: LoudnessMatch, sound: Block, settings: Mapping[str, float]) -> Block:
    """Play, and measure as often as the host does."""
    parts = []
    for start in range(0, sound.shape[1], 4800):
        parts.append(play(stage, sound[:, start : start + 4800], [128], settings))
        match.look()
    return np.concatenate(parts, axis=1)


def lufs(sound: Block) -> float:
    return float(pyloudnorm.Meter(RATE).integrated_loudness(sound.T.astype(np.float64)))


@pytest.mark.parametrize("gain", [4.0, 0.25])
def test_wet_and_dry_become_equally_loud_and_the_softer_one_stays(gain: float) -> None:
    stage, match = compared(gain)
    sound = music(seconds=2.0)
    matched(stage, match, sound, ON)
    wet = matched(stage, match, sound, ON)
    dry = matched(stage, match, sound, {**ON, **DRY})[:, 9600:]
    assert lufs(wet[:, 9600:]) == pytest.approx(lufs(dry), abs=0.1)
    softer = sound if gain > 1.0 else np.float32(gain) * sound
    assert lufs(dry) == pytest.approx(lufs(softer[:, 9600:]), abs=0.1)
    found = match.figures()
    assert found["offset_db"] == pytest.approx(20 * np.log10(gain), abs=0.01)
    assert found["turned_down"] == ("wet" if gain > 1.0 else "dry")


def test_without_the_match_wet_and_dry_pass_bit_for_bit_even_after_one() -> None:
    stage, match = compared(4.0)
    sound = music(seconds=1.0)
    matched(stage, match, sound, ON)
    matched(stage, match, sound, {})
    np.testing.assert_array_equal(
        matched(stage, match, sound, {})[:, LATENCY:], 4.0 * delayed(sound, LATENCY)[:, LATENCY:]
    )
    matched(stage, match, sound, DRY)
    np.testing.assert_array_equal(matched(stage, match, sound, DRY)[:, LATENCY:], delayed(sound, LATENCY)[:, LATENCY:])


def test_a_match_that_comes_and_goes_makes_no_click() -> None:
    stage, match = compared(4.0)
    tone = np.tile(0.2 * np.sin(2 * np.pi * 440 / RATE * np.arange(RATE)), (2, 1)).astype(np.float32)
    parts = [matched(stage, match, tone, settings) for settings in ({}, ON, {**ON, **DRY}, ON, {}, DRY)]
    # The seconds join where the tone is at the same place, as 440 turns fit one.
    assert largest_step(np.concatenate(parts, axis=1)) < 1.25 * 4.0 * largest_step(tone)


@pytest.mark.parametrize("level", [LEVELS[0], *LEVELS[2:5], LEVELS[7]], ids=lambda level: str(level.number))
def test_it_keeps_the_laws_of_a_stage(level: Level) -> None:
    chain, _ = compared(1.0)
    subject = subject_of("compared", chain)
    assert run(level, replace(subject, controls=(*subject.controls, MATCH))).faults == []


def test_loudness_is_that_of_the_library() -> None:
    for rate in (44100, 48000, 96000):
        sound = music(rate, 2, 2.5)
        sound[:, : rate // 2] *= 0.001
        match = LoudnessMatch()
        match.prepare("test", rate, 2)
        for start in range(0, sound.shape[1], rate // 10):
            block = sound[:, start : start + rate // 10]
            match.push("test", block, 0.5 * block)
            match.push("another", 8.0 * block, block)
            match.look()
        expected = float(pyloudnorm.Meter(rate).integrated_loudness(sound.T.astype(np.float64)))
        assert match.figures()["dry_lufs"] == pytest.approx(expected, abs=0.05)
        assert match.figures()["offset_db"] == pytest.approx(-6.02, abs=0.01)


def test_silence_and_too_little_have_no_loudness() -> None:
    assert gated_loudness(np.zeros(30)) is None
    assert gated_loudness(np.ones(3)) is None
    stage, match = compared(4.0)
    matched(stage, match, np.zeros((2, RATE), np.float32), ON)
    assert (match.gains, match.figures()["offset_db"]) == ((1.0, 1.0), None)
