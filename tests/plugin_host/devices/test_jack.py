from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from tests.plugin_host.jack_server import NAME, PERIOD, Server, served
from tests.plugin_host.session.live_program import LIVE, running, wait_for


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
        told = program.stdout.readline()
        assert f"latency {PERIOD + 50} samples" in told
        probe = LoopProbe()
        try:
            assert probe.measure("highband:in_1", "highband:out_1") == PERIOD + 50
        finally:
            probe.close()
        # Every sample of the burst is the one that was sent, except around an interruption of a busy machine.
        burst = np.flatnonzero(probe.sent)
        assert np.mean(probe.heard[burst + PERIOD + 50] == probe.sent[burst]) > 0.9
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
            assert f"the JACK server is back: 48000 Hz, period {period}" in program.stdout.readline()
            assert "highband:in_1" in server.wires()
        program.send_signal(signal.SIGINT)
        told = program.communicate(timeout=30)[0]
        assert program.returncode == 0, told
        assert "played" in told


def test_it_ends_cleanly_while_the_server_is_gone(server: Server, tmp_path: Path) -> None:
    with running([*LIVE, "--record", "takes"], tmp_path) as program:
        assert program.stdout is not None
        program.stdout.readline()
        server.stop(signal.SIGKILL)
        assert "the JACK server is gone" in program.stdout.readline()
        program.send_signal(signal.SIGTERM)
        told = program.communicate(timeout=30)[0]
        assert program.returncode == 0, told
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
        told = program.communicate(timeout=30)[0]
        assert program.returncode == 0, told
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
        told = program.communicate(timeout=30)[0]
        assert program.returncode == 0, told
    assert '"amount": -7.0' in session.read_text()


def test_safe_mode_that_counts_seconds_ends_with_a_sentence_when_the_server_dies(
    server: Server, tmp_path: Path
) -> None:
    with running([*LIVE, "--mode", "safe", "--set", "amount=-5", "--seconds", "600"], tmp_path) as program:
        assert program.stdout is not None
        program.stdout.readline()
        server.stop(signal.SIGKILL)
        told = program.communicate(timeout=30)[0]
        assert program.returncode == 1
        assert "run the command again with --resume" in told
    assert '"amount": -5.0' in (tmp_path / "highband/last-session.json").read_text()


def test_the_bench_measures_the_round_trip_that_is_declared(server: Server) -> None:
    from plugin_host.bench.live import measure_round_trip

    assert measure_round_trip() == (PERIOD, PERIOD, 48000)
