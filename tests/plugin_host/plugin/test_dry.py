"""Without an engine: the aligned dry signal at the declared latency, in bare hosts and in hostile ones."""

from __future__ import annotations

import stat
from pathlib import Path

import numpy as np
import pytest

from tests.plugin_host.plugin.clap_host import ClapHost
from tests.plugin_host.plugin.conftest import Opener, music


@pytest.fixture
def host(open_host: Opener, runtime: Path) -> ClapHost:
    return open_host()


@pytest.mark.parametrize("rate", [44100, 96000, 192000])
def test_any_rate_plays_dry(host: ClapHost, rate: int) -> None:
    host.activate(rate)
    sound = music(0.1, rate)
    out = host.play(sound, (512,))
    np.testing.assert_array_equal(out[:, host.latency :], sound[:, : -host.latency])
    host.close()


def test_a_host_without_extensions_is_served(open_host: Opener, runtime: Path) -> None:
    host = open_host(is_bare=True)
    sound = music(0.1)
    np.testing.assert_array_equal(host.play(sound, (333,))[:, 256:], sound[:, :-256])
    host.main_thread()
    host.close()


def test_hostile_blocks_leave_numbers(host: ClapHost) -> None:
    chance = np.random.default_rng(7)
    for turn in range(400):
        if turn % 40 == 0:
            host.activate(float(chance.choice([44100, 48000, 88200, 96000, 192000])))
        block = chance.standard_normal((2, int(chance.integers(1, 8193)))).astype(np.float32)
        block[0, chance.integers(block.shape[1])] = chance.choice([np.nan, np.inf, -np.inf, 1e30])
        sample = None if turn % 3 else int(chance.integers(0, 10**9))
        assert np.isfinite(host.process(block, sample=sample)).all()
    host.close()


def test_others_can_not_open_the_memory(host: ClapHost, runtime: Path) -> None:
    host.process(np.zeros((2, 64), np.float32))
    (region,) = runtime.glob("*.region")
    assert stat.S_IMODE(region.stat().st_mode) == 0o600
    assert stat.S_IMODE(runtime.stat().st_mode) == 0o700
    host.close()
    assert not list(runtime.glob("*.region")), "what is closed leaves nothing behind"


def test_a_folder_that_others_can_open_is_refused(open_host: Opener, runtime: Path) -> None:
    runtime.mkdir(mode=0o755)
    runtime.chmod(0o755)
    host = open_host()
    sound = music(0.05)
    np.testing.assert_array_equal(host.play(sound, (256,))[:, 256:], sound[:, :-256])
    assert "others can't open" in host.text("Engine")
    assert not list(runtime.iterdir())
    host.close()
