"""What a DAW's session keeps: knobs, latency, preset and artifact."""

from __future__ import annotations

import struct
import time
import zlib
from pathlib import Path

import numpy as np
import pytest
from pythonosc.udp_client import SimpleUDPClient

from plugin_host.control.client import Client
from plugin_host.plugin.instances import control_address, read_note
from plugin_host.plugin.library import Library
from plugin_host.plugin.product import PluginError, Product, knob_id
from tests.plugin_host.plugin.clap_host import ClapHost
from tests.plugin_host.plugin.conftest import Opener, newest_instance, wait_for_engine

SILENCE = np.zeros((2, 256), np.float32)


def state_of(format_number: int, rest: bytes) -> bytes:
    """Return a state whose checksum is right; the format goes into it as its start."""
    return b"HBPS" + struct.pack("<III", format_number, zlib.crc32(rest, format_number), len(rest)) + rest


@pytest.fixture
def host(runtime: Path, open_host: Opener) -> ClapHost:
    return open_host()


def test_a_state_comes_back_byte_for_byte_without_an_engine(host: ClapHost, open_host: Opener) -> None:
    host.flush(host.event("Amount", "-3 dB"), host.event("Crossover", "6.3 kHz"), host.event("Buffer", "5"))
    saved = host.save()
    other = open_host()
    assert other.load(saved)
    assert other.save() == saved
    assert [other.text(name) for name in ("Amount", "Crossover", "Buffer")] == ["-3 dB", "6.3 kHz", "1024 samples"]
    other.activate(48000.0)
    assert other.latency == 1024


def test_a_state_from_before_a_knob_was_there_leaves_it_at_its_default(host: ClapHost, product: Product) -> None:
    """Such a state has the same format and names the knobs that there were."""
    first = product.controls[:12]
    assert [control.id for control in first][-1] == "delta"
    rest = struct.pack("<IIII", 512, 48000, 0, len(first))
    for control in sorted(first, key=knob_id):
        rest += struct.pack("<Id", knob_id(control), -3.0 if control.id == "amount" else control.default)
    host.flush(host.event("Curve 12 kHz", "-6 dB"), host.event("Tone", "50 %"))
    assert host.load(state_of(1, rest + struct.pack("<I", 0)))
    assert [host.text(name) for name in ("Amount", "Curve 12 kHz", "Tone")] == ["-3 dB", "0 dB", "0 %"]


def test_garbage_is_refused_and_changes_nothing(host: ClapHost) -> None:
    host.flush(host.event("Amount", "-3 dB"))
    saved, chance = host.save(), np.random.default_rng(3)
    for turn in range(2000):
        broken = bytearray(saved)
        if turn % 2:
            broken = broken[: int(chance.integers(0, len(broken)))]
        else:
            broken[int(chance.integers(len(broken)))] ^= int(chance.integers(1, 256))
        assert not host.load(bytes(broken)), broken
    assert not host.load(chance.bytes(100_000))
    assert host.save() == saved


def test_right_checksums_over_wrong_fields_are_refused(host: ClapHost) -> None:
    chance = np.random.default_rng(4)
    for _ in range(500):
        rest = chance.bytes(int(chance.integers(0, 200)))
        host.load(state_of(1, rest))
    assert host.text("Amount") == "0 dB"


def test_a_newer_format_is_kept_as_it_is(host: ClapHost) -> None:
    rest = b"something that is not known yet"
    newer = state_of(2, rest)
    assert host.load(newer)
    host.flush(host.event("Amount", "-3 dB"))
    assert host.save() == newer


def test_texts_and_positions_are_those_of_the_controls(product: Product, library: Path) -> None:
    import ctypes

    native, text, found = Library(library), ctypes.create_string_buffer(64), ctypes.c_double()
    for place, control in enumerate(product.controls):
        for position in np.linspace(0.0, 1.0, 41):
            value = native.to_value(place, position)
            assert control.check(value) == value
            native.to_text(place, value, text, 64)
            assert text.value.decode() == control.to_text(value)
            assert native.to_value(place, native.to_position(place, value)) == pytest.approx(value, rel=1e-9, abs=1e-9)
            assert native.from_text(place, text.value, ctypes.byref(found))
            assert found.value == pytest.approx(control.from_text(text.value.decode()))
        # Ardour holds positions as 32-bit numbers: 0 dB must not become 7e-7 dB.
        rounded = float(np.float32(native.to_position(place, control.default)))
        assert native.to_value(place, rounded) == pytest.approx(control.default, rel=1e-7, abs=0.0)
        assert not native.from_text(place, b"nonsense", ctypes.byref(found))
        assert not native.from_text(place, b"1e9", ctypes.byref(found))


@pytest.fixture
def playing(served: Path, open_host: Opener) -> ClapHost:
    host = open_host()
    wait_for_engine(host)
    return host


def address(seconds: float = 5.0) -> str:
    name, patience = newest_instance().name, time.monotonic() + seconds
    while True:
        try:
            return control_address(name)
        except PluginError:
            assert time.monotonic() < patience
            time.sleep(0.02)


def test_an_instance_has_an_osc_port_of_its_own(playing: ClapHost) -> None:
    where = address()
    port, low = int(read_note(newest_instance())["osc"]), playing.parameters()["Amount"].id
    playing.process(SILENCE)
    playing.moves.clear()
    surface = SimpleUDPClient("127.0.0.1", port)
    with surface:
        surface.send_message("/parameter/extender/amount", -3.0)
    with Client(where) as client:
        patience = time.monotonic() + 5.0
        while client.get("amount")["value"] != -3.0 or not any(identity == low for _, identity, _ in playing.moves):
            playing.process(SILENCE)
            time.sleep(0.002)
            assert time.monotonic() < patience
    assert playing.text("Amount") == "-3 dB"


def test_a_preset_is_in_the_session_and_comes_back(playing: ClapHost, open_host: Opener) -> None:
    with Client(address()) as client:
        client.load_preset("dull-vocal")
        patience = time.monotonic() + 20.0
        while b"dull-vocal" not in playing.save():
            playing.process(SILENCE)
            assert time.monotonic() < patience
            time.sleep(0.01)
        # Its knobs have come to the host, too.
        for _ in range(30):
            playing.process(SILENCE)
            time.sleep(0.01)
        saved = playing.save()
        assert b"artifact_hash" in saved
    playing.close()
    again = open_host()
    assert again.load(saved)
    assert again.save() == saved
    wait_for_engine(again)
    with Client(address()) as client:
        assert client.ask("stats")["stats"]["preset"] == "dull-vocal"


def test_an_instance_that_is_not_there_is_refused_in_a_sentence(host: ClapHost) -> None:
    with pytest.raises(PluginError, match=f"there are: {newest_instance().name}"):
        control_address("nothing")
    with pytest.raises(PluginError, match="let the DAW play"):
        control_address(newest_instance().name)
