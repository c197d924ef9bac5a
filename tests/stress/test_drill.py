"""The fault drill: its messages are truly malformed, and a host survives a quick one of everything."""

from __future__ import annotations

import random
import subprocess
from pathlib import Path

import pytest

from models.extender import controls as knobs
from plugin_host.control.osc_server import OscControl
from plugin_host.control.protocol import Refusal, read_request
from plugin_host.preset.file import PresetError, parse_preset
from plugin_host.settings.changes import SettingsError
from plugin_host.settings.store import SettingsStore
from tests.plugin_host.fake_host import FakeHost
from tests.plugin_host.session.live_program import STRESS, environment
from tests.stress import malformed


def test_a_quick_drill_is_survived(tmp_path: Path) -> None:
    done = subprocess.run(
        [*STRESS, "drill", "--quick", "--seed", "3"], cwd=tmp_path, env=environment(tmp_path, COLUMNS="200"),
        capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("holds") == 4
    assert "fails" not in done.stdout
    assert "50000 messages at once" in done.stdout


def test_no_malformed_request_can_be_done() -> None:
    chance, store = random.Random(5), SettingsStore(knobs.CONTROLS)
    for _ in range(1500):
        first, *more = malformed.request(chance)
        if more:
            continue
        try:
            request = read_request(first)
        except Refusal:
            continue
        assert request.do == "set"
        with pytest.raises(SettingsError):
            store.request(request.knob, request.value, request.origin)
    assert store.targets() == knobs.defaults()


def test_no_malformed_packet_moves_anything() -> None:
    chance, store, host = random.Random(5), SettingsStore(knobs.CONTROLS), FakeHost()
    interface = OscControl(store, host, 0)
    for _ in range(1500):
        interface.receive(malformed.osc_packet(chance))
    assert (store.targets(), host.loaded) == (knobs.defaults(), [])


def test_some_broken_presets_are_refused_and_none_does_worse() -> None:
    chance, refused = random.Random(5), 0
    for _ in range(500):
        try:
            parse_preset(malformed.preset(chance, b'{"schema": 1, "name": "Drill", "settings": {"amount": 3.0}}'))
        except PresetError:
            refused += 1
    assert refused > 400
