from __future__ import annotations

from typing import Any

from plugin_host.chain.program import build
from plugin_host.cli.common.status import controller, lines
from plugin_host.devices.clocked import ClockedDevice
from plugin_host.session.host import LiveHost
from plugin_host.settings.store import SettingsStore


def test_the_figures_of_a_host_are_shown_in_words_and_units() -> None:
    sound, device = build("podcast-brightener", "live"), ClockedDevice(48000, 2, 256, is_paced=False)
    host = LiveHost(sound, SettingsStore(sound.controls), device, "low latency")
    device.prepare(host.engine)
    host.engine.position = 48000 * 83
    shown = dict(lines(host.stats()))
    latency = host.engine.latency_samples
    assert shown["latency"].startswith(f"{latency} samples ({1000 * latency / 48000:.1f} ms): device 0, ")
    assert shown["format"] == "48000 Hz, 2 channels, blocks of 256 samples, low latency mode"
    assert shown["device"] == "null, ready"
    assert shown["preset"] == "podcast-brightener"
    assert shown["played"] == "1:23 min"
    assert shown["late blocks"] == "0 of 0"
    assert shown["saves time by"] == "nothing"
    assert "comparison" not in shown


def test_loads_are_shares_of_a_block() -> None:
    load = {"callback": {"p50": 0.021, "p99": 0.5, "p99.9": 0.75, "max": 1.5}}
    assert dict(lines({"load": load}))["load of all"] == (
        "2.1 % usually, 50.0 % in 1 of 100 blocks, 75.0 % in 1 of 1000, 150.0 % once"
    )


def test_a_comparison_names_the_side_that_is_turned_down() -> None:
    match = {"on": True, "offset_db": -2.0, "turned_down": "wet"}
    assert dict(lines({"match": match}))["comparison"] == "equally loud; wet turned down by 2.0 dB"
    assert "measuring" in dict(lines({"match": {"on": True, "offset_db": None}}))["comparison"]


def test_a_controller_is_shown_with_what_it_no_longer_moves() -> None:
    assert dict(controller(None)) == {}
    midi: dict[str, Any] = {"port": "nano", "map": "rig", "bindings": [{}, {}], "learning": None, "taken": []}
    assert dict(controller(midi)) == {"controller": "nano, map rig with 2 bindings"}
    shown = dict(controller({**midi, "port": "", "learning": "tone", "taken": ["drive"]}))
    assert shown["controller"] == "not there yet, map rig with 2 bindings"
    assert shown["learning"] == "the next control that moves will move tone"
    assert shown["no longer moved"] == "drive; highband midi undo puts the map back"
