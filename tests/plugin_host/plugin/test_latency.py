"""An impulse comes at the declared latency in every host, also after a change of rate, block and latency choice."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pedalboard._pedalboard import load_plugin

from models.stage import Block
from plugin_host.plugin.lv2_ports import BUFFERS
from tests.plugin_host.plugin.clap_host import ClapHost
from tests.plugin_host.plugin.lv2_host import BUFFER, LATENCY, Lv2Host, initial_ports
from tests.plugin_host.plugin.vst3_host import Vst3Host

RATES, BLOCKS = (48000, 44100, 96000, 192000), ((256,), (64,), (1000, 1, 17), (8192,))
BUFFER_ID = int.from_bytes(b"buff")


class Inserted:
    """A plug-in in a host.

    Attributes:
        begin: Begins at a rate with a choice of the parameter Buffer; returns the latency that the host reads.
        play: Plays a block.
    """

    def __init__(self, begin: Callable[[int, int], int], play: Callable[[Block], Block]) -> None:
        self.begin, self.play = begin, play


def inserted_in(host: ClapHost | Vst3Host, choose: Callable[[int], object]) -> Inserted:
    def begin(rate: int, choice: int) -> int:
        choose(choice)
        host.activate(rate)
        return host.latency

    return Inserted(begin, host.process)


@contextmanager
def in_clap(home: Path) -> Iterator[Inserted]:
    host = ClapHost(home / ".clap" / "highband.clap")
    yield inserted_in(host, lambda choice: host.flush(host.event("Buffer", str(choice))))
    host.close()


@contextmanager
def in_vst3(home: Path) -> Iterator[Inserted]:
    (library,) = (home / ".vst3" / "highband.vst3").rglob("*.so")
    host, silence = Vst3Host(library), np.zeros((2, 64), np.float32)
    yield inserted_in(host, lambda choice: host.process(silence, [(BUFFER_ID, choice / (len(BUFFERS) - 1))]))
    host.close()


@contextmanager
def in_lv2(home: Path) -> Iterator[Inserted]:
    """LV2 knows no change of rate: a host makes the plug-in anew."""
    hosts: list[Lv2Host] = []

    def begin(rate: int, choice: int) -> int:
        for host in hosts:
            host.close()
        ports = {**initial_ports(), BUFFER: float(BUFFERS[choice])}
        hosts.append(Lv2Host(home / ".lv2" / "highband.lv2" / "highband.so", ports, rate=rate))
        hosts[-1].process(np.zeros((2, 0), np.float32))
        return int(hosts[-1].ports[LATENCY].value)

    yield Inserted(begin, lambda block: hosts[-1].process(block))
    hosts[-1].close()


@pytest.mark.parametrize("inserted", [in_clap, in_vst3, in_lv2])
def test_an_impulse_comes_at_the_declared_latency(inserted: Any, home: Path, runtime: Path) -> None:
    sound = np.zeros((2, 20000), np.float32)
    sound[0, 5000], sound[1, 5001] = 1.0, -0.5
    with inserted(home) as plugin:
        for turn, choice in enumerate((3, 0, 6, 1, 5, 2, 4)):
            latency, sizes = plugin.begin(RATES[turn % len(RATES)], choice), BLOCKS[turn * 3 % len(BLOCKS)]
            assert latency == BUFFERS[choice]
            out, start, count = [], 0, 0
            while start < sound.shape[1]:
                size = sizes[count % len(sizes)]
                out.append(plugin.play(np.ascontiguousarray(sound[:, start : start + size])))
                start, count = start + size, count + 1
            played = np.concatenate(out, 1)
            np.testing.assert_array_equal(played[:, latency:], sound[:, : sound.shape[1] - latency])
            np.testing.assert_array_equal(played[:, :latency], 0.0)


def test_pedalboard_makes_up_for_the_declared_latency(home: Path, runtime: Path) -> None:
    plugin: Any = load_plugin(str(home / ".vst3" / "highband.vst3"))
    sound = np.zeros((2, 20000), np.float32)
    sound[0, 5000], sound[1, 5001] = 1.0, -0.5
    for turn, choice in enumerate((3, 0, 6, 1, 5, 2, 4)):
        rate, size = RATES[turn % len(RATES)], BLOCKS[turn * 3 % len(BLOCKS)][0]
        plugin.parameters["buffer_samples"].raw_value = choice / (len(BUFFERS) - 1)
        # The new choice holds from the next beginning on.
        plugin.process(np.zeros_like(sound), rate, buffer_size=size, reset=True)
        np.testing.assert_array_equal(plugin.process(sound, rate, buffer_size=size, reset=True), sound)
