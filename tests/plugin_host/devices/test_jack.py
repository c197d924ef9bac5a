from __future__ import annotations

import ctypes
import ctypes.util
import re
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from models.extender.controls import CONTROLS
from plugin_host.devices.device import DeviceOptions
from plugin_host.devices.jack import JackDevice, jack_module
from plugin_host.engine.engine import Engine
from plugin_host.settings.automation import read_automation
from plugin_host.settings.store import SettingsStore
from tests.plugin_host.jack_server import NAME, PERIOD, Server, served
from tests.plugin_host.session.live_program import LIVE, running, wait_for
from tests.plugin_host.stages import Delay


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setenv("JACK_DEFAULT_SERVER", NAME)
    monkeypatch.setenv("JACK_NO_START_SERVER", "1")
    with served() as made:
        yield made


def test_what_goes_in_comes_out_at_the_declared_latency(server: Server, tmp_path: Path) -> None:
    from plugin_host.bench.latency_probe import LoopProbe

    command = [*LIVE, "--channels", "1", "--input", "none", "--output", "none", "--device", "jack"]
    with running(command, tmp_path) as program:
        assert program.stdout is not None
        messages = program.stdout.readline()
        assert f"latency {PERIOD + 50} samples" in messages
        probe = LoopProbe()
        try:
            assert probe.measure("highband:in_1", "highband:out_1") == PERIOD + 50
        finally:
            probe.close()
        # Every sample of the burst is the one that was sent, except around an interruption of a busy machine.
        burst = np.flatnonzero(probe.sent)
        assert np.mean(probe.received[burst + PERIOD + 50] == probe.sent[burst]) > 0.9
        program.send_signal(signal.SIGTERM)
        program.communicate(timeout=30)
        assert program.returncode == 0


def test_a_server_that_dies_and_comes_back_is_found_again(server: Server, tmp_path: Path) -> None:
    with running([*LIVE, "--input", "system", "--output", "0"], tmp_path) as program:
        assert program.stdout is not None
        assert f"playing on JACK: 48000 Hz, block {PERIOD}" in program.stdout.readline()
        for number, period in ((signal.SIGKILL, 512), (signal.SIGTERM, 128)):
            server.stop(number)
            assert "the JACK server is gone" in program.stdout.readline()
            server.start(period)
            assert f"the JACK server is back: 48000 Hz, block {period}" in program.stdout.readline()
            assert "highband:in_1" in server.wires()
        program.send_signal(signal.SIGINT)
        messages = program.communicate(timeout=30)[0]
        assert program.returncode == 0, messages
        assert "played" in messages


def test_it_ends_cleanly_while_the_server_is_gone(server: Server, tmp_path: Path) -> None:
    with running([*LIVE, "--record", "takes"], tmp_path) as program:
        assert program.stdout is not None
        program.stdout.readline()
        server.stop(signal.SIGKILL)
        assert "the JACK server is gone" in program.stdout.readline()
        program.send_signal(signal.SIGTERM)
        messages = program.communicate(timeout=30)[0]
        assert program.returncode == 0, messages
    assert len(list((tmp_path / "takes").glob("*.wav"))) == 2
    assert (tmp_path / "highband/last-session.json").is_file()


def test_safe_mode_plays_through_its_rings(server: Server, tmp_path: Path) -> None:
    command = [*LIVE, "--mode", "safe", "--channels", "1", "--seconds", "2", "--record", "takes"]
    with running(command, tmp_path) as program:
        assert program.stdout is not None
        assert f"latency {PERIOD + 2 * PERIOD + 50} samples" in program.stdout.readline()
        from plugin_host.bench.latency_probe import LoopProbe

        probe = LoopProbe()
        try:
            measured = probe.measure("PortAudio:in_0", "PortAudio:out_0")
        finally:
            probe.close()
        messages = program.communicate(timeout=30)[0]
        assert program.returncode == 0, messages
    # The two rings may begin a period apart.
    assert abs(measured - (PERIOD + 2 * PERIOD + 50)) <= PERIOD


@pytest.mark.parametrize("words", [[], ["--device", "jack"]])
def test_safe_mode_begins_anew_when_the_server_is_back(server: Server, tmp_path: Path, words: list[str]) -> None:
    with running([*LIVE, "--mode", "safe", "--set", "amount=-5", *words], tmp_path) as program:
        assert program.stdout is not None
        assert "playing on JACK" in program.stdout.readline()
        session = tmp_path / "highband/last-session.json"
        wait_for(lambda: session.is_file() and '"amount": -5.0' in session.read_text())
        server.stop(signal.SIGKILL)
        lines = iter(program.stdout.readline, "")
        assert any("it is tried again until it comes back" in line for line in lines)
        # As if it had been turned after the command was given.
        session.write_text(session.read_text().replace('"amount": -5.0', '"amount": -7.0'))
        server.start()
        assert any("playing on JACK" in line for line in lines)
        program.send_signal(signal.SIGTERM)
        messages = program.communicate(timeout=30)[0]
        assert program.returncode == 0, messages
    assert '"amount": -7.0' in session.read_text()


def test_safe_mode_plays_the_rest_of_its_seconds_when_the_server_is_back(server: Server, tmp_path: Path) -> None:
    words = ["--mode", "safe", "--set", "amount=-5", "--seconds", "2", "--automation-out", "moves"]
    with running([*LIVE, *words], tmp_path) as program:
        assert program.stdout is not None
        assert "playing on JACK" in program.stdout.readline()
        time.sleep(0.5)
        server.stop(signal.SIGKILL)
        lines = iter(program.stdout.readline, "")
        assert any("it is tried again until it comes back" in line for line in lines)
        server.start()
        assert any("playing on JACK" in line for line in lines)
        said = program.communicate(timeout=60)[0]
        assert program.returncode == 0, said
    assert float(re.findall(r"played (\S+) s of sound", said)[0]) <= 2.2
    assert read_automation(tmp_path / "moves").at(0)["amount"] == -5.0
    assert read_automation(tmp_path / "moves-2").at(0)["amount"] == -5.0


def test_the_bench_measures_the_round_trip_that_is_declared(server: Server) -> None:
    from plugin_host.bench.live import measure_round_trip

    assert measure_round_trip() == (PERIOD, PERIOD, 48000)


class Insert:
    """A device on the server with a delay that can be changed, as a preset changes it."""

    def __init__(self, options: DeviceOptions, latency: int = 50) -> None:
        self.device, self.engine = JackDevice(options), Engine(Delay(latency), SettingsStore(CONTROLS))
        self.device.prepare(self.engine)
        self.device.start()

    def poll_until(self, is_so: Callable[[], bool]) -> None:
        wait_for(lambda: self.device.poll() is None and is_so())


@contextmanager
def inserted(options: DeviceOptions, latency: int = 50) -> Iterator[Insert]:
    insert = Insert(options, latency)
    try:
        yield insert
    finally:
        insert.device.stop()


ALONE = DeviceOptions(input="none", output="none")


def capture_latency(device: JackDevice, name: str) -> tuple[int, int]:
    """Return the range that a port's readers count on, as any client asks for it."""
    client, numbers = device._client, (ctypes.c_uint32 * 2)()
    pointer = jack_module()._ffi.cast("uintptr_t", client.get_port_by_name(name)._ptr)
    library = ctypes.CDLL(ctypes.util.find_library("jack"))
    library.jack_port_get_latency_range(ctypes.c_void_p(int(pointer)), 0, numbers)
    return numbers[0], numbers[1]


def test_the_graph_counts_on_the_latency_that_is_measured(server: Server) -> None:
    from plugin_host.bench.latency_probe import LoopProbe

    with inserted(ALONE) as insert:
        probe = LoopProbe(is_insert=True)
        try:
            for latency in (50, 2817, 0):
                if insert.engine.latency_samples != latency:
                    insert.engine.swap_chain(Delay(latency))
                insert.poll_until(lambda wanted=latency: insert.engine.latency_samples == wanted)  # type: ignore[misc]
                insert.device.poll()
                assert probe.measure("highband:in_1", "highband:out_1") == latency
                assert capture_latency(insert.device, "highband-probe-01:in_1") == (latency, latency)
        finally:
            probe.close()


def test_the_latencies_of_the_product_itself_are_counted_on(server: Server) -> None:
    from plugin_host.bench.latency_probe import LoopProbe
    from plugin_host.chain.program import build
    from plugin_host.session.host import LiveHost

    device, sound = JackDevice(ALONE), build("", "live")
    host = LiveHost(sound, SettingsStore(sound.controls), device, "low latency")
    device.prepare(host.engine)
    device.start()
    probe, latencies = LoopProbe(is_insert=True), list[int]()
    changes: list[Callable[[], object]] = [
        lambda: None,
        lambda: host.change_model(replace(sound, artifact="studio")),
        lambda: host.load_preset("podcast-brightener"),
    ]
    try:
        for change in changes:
            change()
            wait_for(lambda: not host.engine.is_swapping)
            device.poll()
            latencies.append(host.engine.latency_samples)
            assert probe.measure("highband:in_1", "highband:out_1") == latencies[-1]
            assert capture_latency(device, "highband-probe-01:in_1") == (latencies[-1], latencies[-1])
    finally:
        probe.close()
        device.stop()
    assert latencies[1] == 2816
    assert len(set(latencies)) == 3


def test_the_way_to_the_loudspeakers_is_counted_too(server: Server) -> None:
    with inserted(DeviceOptions(), 70) as insert:
        ports = {port: capture_latency(insert.device, f"highband:{port}")[1] for port in ("in_1", "out_1")}
        card = capture_latency(insert.device, "system:playback_1")
    # What reaches the loudspeakers is later than what came in by the card's period and the chain.
    assert ports == {"in_1": PERIOD, "out_1": PERIOD + 70}
    assert card == (PERIOD + 70, PERIOD + 70)


def test_a_patch_made_by_hand_is_the_same_after_a_restart(server: Server) -> None:
    def wire(tool: str, *ports: str) -> None:
        subprocess.run([tool, "-s", NAME, *ports], check=True)

    with inserted(DeviceOptions()) as insert:
        device = insert.device
        insert.poll_until(lambda: len(device.patch) == 4)
        wire("jack_disconnect", "highband:out_1", "system:playback_1")
        wire("jack_disconnect", "system:capture_2", "highband:in_2")
        wire("jack_connect", "system:capture_1", "highband:in_2")
        patch = [("in_1", "system:capture_1"), ("in_2", "system:capture_1"), ("out_2", "system:playback_2")]
        insert.poll_until(lambda: device.patch == patch)
        for number in (signal.SIGTERM, signal.SIGKILL):
            server.stop(number)
            wait_for(lambda: device.poll() is not None or device.state == "lost")
            server.start()
            wait_for(lambda: device.poll() is not None)
            insert.poll_until(lambda: device.state == "playing" and device.patch == patch)
            assert server.wires().count("   system:") == 3


def test_a_port_that_comes_back_is_wired_again(server: Server) -> None:
    from plugin_host.bench.latency_probe import LoopProbe

    with inserted(ALONE) as insert:
        for _ in range(2):
            probe = LoopProbe()
            probe.activate()
            if not insert.device.patch:
                probe.connect("highband:in_1", "highband:out_1")
            wires = [("in_1", "highband-probe:out_1"), ("out_1", "highband-probe:in_1")]
            insert.poll_until(lambda: server.wires().count("   highband-probe:") == 2)
            assert insert.device.patch == wires
            probe.close()
            for _ in range(4):
                insert.device.poll()
            assert insert.device.patch == wires


def test_a_server_at_another_rate_is_followed_or_refused(server: Server) -> None:
    with inserted(ALONE) as insert:
        device, said = insert.device, list[str]()

        def hear() -> bool:
            said.extend(filter(None, [device.poll()]))
            return device.state == "playing" or any("192000" in sentence for sentence in said)

        for rate in (192000, 44100):
            server.stop(signal.SIGKILL)
            wait_for(lambda: device.poll() is not None or device.state == "lost")
            server.start(rate=rate)
            said.clear()
            wait_for(hear)
            if rate == 192000:
                assert "44100 to 96000 Hz" in said[-1] or "192000" in said[-1]
                assert device.state == "lost"
        assert insert.engine.stats()["sample_rate"] == 44100
