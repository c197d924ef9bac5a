from __future__ import annotations

import re
import signal
import time
from pathlib import Path

import pytest

from plugin_host.settings.automation import read_automation
from tests.plugin_host.devices.loop import probing, wait_for_bits, wait_for_delay
from tests.plugin_host.session.live_program import LIVE, running, wait_for
from tests.stress.jack_dummy_server import PERIOD, DummyServer


def test_what_goes_in_comes_out_at_the_declared_latency(server: DummyServer, tmp_path: Path) -> None:
    command = [*LIVE, "--channels", "1", "--input", "none", "--output", "none", "--device", "jack"]
    with running(command, tmp_path) as program:
        assert program.stdout is not None
        messages = program.stdout.readline()
        assert f"latency {PERIOD + 50} samples" in messages
        with probing() as probe:
            wait_for_bits(probe, PERIOD + 50)
        program.send_signal(signal.SIGTERM)
        program.communicate(timeout=30)
        assert program.returncode == 0


def test_a_server_that_dies_and_comes_back_is_found_again(server: DummyServer, tmp_path: Path) -> None:
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


def test_it_ends_cleanly_while_the_server_is_gone(server: DummyServer, tmp_path: Path) -> None:
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


def test_safe_mode_plays_through_its_rings(server: DummyServer, tmp_path: Path) -> None:
    command = [*LIVE, "--mode", "safe", "--channels", "1", "--record", "takes"]
    with running(command, tmp_path) as program:
        assert program.stdout is not None
        assert f"latency {PERIOD + 2 * PERIOD + 50} samples" in program.stdout.readline()
        with probing() as probe:
            # The two rings may begin a period apart.
            wait_for_delay(probe, PERIOD + 2 * PERIOD + 50, "PortAudio:in_0", "PortAudio:out_0", PERIOD)
        program.send_signal(signal.SIGTERM)
        messages = program.communicate(timeout=30)[0]
        assert program.returncode == 0, messages


@pytest.mark.parametrize("words", [[], ["--device", "jack"]])
def test_safe_mode_begins_anew_when_the_server_is_back(server: DummyServer, tmp_path: Path, words: list[str]) -> None:
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


def test_safe_mode_plays_the_rest_of_its_seconds_when_the_server_is_back(server: DummyServer, tmp_path: Path) -> None:
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


def test_the_bench_measures_the_round_trip_that_is_declared(server: DummyServer) -> None:
    from plugin_host.bench.live import measure_round_trip

    assert measure_round_trip() == (PERIOD, PERIOD, 48000)
