"""A full-band host and a guest on the telephone in turns: the guest is restored, and the host is not touched."""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

import numpy as np
import pytest
import soundfile
import soxr

from dsp.audio import Block
from models.artifact.load import load_extender
from models.extender.extender import Extender
from plugin_host.chain.chain import Chain
from plugin_host.render import checkpoint, render
from plugin_host.render.checkpoint import Checkpoint
from plugin_host.render.inspect.untouched import prove
from plugin_host.render.render import render_file, render_samples
from plugin_host.render.stopped import RenderStopped, is_resumable

RATE, SECONDS = 48000, 4
PART = RATE * SECONDS


def speaker(seed: int) -> Block:
    """Return bursts of lines and noise up to 20 kHz, over the noise of a microphone."""
    rng = np.random.default_rng(seed)
    time = np.arange(PART) / RATE
    spectrum = np.fft.rfft(rng.standard_normal(PART))
    spectrum /= np.maximum(np.fft.rfftfreq(PART, 1 / RATE), 300.0)
    sound = np.fft.irfft(spectrum, PART)
    lines = sum(np.sin(2 * np.pi * 170 * k * time + k * k) / k for k in range(1, 100))
    gate = 0.5 - 0.5 * np.cos(2 * np.pi * np.minimum(time % 0.25 / 0.2, 1.0))
    sound = 0.2 * (sound / np.abs(sound).max() + 0.2 * lines) * gate + 3e-5 * rng.standard_normal(PART)
    rows: Block = sound[None].astype(np.float32)
    return rows


def telephone(sound: Block) -> Block:
    low = soxr.resample(sound.T, RATE, 8000, quality="VHQ")
    rows: Block = np.ascontiguousarray(soxr.resample(low, 8000, RATE, quality="VHQ").T[:, :PART])
    return rows


@lru_cache
def conversation() -> tuple[Block, Block, Block]:
    """Return host and guest in four turns, and each alone with silence in the other's place."""
    hosts, guests = [speaker(seed) for seed in (1, 3)], [telephone(speaker(seed)) for seed in (2, 4)]
    silence = np.zeros_like(hosts[0])
    both = np.concatenate([hosts[0], guests[0], hosts[1], guests[1]], 1)
    return both, np.concatenate([hosts[0], silence] * 2, 1), np.concatenate([*guests], 1)


def top_db(sound: Block) -> float:
    spectrum = np.abs(np.fft.rfft(sound[0] * np.hanning(sound.shape[1]))) ** 2
    return float(10 * np.log10(spectrum[np.fft.rfftfreq(sound.shape[1], 1 / RATE) > 5000].mean() + 1e-20))


def rendered(artifact: str, sound: Block) -> Block:
    return render_samples(Chain([], load_extender(artifact), []), {}, sound, RATE, block=8192)


@pytest.mark.parametrize("artifact", ["live", "studio"])
def test_a_guest_on_a_channel_of_his_own_is_restored(artifact: str) -> None:
    host = np.concatenate([speaker(seed) for seed in (1, 3)], 1)
    guest = np.concatenate([telephone(speaker(seed)) for seed in (2, 4)], 1)
    out, alone = rendered(artifact, np.concatenate([host, guest])), rendered(artifact, guest)
    assert np.array_equal(out[0], host[0])
    assert abs(top_db(out[1:]) - top_db(alone)) < 1.5


@pytest.mark.parametrize("artifact", ["live", "studio"])
def test_the_host_is_left_bit_for_bit_and_the_guest_sounds_as_alone(artifact: str) -> None:
    both, _, guest = conversation()
    out, alone = rendered(artifact, both), rendered(artifact, guest)
    for turn in (0, 2):
        part = slice(turn * PART, (turn + 1) * PART)
        np.testing.assert_array_equal(out[:, part], both[:, part])
    for turn, at in ((1, 0), (3, 1)):
        for first in (0.0, 0.1, 1.0, 2.0):
            start = round(first * RATE)
            ours = out[:, turn * PART + start :][:, :RATE]
            his = alone[:, at * PART + start :][:, :RATE]
            assert top_db(ours) == pytest.approx(top_db(his), abs=1.0)
            assert top_db(ours) > top_db(both[:, turn * PART + start :][:, :RATE]) + 20


def test_the_dull_channel_of_two_is_restored_and_the_other_is_not_touched() -> None:
    both, _, _ = conversation()
    other = np.roll(np.concatenate([speaker(9)] * 4, 1), 99)
    sound = np.concatenate([np.concatenate([both[:, :PART], both[:, PART : 2 * PART]] * 2, 1), other])
    out = rendered("studio", sound)
    np.testing.assert_array_equal(out[1], sound[1])
    assert top_db(out[:1, PART : 2 * PART]) > top_db(sound[:1, PART : 2 * PART]) + 20
    np.testing.assert_array_equal(out[:1, :PART], sound[:1, :PART])


def test_blocks_equal_whole_over_turns() -> None:
    both, _, _ = conversation()
    whole = rendered("live", both)
    cut = render_samples(load_extender("live"), {}, both, RATE, block=1000)
    np.testing.assert_allclose(cut, whole, atol=1e-5)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="processes are copied on Linux alone")
@pytest.mark.filterwarnings("ignore:.*multi-threaded:DeprecationWarning")
@pytest.mark.parametrize("aside_first", [True, False])
def test_turns_played_aside_have_the_same_bits_over_a_stop(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, aside_first: bool
) -> None:
    for room, name, value in (
        (checkpoint, "_LONG_S", 1.0), (checkpoint, "_EVERY_S", 0.0), (render, "_SPREAD_S", 1.0),
        (render, "can_spread", lambda: True),
    ):  # fmt: skip
        monkeypatch.setattr(room, name, value)
    here, process = list[Extender](), Extender.process

    def noted(extender: Extender, block: Block, settings: Mapping[str, float]) -> Block:
        here.append(extender)
        return process(extender, block, settings)

    source, stage = tmp_path / "in.wav", Chain([], load_extender("live"), [])
    soundfile.write(source, conversation()[0].T, RATE, subtype="FLOAT")
    monkeypatch.setattr(Extender, "process", noted)

    def rendered_to(name: str, spreads: bool, blocks: int = 1000) -> bytes:
        here.clear()
        place = Checkpoint(tmp_path / "kept", "key")
        stopped = lambda: len([one for one in here if one is stage.extender]) > blocks  # noqa: E731
        done = render_file(
            stage, {}, source, tmp_path / name, checkpoint=place, spreads=spreads, stopped=stopped, origin={}
        )
        assert done.notes == ("the band ends lower in 2 places than elsewhere",)
        assert (set(here) == {stage.extender}) == spreads
        return (tmp_path / name).read_bytes()

    expected = rendered_to("whole.wav", False)
    # The first block is the host's, and what the file says of itself holds for the guest too.
    proof = prove(tmp_path / "whole.wav", source)
    assert proof.holds
    assert 3000 < proof.below_hz < 4000
    # Inside of the first turn.
    with pytest.raises(RenderStopped):
        rendered_to("goes.wav", aside_first, 6)
    assert is_resumable(tmp_path / "kept")
    assert rendered_to("goes.wav", not aside_first) == expected
