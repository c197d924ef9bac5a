"""A jump on the timeline while sound plays: nothing is lost or silent, and what follows goes by the new place."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest

from models.control import Control
from models.extender.controls import defaults
from models.stage import Block
from plugin_host.chain.chain import Chain
from plugin_host.chain.program import build
from plugin_host.checks.signals import music
from plugin_host.engine.engine import Engine
from plugin_host.settings.store import SettingsStore

DELAY = 100


class Counting:
    """Delays by 100 samples, times a knob, and adds the sample of the timeline, as a generated band would."""

    controls = (Control("gain", "Gain", "", 0.0, 1.0, 1.0, glide_ms=20.0),)
    latency_samples = DELAY

    def prepare(self, sample_rate: int, channels: int, max_block: int) -> None:
        self.channels, self.most = channels, max_block
        self.reset()

    def reset(self, position: int = 0) -> None:
        self.past, self.position = np.zeros((self.channels, DELAY), np.float32), position - DELAY

    def process(self, block: Block, settings: Mapping[str, float]) -> Block:
        assert block.shape[1] <= self.most
        whole = np.concatenate([self.past, block], 1)
        self.past = whole[:, block.shape[1] :]
        places = np.arange(self.position, self.position + block.shape[1])
        self.position += block.shape[1]
        out: Block = (settings["gain"] * (whole[:, : block.shape[1]] + places)).astype(np.float32)
        return out


def played(jumps: Mapping[int, int], size: int = 64) -> Block:
    chain, sound = Chain([], Counting(), []), np.zeros((1, 1024), np.float32)
    chain.prepare(48000, 1, 64)
    out = []
    for start in range(0, 1024, size):
        if start in jumps:
            chain.seek(jumps[start])
        out.append(chain.process(sound[:, start : start + size], {"gain": 1.0}))
    whole: Block = np.concatenate(out, 1)[0]
    return whole


@pytest.mark.parametrize("size", [64, 32])
def test_what_was_inside_comes_out_before_the_new_place(size: int) -> None:
    out = played({512: 9000}, size)
    np.testing.assert_array_equal(out[: 512 + DELAY], np.arange(-DELAY, 512))
    np.testing.assert_array_equal(out[512 + DELAY :], np.arange(9000, 9000 + 1024 - 512 - DELAY))


def test_two_jumps_within_the_latency_lose_nothing() -> None:
    out = played({512: 9000, 576: 20_000})
    np.testing.assert_array_equal(out[: 512 + DELAY], np.arange(-DELAY, 512))
    np.testing.assert_array_equal(out[512 + DELAY : 576 + DELAY], np.arange(9000, 9064))
    np.testing.assert_array_equal(out[576 + DELAY :], np.arange(20_000, 20_000 + 1024 - 576 - DELAY))


def test_a_bounce_begins_from_silence_with_every_knob_at_its_target() -> None:
    stage = Counting()
    store = SettingsStore(stage.controls)
    engine = Engine(Chain([], stage, []), store)
    engine.prepare(48000, 1, 64)
    frames = np.zeros((64, 1), np.float32)
    engine.callback(frames, np.zeros_like(frames))
    store.request("gain", 0.5, "test")
    engine.seek(5000, forget=True)
    out = np.zeros_like(frames)
    engine.callback(frames, out)
    np.testing.assert_array_equal(out[:, 0], 0.5 * np.arange(5000 - DELAY, 5064 - DELAY))
    assert engine.take_error() is None


def test_a_jump_that_fails_leaves_the_dry_signal_and_a_word() -> None:
    class Failing(Counting):
        def reset(self, position: int = 0) -> None:
            if position:
                raise RuntimeError("no")
            super().reset()

    chain = Chain([], Failing(), [])
    chain.prepare(48000, 1, 64)
    chain.process(np.zeros((1, 64), np.float32), {"gain": 1.0})
    chain.seek(77)
    assert "jump" in str(chain.take_error())


@pytest.mark.parametrize("artifact", ["live", "studio"])
def test_a_jump_in_the_middle_of_sound_makes_no_burst(artifact: str) -> None:
    chain, sound, bands = build("", artifact).chain, music(seconds=1.0), []
    count = sound.shape[1]
    for jumps in ((), (26_112, 26_240), (30_080,)):
        chain.prepare(48000, 2, 128)
        out, late = [], chain.latency_samples
        for start in range(0, count, 128):
            if start in jumps:
                chain.seek(start)
            out.append(chain.process(sound[:, start : start + 128], {**defaults(), "crossover": 6000.0}))
        assert chain.take_error() is None
        band = np.concatenate(out, 1)[:, late:] - sound[:, : count - late]
        bands.append(np.sqrt(np.square(band[:, 19_200:43_200].reshape(2, -1, 240)).mean((0, 2))))
    undisturbed, *jumped = bands
    assert undisturbed.min() > 0.001, "there is a band"
    for levels in jumped:
        assert (levels < 1.41 * undisturbed).all(), "at no time 3 dB louder"
        assert (levels < 0.5 * undisturbed).sum() < 7, "back after 30 ms"
