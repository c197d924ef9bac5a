"""The soak: the whole host under traffic from another process, on the clock and on a real JACK server."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.plugin_host.session.live_program import STRESS, environment
from tests.stress.jack_dummy_server import DummyServer
from tests.stress.midi_pipe import MidiPipe
from tests.stress.soak import Plan, verdicts
from tests.stress.traffic import delays


def soaked(folder: Path, device: str, **more: str) -> dict[str, Any]:
    command = [*STRESS, "soak", "--minutes", "0.05", "--device", device, "-o", "out/soak.json"]
    done = subprocess.run(
        command, cwd=folder, env=environment(folder, **more), capture_output=True, text=True, timeout=150
    )
    assert done.returncode == 0, done.stderr
    assert "holds: " in done.stdout
    run = json.loads((folder / "out/soak.json").read_text())["run"]
    assert run["host"]["blocks"] > 0
    assert run["wire"]["blocks"] > 0
    assert run["traffic"]["failed"] == []
    assert set(run["traffic"]["news"]) == {"meters", "spectra", "stats", "changes"}
    assert 0.0 < run["zmq_set_ms"]["p50"] <= run["zmq_set_ms"]["p99"]
    assert run["midi_to_sound_ms"]["seen"] > 0
    assert min(run["resident_mib"].values()) > 10.0
    found: dict[str, Any] = run
    return found


def test_it_measures_the_host_and_the_wire_by_the_clock(tmp_path: Path) -> None:
    assert soaked(tmp_path, "null")["block"] == 128


def test_controller_and_sound_on_one_jack_server_do_not_wait_for_each_other(
    server: DummyServer, tmp_path: Path
) -> None:
    assert soaked(tmp_path, "jack")["device"] == "JACK"


def test_without_a_server_the_way_to_one_is_shown(tmp_path: Path) -> None:
    done = subprocess.run(
        [*STRESS, "soak", "--device", "jack"], capture_output=True, text=True, timeout=60, cwd=tmp_path,
        env=environment(tmp_path, JACK_DEFAULT_SERVER="highband-none", JACK_NO_START_SERVER="1"),
    )  # fmt: skip
    assert done.returncode == 1
    assert "start one, such as: jackd" in done.stderr


def test_a_move_belongs_to_the_message_before_it() -> None:
    assert delays([1.0, 2.0, 3.0], [0.5, 1.25, 3.5]) == [0.25, 0.5]
    assert delays([1.0], []) == []


@given(st.lists(st.integers(1, 40), max_size=8), st.integers(1, 20))
def test_a_pipe_gives_whole_messages_in_order_however_they_are_cut(cuts: list[int], most: int) -> None:
    sent = bytes(number % 128 for number in range(sum(cuts) // 3 * 3))
    reading, writing = os.pipe()
    port, output, start = MidiPipe(reading), b"", 0
    assert port.look()
    for cut in cuts:
        os.write(writing, sent[start : start + cut])
        start += cut
        output += b"".join(map(bytes, port.receive(most)))
    os.close(writing)
    while more := port.receive(most):
        output += b"".join(map(bytes, more))
    port.receive(most)
    port.close()
    assert (output, port.ended, port.messages) == (sent, True, len(sent) // 3)


@pytest.mark.parametrize(("lost", "holds"), [(24, True), (25, False)])
def test_the_host_may_lose_two_a_minute_more_than_the_wire(lost: int, holds: bool) -> None:
    load = {"p50": 0.05, "p99": 0.2}
    host = {"late": lost - 1, "xruns": 1, "load": load, "notices": [], "faults": 0}
    wire = {"late": 0, "xruns": 4, "load": load}
    found = verdicts(Plan(minutes=10.0), host, wire, [0.0004] * 9)
    assert found == {"underflows": holds, "p50": True, "p99": True, "zmq_set": True, "no fault": True}
