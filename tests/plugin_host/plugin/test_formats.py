"""The plug-in in the hosts of other people: LV2's tools, jalv on JACK, dawdreamer, a VST3 session that is hostile."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from pedalboard._pedalboard import load_plugin

from plugin_host.plugin.instances import instances
from plugin_host.plugin.library import PLAYING, Library, Region, Status
from tests.plugin_host.plugin import jalv_bounce
from tests.plugin_host.plugin.conftest import music
from tests.plugin_host.plugin.test_bounce import rendered
from tests.stress.jack_dummy_server import DummyServer

URI = "urn:highband:highband"
_DAWDREAMER = """
import sys, numpy, dawdreamer
sound = numpy.load(sys.argv[2])
engine = dawdreamer.RenderEngine(48000, 512)
plugin = engine.make_plugin_processor("plugin", sys.argv[1])
plugin.set_parameter(0, 0.5)
engine.load_graph([(engine.make_playback_processor("in", sound), []), (plugin, ["in"])])
for _ in range(2):
    engine.render(sound.shape[1] / 48000)
    numpy.save(sys.argv[2], engine.get_audio())
print(plugin.get_latency_samples(), plugin.get_parameter_text(0))
"""


def lv2_path(home: Path) -> dict[str, str]:
    return {**os.environ, "LV2_PATH": f"{home / '.lv2'}:/usr/lib/lv2"}


def test_the_turtle_is_valid(home: Path) -> None:
    files = list(map(str, (home / ".lv2" / "highband.lv2").glob("*.ttl")))
    result = subprocess.run(["lv2_validate", *files], capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr
    assert "Found 0 errors" in result.stdout


def test_an_lv2_bounce_of_single_samples_is_the_render(home: Path, served: Path, tmp_path: Path) -> None:
    sound, source, target = music(0.1), tmp_path / "in.wav", tmp_path / "out.wav"
    soundfile.write(source, sound.T, 48000, subtype="FLOAT")
    settings = ["-c", "free_wheeling", "1", "-c", "crossover", "6000"]
    subprocess.run(["lv2apply", "-i", source, "-o", target, *settings, URI], env=lv2_path(home), check=True, timeout=60)
    out = soundfile.read(target, dtype="float32")[0].T
    expected = rendered(sound, {"crossover": 6000.0})
    np.testing.assert_allclose(out[:, 256:], expected[:, :-256], atol=1e-6, rtol=0)


def test_a_bounce_in_dawdreamer_is_the_render(home: Path, served: Path, tmp_path: Path) -> None:
    sound, path = music(), tmp_path / "sound.npy"
    np.save(path, sound)
    words = [sys.executable, "-c", _DAWDREAMER, str(home / ".vst3" / "highband.vst3"), str(path)]
    printed = subprocess.run(words, capture_output=True, text=True, check=True, timeout=60).stdout.split(maxsplit=1)
    latency = int(printed[0])
    expected = rendered(sound, {"crossover": 1000.0 * float(printed[1].split()[0])})
    np.testing.assert_allclose(np.load(path)[:, latency:], expected[:, :-latency], atol=1e-6, rtol=0)


def test_what_jalv_plays_on_jack_is_the_render(
    home: Path, served: Path, library: Path, server: DummyServer, tmp_path: Path
) -> None:
    sound, source, target = music(0.3), tmp_path / "in.npy", tmp_path / "out.npy"
    np.save(source, sound)
    server.stop()
    server.start(period=1024)
    environment = lv2_path(home)
    jalv = subprocess.Popen(
        ["jalv", "-x", "-n", "jalv", "-c", "crossover=6000", "-c", "buffer=2048", URI], env=environment,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    with jalv:
        try:
            patience = time.monotonic() + 20.0
            while not any(status.engine_state == PLAYING for status in statuses(library, jalv.pid)):
                assert jalv.poll() is None, jalv.stdout and jalv.stdout.read()
                assert time.monotonic() < patience
                time.sleep(0.05)
            words, late = [sys.executable, str(jalv_bounce.__file__), "jalv", str(source), str(target)], -1
            is_broken = False
            # On a busy machine some blocks come too late and are dry, or the server loses some.
            patience = time.monotonic() + 60.0
            while late != (late := sum(status.late for status in statuses(library, jalv.pid))) or is_broken:
                is_broken = bool(subprocess.run(words, env=environment, check=False, timeout=60).returncode)
                assert time.monotonic() < patience
        finally:
            jalv.terminate()
    assert statuses(library, jalv.pid) == []
    expected = rendered(sound, {"crossover": 6000.0})
    np.testing.assert_allclose(np.load(target)[:, 2048:], expected[:, :-2048], atol=1e-6, rtol=0)


def statuses(library: Path, pid: int) -> list[Status]:
    """Return the figures of a process's instances."""
    found = []
    for instance in instances():
        if instance.pid == pid:
            region = Region(Library(library), instance.path)
            found.append(region.status())
            region.close()
    return found


@pytest.mark.parametrize("channels", [1, 2])
def test_a_hostile_vst3_session_survives(home: Path, runtime: Path, channels: int) -> None:
    plugin: Any = load_plugin(str(home / ".vst3" / "highband.vst3"))
    chance = np.random.default_rng(channels)
    state = bytes(plugin.raw_state)
    for turn in range(300):
        rate, size = float(chance.choice([44100, 48000, 96000, 192000])), int(chance.integers(1, 8193))
        block = chance.standard_normal((channels, int(chance.integers(1, 3 * size)))).astype(np.float32)
        block[0, 0] = chance.choice([np.nan, np.inf, 1e30])
        name = str(chance.choice(list(plugin.parameters)))
        if name != "engine":
            plugin.parameters[name].raw_value = float(chance.random())
        out = plugin.process(block, rate, buffer_size=size, reset=bool(turn % 2))
        # What the latency takes comes with a later call.
        assert out.shape[1] <= block.shape[1]
        assert np.isfinite(out).all()
        if turn % 10 == 0:
            plugin.raw_state = state
