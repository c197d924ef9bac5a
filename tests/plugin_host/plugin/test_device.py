"""The plug-in as a device: what its engine looks at again and again costs little, and misses nothing."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from models.extender.controls import CONTROLS
from plugin_host.bench.plugin import Echo
from plugin_host.engine.engine import Engine
from plugin_host.plugin.device import PluginDevice
from plugin_host.plugin.library import Region
from plugin_host.settings.changes import Subscription
from plugin_host.settings.store import SettingsStore
from tests.plugin_host.plugin.clap_host import ClapHost
from tests.plugin_host.plugin.conftest import Opener, newest_instance

BLOCK = np.full((2, 256), 0.25, np.float32)


@pytest.fixture
def host(open_host: Opener, runtime: Path) -> ClapHost:
    return open_host(track="Lead")


@pytest.fixture
def store() -> SettingsStore:
    return SettingsStore(CONTROLS)


@pytest.fixture
def device(host: ClapHost, store: SettingsStore) -> Iterator[PluginDevice]:
    """An engine that gives back what it gets, in this process."""
    device = PluginDevice(newest_instance(), store, CONTROLS)
    device.prepare(Engine(Echo(), store))
    device.start()
    yield device
    device.stop()


def play(host: ClapHost, device: PluginDevice) -> None:
    """Play a block that the engine has; there is no time in it but what the engine needs."""
    device.poll()
    host.process(BLOCK)


def play_until_wet(host: ClapHost, device: PluginDevice) -> None:
    for _ in range(10_000):
        play(host, device)
        if host.text("Engine") == "playing":
            return
    pytest.fail("the engine does not play")


def test_a_poll_reads_a_few_words_and_not_the_whole_status(
    host: ClapHost, device: PluginDevice, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = list[int]()
    monkeypatch.setattr(Region, "status", lambda _: whole.append(1))
    play(host, device)
    before = device.news
    for _ in range(20):
        device.poll()
        assert not device.is_done
    assert device.news is before, "it is written again, not made anew"
    assert not whole


def test_a_poll_sees_the_track_the_switch_and_the_end(host: ClapHost, device: PluginDevice) -> None:
    device.poll()
    track = device.news.track
    device.poll()
    assert device.news.track == track
    host.rename_track("Choir")
    device.poll()
    assert device.news.track != track
    assert device.track == "Choir"
    host.close()
    device.poll()
    assert device.is_done


def test_changes_are_asked_for_only_where_there_are_any(
    host: ClapHost, device: PluginDevice, store: SettingsStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken = list[int]()
    take = Subscription.take

    def counted(self: Subscription, timeout_s: float = 0.0) -> object:
        taken.append(1)
        return take(self, timeout_s)

    play_until_wet(host, device)
    for _ in range(10_000):
        if not device._changes:
            break
        play(host, device)  # Where the host's own knobs came in.
    monkeypatch.setattr(Subscription, "take", counted)
    for _ in range(50):
        play(host, device)
    assert not taken
    before = host.value("Amount")
    store.request("amount", -6.0, "panel")
    for tries in itertools.count():
        play(host, device)
        if host.value("Amount") != before:
            break
        assert tries < 10_000
    assert len(taken) == 1
