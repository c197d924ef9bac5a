"""Each instance by its name and its track's: where it is controlled, and its panel in the browser."""

from __future__ import annotations

import itertools
import subprocess
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rtmidi
from typer.testing import CliRunner

from plugin_host.cli.app import app
from plugin_host.control.client import Client
from plugin_host.plugin.instances import control_address, read_note, track_of
from plugin_host.plugin.library import Library, Region, Status
from plugin_host.plugin.product import PluginError
from tests.plugin_host.plugin.clap_host import GESTURE_BEGIN, GESTURE_END, VALUE, ClapHost
from tests.plugin_host.plugin.conftest import Opener, newest_instance, start_server, wait_for_engine
from tests.plugin_host.plugin.vst3_host import Vst3Host
from tests.stress.jack_dummy_server import NAME, DummyServer

SILENCE = np.zeros((2, 256), np.float32)


def highband(*words: str) -> tuple[int, str]:
    """Run a command in this process; return its status and what it printed."""
    result = CliRunner().invoke(app, list(words))
    return result.exit_code, result.output


def status_of(library: Path) -> Status:
    region = Region(Library(library), newest_instance().path)
    found = region.status()
    region.close()
    return found


def wait_until(host: ClapHost, is_so: Callable[[], bool], seconds: float = 300.0) -> None:
    """Play in real time until something is so."""
    patience = time.monotonic() + seconds
    while not is_so():
        host.process(SILENCE)
        assert time.monotonic() < patience
        time.sleep(0.005)


def test_a_clap_host_names_the_track(open_host: Opener, runtime: Path) -> None:
    host = open_host(track="Stimme über allem")
    name = newest_instance().name
    host.process(SILENCE)
    assert highband("plugin", "status")[1].startswith(f"{name} (Stimme über allem): dry, no engine, 48000 Hz")
    host.rename_track("Two\nlines")
    assert f"{name} (Two lines): " in highband("plugin", "status")[1]
    assert '"track": "Two lines"' in highband("plugin", "status", "--json")[1]
    host.activate(96000.0)
    assert f"{newest_instance().name} (Two lines): " in highband("plugin", "status")[1], "at another rate, too"


def test_a_vst3_host_names_the_track(home: Path, library: Path, runtime: Path) -> None:
    (file,) = (home / ".vst3" / "highband.vst3").rglob("*.so")
    host = Vst3Host(file)
    try:
        assert status_of(library).track_name == ""
        for name in ("Vox", "Größe 日本 🎤", "x" * 300):
            host.rename_track(name)
            assert status_of(library).track_name == name[:255]
    finally:
        host.close()


def test_an_instance_is_found_by_its_track(open_host: Opener, served: Path) -> None:
    host = open_host(track="Lead")
    wait_for_engine(host)
    name = newest_instance().name
    wait_until(host, lambda: "control" in read_note(newest_instance()))
    with Client(control_address("Lead")) as client:
        assert client.get("amount")["value"] == 0.0
    assert control_address(name) == control_address("Lead")
    host.rename_track("Choir")
    wait_until(host, lambda: read_note(newest_instance())["track"] == "Choir")
    with pytest.raises(PluginError, match=f"{name} \\(Choir\\)"):
        control_address("Lead")
    other = open_host(track="Choir")
    wait_for_engine(other)
    wait_until(other, lambda: read_note(newest_instance()).get("track") == "Choir")
    with pytest.raises(PluginError, match="several plug-ins are on a track 'Choir'"):
        control_address("Choir")


def test_an_instance_has_a_midi_port_of_its_own_that_its_session_keeps(
    open_host: Opener, served: Path, server: DummyServer
) -> None:
    giver = rtmidi.MidiOut(rtmidi.API_UNIX_JACK, name="Giver")
    giver.open_virtual_port("knobs")
    try:
        host = open_host(track="Lead")
        wait_for_engine(host)
        wait_until(host, lambda: track_of(newest_instance()) == "Lead")
        status, output = highband("midi", "use", "virtual", "--address", "Lead")
        assert status == 0, output
        name = newest_instance().name
        assert output == f"the host plays from Highband-{name} (virtual, jack)\n"
        wait_until(host, lambda: b'"midi_port": "virtual"' in host.save())
        turn(host, giver, name)
        saved = host.save()
        host.close()
        again = open_host()
        assert again.load(saved)
        wait_for_engine(again)
        last = newest_instance()
        turn(again, giver, last.name)
        # Its worker leaves the JACK server while that is there.
        again.close()
        patience = time.monotonic() + 30.0
        while read_note(last):
            assert time.monotonic() < patience
            time.sleep(0.02)
    finally:
        giver.delete()


def turn(host: ClapHost, giver: Any, name: str) -> None:
    """Wire a controller to an instance and move it until the host has its knob elsewhere, by a gesture."""
    wire, before = ["jack_connect", "-s", NAME, "Giver:knobs", f"Highband-{name}:in"], host.value("Mix")
    wait_until(host, lambda: subprocess.run(wire, capture_output=True, check=False).returncode == 0)
    host.moves.clear()
    values = itertools.cycle((0, 20, 127, 90))  # Through where the knob stands, by which it is picked up.

    def has_moved() -> bool:
        giver.send_message([0xB0, 23, next(values)])
        return host.value("Mix") != before

    wait_until(host, has_moved)
    # The gesture ends when the controller has rested for a while.
    wait_until(host, lambda: {GESTURE_BEGIN, VALUE, GESTURE_END} <= {kind for kind, *_ in host.moves})


def test_the_switch_in_the_host_opens_the_panel_of_its_instance(
    open_host: Opener, library: Path, runtime: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    browser, opened = tmp_path / "browser", tmp_path / "opened"
    browser.write_text(f'#!/bin/sh\necho "$1" >> {opened}\n')
    browser.chmod(0o700)
    monkeypatch.setenv("BROWSER", f"{browser} %s")
    server = start_server(runtime.parent)
    try:
        host = open_host(track="Lead")
        wait_for_engine(host)
        host.process(SILENCE, [host.event("Panel", "1")])
        wait_until(host, opened.exists)
        wait_until(host, lambda: opened.read_text().endswith("\n"))
        address = opened.read_text().strip()
        assert address == f"http://127.0.0.1:{status_of(library).panel_port}/"
        assert address in highband("plugin", "status")[1]
        with urllib.request.urlopen(address, timeout=20) as page:
            assert b"Highband" in page.read()
        assert host.text("Panel") == "on"
        host.process(SILENCE, [host.event("Panel", "0")])
        wait_until(host, lambda: status_of(library).panel_port == 0)
        with pytest.raises(OSError, match="refused"):
            urllib.request.urlopen(address, timeout=5)
        assert len(opened.read_text().splitlines()) == 1
    finally:
        server.terminate()
        server.wait(20)


def test_a_session_and_a_bounce_open_no_panel(open_host: Opener, library: Path, runtime: Path) -> None:
    host = open_host()
    host.process(SILENCE, [host.event("Panel", "1")])
    wait_until(host, lambda: bool(status_of(library).is_panel_wanted))
    again = open_host()
    assert again.load(host.save())
    assert again.text("Panel") == "off"
    bounce = open_host(is_offline=True)
    bounce.process(SILENCE, [bounce.event("Panel", "1")])
    assert bounce.text("Panel") == "off"
