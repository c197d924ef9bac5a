from __future__ import annotations

import time
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from models.extender.controls import CONTROLS
from plugin_host.devices import portaudio as devices
from plugin_host.devices.device import DeviceError, DeviceOptions
from plugin_host.devices.portaudio import SoundDevice, list_devices
from plugin_host.engine.engine import Engine
from plugin_host.settings.store import SettingsStore
from tests.plugin_host.stages import Delay


class Refused(Exception):
    pass


class Card:
    """Stands for sounddevice: one card that can be unplugged, and comes back with another rate."""

    PortAudioError = Refused

    def __init__(self) -> None:
        self.is_there, self.rate = True, 48000.0
        self.streams: list[Card.Opened] = []
        self.default = SimpleNamespace(device=(0, 0))
        self.starts = 0

    def query_hostapis(self, index: int | None = None) -> Any:
        apis = ({"name": "ALSA"},)
        return apis if index is None else apis[index]

    def query_devices(self, name: object = None, kind: str | None = None) -> Any:
        entry = {
            "index": 0, "name": "card", "hostapi": 0, "max_input_channels": 1, "max_output_channels": 2,
            "default_samplerate": self.rate, "default_low_input_latency": 0.005, "default_low_output_latency": 0.01,
        }  # fmt: skip
        if kind is None:
            return [entry] if self.is_there else []
        if not self.is_there or name not in (None, 0, "card"):
            raise Refused("no such device")
        return entry

    def _initialize(self) -> None:
        self.starts += 1

    def _terminate(self) -> None:
        pass

    def Stream(self, **options: Any) -> Card.Opened:
        self.streams.append(Card.Opened(**options))
        return self.streams[-1]

    class Opened:
        latency = (0.005, 0.01)

        def __init__(self, callback: Callable[..., None], **options: Any) -> None:
            self.callback, self.options, self.active = callback, options, False

        def start(self) -> None:
            self.active = True

        def close(self, ignore_errors: bool = True) -> None:
            self.active = False

        def play(self, xrun: bool = False) -> np.ndarray:
            out = np.full((128, 2), np.nan, np.float32)
            status = SimpleNamespace(output_underflow=xrun, input_overflow=False)
            self.callback(np.full((128, 1), 0.25, np.float32), out, 128, None, status)
            return out


@pytest.fixture
def card(monkeypatch: pytest.MonkeyPatch) -> Card:
    made = Card()
    monkeypatch.setattr(devices, "portaudio", lambda: made)
    return made


def started(options: DeviceOptions) -> tuple[SoundDevice, Engine]:
    device, engine = SoundDevice(options), Engine(Delay(), SettingsStore(CONTROLS))
    device.prepare(engine)
    device.start()
    return device, engine


def test_a_mono_input_plays_on_both_outputs(card: Card) -> None:
    device, engine = started(DeviceOptions(block=128))
    assert (device.inputs, device.outputs, device.rate, device.state) == (1, 2, 48000, "playing")
    assert device.latency_samples == 720
    assert card.streams[0].options["blocksize"] == 128
    assert (card.streams[0].play() == 0.25).all()
    card.streams[0].play(xrun=True)
    assert engine.xruns == 1
    device.stop()
    assert not card.streams[0].active


def test_a_card_that_goes_is_waited_for_and_comes_back_at_its_new_rate(card: Card) -> None:
    device, engine = started(DeviceOptions())
    card.streams[0].play()
    assert device.poll() is None
    card.is_there, card.streams[0].active = False, False
    assert "card is gone" in str(device.poll())
    assert device.state == "lost"
    assert device.poll() is None
    card.is_there, card.rate = True, 44100.0
    patience = time.monotonic() + 20.0
    messages = None
    while messages is None and time.monotonic() < patience:
        messages = device.poll()
        time.sleep(0.02)
    assert messages == "card is back: 44100 Hz, block 128"
    assert engine.stats()["sample_rate"] == 44100
    assert (card.streams[-1].play() == 0.25).all()
    assert device.state == "playing"


def test_tries_become_rarer(card: Card) -> None:
    device, _ = started(DeviceOptions())
    card.is_there, card.streams[0].active = False, False
    began = time.monotonic()
    while time.monotonic() - began < 1.6:
        device.poll()
        time.sleep(0.01)
    assert 2 <= card.starts <= 4


@pytest.mark.parametrize(
    ("options", "messages"),
    [(DeviceOptions(input="nonsense"), "no input device nonsense"), (DeviceOptions(output="7"), "no output device 7")],
)
def test_a_device_that_is_not_there_is_one_sentence(card: Card, options: DeviceOptions, messages: str) -> None:
    with pytest.raises(DeviceError, match=messages):
        SoundDevice(options)


def test_the_list_names_the_defaults(card: Card) -> None:
    assert [(entry.name, entry.api, entry.default) for entry in list_devices()] == [("card", "ALSA", "input output")]
    card.is_there = False
    assert list_devices() == []
