"""Laws of turns: a guest who is cut off is found to the block, and a steady recording has none."""

from __future__ import annotations

import numpy as np
import pytest
import soxr

from dsp.audio import Block
from dsp.bandwidth.tracker import BandwidthTracker
from dsp.bandwidth.turns import Turn, TurnFinder

RATE, SECONDS = 48000, 4


def syllables(seed: int, seconds: float = SECONDS) -> Block:
    """Return noise that falls by 6 dB an octave in bursts of 0.2 s, over a floor as a microphone has it."""
    rng = np.random.default_rng(seed)
    count = round(seconds * RATE)
    spectrum = np.fft.rfft(rng.standard_normal(count))
    spectrum /= np.maximum(np.fft.rfftfreq(count, 1 / RATE), 200.0)
    sound = np.fft.irfft(spectrum, count)
    gate = 0.5 - 0.5 * np.cos(2 * np.pi * np.minimum(np.arange(count) / RATE % 0.25 / 0.2, 1.0))
    sound = 0.3 * sound / np.abs(sound).max() * gate + 3e-5 * rng.standard_normal(count)
    rows: Block = sound[None].astype(np.float32)
    return rows


def cut(sound: Block, rate: int) -> Block:
    down = soxr.resample(sound.T, RATE, rate, quality="VHQ")
    raised: Block = soxr.resample(down, rate, RATE, quality="VHQ")
    rows: Block = np.ascontiguousarray(raised.T[:, : sound.shape[1]])
    return rows


def turns(sound: Block, size: int = RATE) -> list[list[Turn]]:
    finder = TurnFinder(RATE, len(sound))
    for start in range(0, sound.shape[1], size):
        finder.add(sound[:, start : start + size])
    return finder.turns()


@pytest.mark.parametrize("rate", [8000, 12000, 16000])
def test_a_guest_is_found_to_the_block(rate: int) -> None:
    conversation = np.concatenate([syllables(1), cut(syllables(2), rate), syllables(3), cut(syllables(4), rate)], 1)
    (found,) = turns(conversation)
    assert [abs(turn.start - start * RATE) < 0.06 * RATE for turn, start in zip(found, (4, 12), strict=True)] == [
        True
    ] * 2
    assert all(0 <= end * RATE - turn.end < 0.06 * RATE for turn, end in zip(found, (8, 16), strict=True))
    assert all(0.44 * rate < turn.edge_hz < 0.5 * rate for turn in found)


def test_each_channel_has_its_own() -> None:
    left = np.concatenate([syllables(1), cut(syllables(2), 8000), syllables(3)], 1)
    found = turns(np.concatenate([left, np.roll(syllables(5, 12.0), 100)]))
    assert [len(channel) for channel in found] == [1, 0]


@pytest.mark.parametrize("rate", [8000, 16000])
def test_a_channel_that_is_always_cut_is_a_turn_beside_one_that_goes_higher(rate: int) -> None:
    guest, host = cut(syllables(7, 12.0), rate), syllables(8, 12.0)
    left, right = turns(np.concatenate([host, guest]))
    assert not left
    assert sum(turn.end - turn.start for turn in right) > 11.5 * RATE
    assert all(0.44 * rate < turn.edge_hz < 0.5 * rate for turn in right)


@pytest.mark.parametrize("rate", [8000, 16000, 48000])
def test_channels_that_are_cut_the_same_have_none(rate: int) -> None:
    sound = [syllables(seed, 12.0) for seed in (7, 8)]
    assert turns(np.concatenate([one if rate == RATE else cut(one, rate) for one in sound])) == [[], []]


@pytest.mark.parametrize("rate", [8000, 16000, 48000])
def test_a_steady_recording_has_none(rate: int) -> None:
    sound = syllables(6, 12.0)
    assert turns(sound if rate == RATE else cut(sound, rate)) == [[]]


def test_silence_and_what_is_no_number_have_none() -> None:
    sound = np.zeros((2, 3 * RATE), np.float32)
    sound[1] = np.nan
    assert turns(sound) == [[], []]


def test_blocks_of_any_length_give_the_same() -> None:
    conversation = np.concatenate([syllables(1), cut(syllables(2), 8000), syllables(3)], 1)
    assert turns(conversation, 777) == turns(conversation) == turns(conversation, conversation.shape[1])


def test_live_a_guest_who_comes_back_is_known_and_the_host_is_left_alone() -> None:
    parts = [part for seed in (1, 3, 5, 7) for part in (syllables(seed), cut(syllables(seed + 1), 8000))]
    conversation, tracker, hop = np.concatenate(parts, 1), BandwidthTracker(RATE), 256
    edges = np.array([tracker.update(conversation[:, at : at + hop]) for at in range(0, conversation.shape[1], hop)])
    per_part = RATE * SECONDS // hop
    late = round(0.25 * RATE / hop)
    for turn in range(1, 4):
        host, guest = (edges[(2 * turn + who) * per_part :][:per_part] for who in (0, 1))
        assert set(host[round(0.05 * RATE / hop) :]) == {RATE / 2}
        assert np.all((guest[late:] > 3500) & (guest[late:] < 4000))


def test_live_a_steady_recording_keeps_its_edge() -> None:
    sound, tracker = cut(syllables(6, 12.0), 8000), BandwidthTracker(RATE)
    edges = [tracker.update(sound[:, at : at + 256]) for at in range(0, sound.shape[1], 256)]
    assert len(set(edges)) == 2
