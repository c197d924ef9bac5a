"""A bounce through the plug-in is the render: the same samples in every host, whatever the blocks, again and again."""

from __future__ import annotations

import struct
import time
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pedalboard._pedalboard import load_plugin

from models.control import Control
from models.extender.controls import BY_ID, defaults
from models.stage import Block
from plugin_host.chain.program import build
from plugin_host.render.render import render_samples
from plugin_host.session.plugin_document import write_document
from tests.plugin_host.plugin.clap_host import ClapHost
from tests.plugin_host.plugin.conftest import Opener, music, wait_for_engine

CROSSOVER: Control = BY_ID["crossover"]


def rendered(sound: Block, settings: Mapping[str, float], artifact: str = "live") -> Block:
    """Return what `highband render` makes of a sound with an artifact; by default the plug-in's."""
    sound_now = build("", artifact)
    return render_samples(sound_now.chain, {**defaults(), **settings}, sound, 48000, block=4096)


@pytest.fixture(scope="module")
def expected() -> Block:
    return rendered(music(), {"crossover": 6000.0})


def bouncing(open_host: Opener) -> ClapHost:
    host = open_host(is_offline=True)
    host.flush(host.event("Crossover", "6 kHz"))
    return host


@pytest.mark.parametrize("sizes", [(64,), (256,), (1000,), (8192,), (1, 333, 2048)], ids=str)
def test_a_bounce_is_the_render(open_host: Opener, served: Path, expected: Block, sizes: tuple[int, ...]) -> None:
    host, sound = bouncing(open_host), music()
    first, again = (host.play(np.pad(sound, ((0, 0), (0, 256))), sizes, sample=0)[:, 256:] for _ in range(2))
    assert np.abs(expected - sound).max() > 0.001, "there is a band to compare"
    np.testing.assert_allclose(first, expected, atol=1e-6, rtol=0)
    host.process(np.zeros((2, 64), np.float32))
    np.testing.assert_array_equal(again, first)
    assert host.text("Engine").startswith("playing")


def test_a_bounce_in_pedalboard_is_the_render(home: Path, served: Path) -> None:
    plugin: Any = load_plugin(str(home / ".vst3" / "highband.vst3"))
    sound = music()
    plugin.parameters["crossover_hz"].raw_value = 0.5
    crossover = CROSSOVER.from_text(plugin.parameters["crossover_hz"].string_value)
    outputs = [plugin.process(sound, 48000, buffer_size=size, reset=True) for size in (64, 256, 256, 1000, 8192)]
    # The text has six digits, enough to separate the crossover's filter from the next one.
    expected = rendered(sound, {"crossover": crossover})
    for output in outputs:
        np.testing.assert_allclose(output, expected, atol=1e-6, rtol=0)
    np.testing.assert_array_equal(outputs[1], outputs[2])


@pytest.mark.parametrize("size", [100, 1024])
def test_automation_lands_on_its_sample(open_host: Opener, served: Path, size: int) -> None:
    host, sound, place = bouncing(open_host), music(), 12_345
    low = host.event("Output", "-12 dB", time=place % size)
    out = host.play(np.pad(sound, ((0, 0), (0, 256))), (size,), sample=0, events={place // size: [low]})[:, 256:]
    before, after = rendered(sound, {"crossover": 6000.0}), rendered(sound, {"crossover": 6000.0, "output": -12.0})
    np.testing.assert_allclose(out[:, :place], before[:, :place], atol=1e-6, rtol=0)
    assert np.abs(out[:, place + 1] - before[:, place + 1]).max() > 1e-5
    # The extender itself goes to another gain within milliseconds.
    np.testing.assert_allclose(out[:, place + 2400 :], after[:, place + 2400 :], atol=2e-4, rtol=0)


def test_a_bounce_from_the_middle_of_the_song_follows_its_timeline(open_host: Opener, served: Path) -> None:
    sound, start, pre_roll = music(1.6), 24_001, 4_800
    host = bouncing(open_host)
    host.flush(host.event("Tone", "-100 %"))
    whole = host.play(sound, (512,), sample=0)
    late = host.play(sound[:, start - pre_roll :], (512,), sample=start - pre_roll)
    later = host.play(sound[:, start:], (512,), sample=start)
    band = np.std(whole[:, 256:] - sound[:, :-256])
    for part in (late, later):
        # The network remembers for a second how it began; noise from another place would differ by 1.4 times the band.
        assert np.std(part[:, -12000:] - whole[:, -12000:]) < 0.7 * band


def test_a_pre_roll_before_the_song_changes_nothing(open_host: Opener, served: Path, expected: Block) -> None:
    """As Ardour exports: silence at negative samples, whose end lies inside of a block."""
    host, sound = bouncing(open_host), music()
    out = host.play(np.pad(sound, ((0, 0), (1000, 256))), (300,), sample=-1000)
    np.testing.assert_allclose(out[:, 1256:], expected, atol=1e-6, rtol=0)


def test_rates_beyond_the_extender_play_dry_and_say_why(open_host: Opener, served: Path) -> None:
    host, sound = open_host(rate=192000.0, is_offline=True), music(0.05, 192000)
    out = host.play(sound, (1024,))
    np.testing.assert_array_equal(out[:, 256:], sound[:, :-256])
    assert "44.1 to 96 kHz" in host.text("Engine")


def studio_state(buffer: int, latency: int) -> bytes:
    """Return a session's state in which the plug-in plays the artifact with look-ahead."""
    text = write_document(build("", "studio"), {}, ()).encode()
    rest = struct.pack("<4I", buffer, 48000, latency, 0) + struct.pack("<I", len(text)) + text
    return b"HBPS" + struct.pack("<III", 1, zlib.crc32(rest, 1), len(rest)) + rest


def test_a_chain_with_latency_is_declared_before_the_first_block(open_host: Opener, served: Path) -> None:
    chain = build("", "studio").chain
    chain.prepare(48000, 2, 256)
    latency, host, sound = 128 + chain.latency_samples, open_host(is_offline=True), music()
    assert host.load(studio_state(128, chain.latency_samples))
    host.flush(host.event("Crossover", "6 kHz"))
    host.activate(48000.0)
    assert host.latency == latency
    out = host.play(np.pad(sound, ((0, 0), (0, latency))), (512,), sample=0)[:, latency:]
    expected = rendered(sound, {"crossover": 6000.0}, "studio")
    np.testing.assert_allclose(out, expected, atol=1e-6, rtol=0)
    assert host.latency == latency
    assert "restart" not in host.wishes


def test_a_latency_that_was_not_known_is_asked_of_the_host(open_host: Opener, served: Path) -> None:
    host = open_host()
    assert host.load(studio_state(256, 0))
    host.activate(48000.0)
    before = host.latency
    wait_for_engine(host)
    patience = time.monotonic() + 5.0
    while "callback" not in host.wishes:
        host.process(np.zeros((2, 256), np.float32))
        time.sleep(0.01)
        assert time.monotonic() < patience
    host.main_thread()
    assert host.wishes[-1] == "restart"
    host.activate(48000.0)
    assert host.latency > before + 1000
    assert host.wishes[-1] == "latency"
    impulse = np.zeros((2, 30_000), np.float32)
    impulse[:, 100] = 1.0
    host.flush(host.event("Bypass", "on"))
    out = np.concatenate([host.process(impulse[:, at : at + 256]) for at in range(0, 29_952, 256)], 1)
    assert list(np.abs(out).argmax(1)) == [100 + host.latency] * 2
