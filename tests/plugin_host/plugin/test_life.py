"""An engine that comes late, is killed or stopped: the aligned dry signal plays on, and the sound comes back."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from models.stage import Block
from plugin_host.plugin.library import Library, Region, Status
from tests.plugin_host.plugin.clap_host import ClapHost
from tests.plugin_host.plugin.conftest import (
    Opener,
    music,
    newest_instance,
    refuse_priority,
    start_server,
    wait_for_engine,
)

BLOCK = 256


def status_of(library: Path) -> Status:
    region = Region(Library(library), newest_instance().path)
    found = region.status()
    region.close()
    return found


class Paced:
    """Plays a host in real time, the same music over and over, and watches what comes back."""

    def __init__(self, host: ClapHost) -> None:
        self.host, self.sound = host, music(2.0)
        self._played: list[Block] = []

    def play(self, seconds: float) -> None:
        for _ in range(int(seconds * self.host.rate / BLOCK)):
            at = len(self._played) * BLOCK % (self.sound.shape[1] - BLOCK)
            began = time.perf_counter()
            self._played.append(self.host.process(np.ascontiguousarray(self.sound[:, at : at + BLOCK])))
            time.sleep(max(0.0, BLOCK / self.host.rate - (time.perf_counter() - began)))

    def band(self) -> Block:
        """Return what came back without the delayed input, a row of peaks by block."""
        out = np.concatenate(self._played, 1)
        ins = [self.sound[:, n * BLOCK % (self.sound.shape[1] - BLOCK) :][:, :BLOCK] for n in range(len(self._played))]
        dry = np.concatenate(ins, 1)
        rest = out[:, BLOCK:] - dry[:, :-BLOCK]
        peaks: Block = np.abs(rest).max(0).reshape(-1, BLOCK).max(1)
        return peaks


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSTOP], ids=["killed", "stopped"])
def test_a_lost_engine_leaves_dry_and_comes_back(open_host: Opener, library: Path, served: Path, number: int) -> None:
    host = open_host()
    host.flush(host.event("Crossover", "6 kHz"))
    wait_for_engine(host)
    paced = Paced(host)
    paced.play(0.5)
    wet = paced.band()[-20:].max()
    assert wet > 1e-4
    worker, before = status_of(library).engine_pid, len(paced.band())
    os.kill(worker, number)
    paced.play(0.3)
    # On a machine with other work these blocks may take so long that the next worker plays before they end.
    assert (paced.band()[before:] < 1e-6).sum() > 10, "the dry signal plays, aligned"
    assert paced.band()[20:].max() < 3 * wet, "there is neither silence nor a step on the way"
    if number == signal.SIGSTOP:
        os.kill(worker, signal.SIGCONT)
    wait_for_engine(host)
    # On a machine with other work a block may be late now and then.
    for _ in range(40):
        paced.play(0.25)
        if paced.band()[-20:].max() == pytest.approx(wet, rel=0.5):
            break
    else:
        pytest.fail("the sound does not come back")


def test_a_bounce_survives_a_killed_worker(open_host: Opener, library: Path, served: Path) -> None:
    host = open_host(is_offline=True)
    host.flush(host.event("Crossover", "6 kHz"))
    sound = music(0.3)
    host.play(sound, (512,))
    os.kill(status_of(library).engine_pid, signal.SIGKILL)
    host.play(sound, (512,))
    assert host.text("Engine").startswith("playing"), "the bounce waits for the next worker"


def test_a_session_that_is_opened_before_the_engine(
    open_host: Opener, runtime: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    host, sound = open_host(), music(0.1)
    np.testing.assert_array_equal(host.play(sound, (256,))[:, 256:], sound[:, :-256])
    assert host.text("Engine").startswith("away: dry")
    server = start_server(runtime.parent)
    wait_for_engine(host)
    server.send_signal(signal.SIGTERM)
    assert server.wait(20) == 0
    host.process(np.zeros((2, 256), np.float32))
    assert host.text("Engine").startswith("away: dry")


def starting(folder: Path) -> set[int]:
    """Return the processes of engines of a runtime folder, and which it takes to start one."""
    found, own = set(), f"XDG_RUNTIME_DIR={folder}".encode()
    for process in Path("/proc").iterdir():
        with contextlib.suppress(OSError):
            words = (process / "cmdline").read_bytes() if process.name.isdecimal() else b""
            if words.endswith(b"\0plugin\0serve\0") and own in (process / "environ").read_bytes().split(b"\0"):
                found.add(int(process.name))
    return found


def test_plug_ins_start_one_engine_by_themselves(
    open_host: Opener, runtime: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HIGHBAND_ENGINE", "on")
    hosts, seen, log = [open_host() for _ in range(4)], set[int](), runtime / "engine.log"
    time.sleep(0.3)
    assert not (runtime / "server.lock").exists(), "a scan that plays nothing starts nothing"
    patience = time.monotonic() + 300.0
    while not (log.exists() and "the engine is ready" in log.read_text()):
        for host in hosts:
            host.process(np.zeros((2, BLOCK), np.float32))
        if not log.exists():
            seen |= starting(runtime.parent)
        assert time.monotonic() < patience
        time.sleep(0.05)
    try:
        # One that leaves the host's process, and the engine itself.
        assert len(seen) <= 2
        for host in hosts:
            wait_for_engine(host, seconds=120.0)
    finally:
        end_server(runtime)


def test_a_refusal_of_priority_is_said_in_the_plug_in_and_by_doctor(open_host: Opener, runtime: Path) -> None:
    sentence = "real-time priority is not granted; add your user to the group 'audio'"
    server = start_server(runtime.parent, refuse_priority)
    host = open_host()
    wait_for_engine(host)
    patience = time.monotonic() + 20.0
    while sentence not in host.text("Engine"):
        host.process(np.zeros((2, BLOCK), np.float32))
        assert time.monotonic() < patience
        time.sleep(BLOCK / host.rate)
    assert host.text("Engine").startswith("playing (")
    server.send_signal(signal.SIGTERM)
    assert server.wait(20) == 0
    words = [sys.executable, "-m", "plugin_host.cli.main", "plugin", "doctor"]
    printed = subprocess.run(words, capture_output=True, text=True, check=False, preexec_fn=refuse_priority)
    assert f"real-time priority: {sentence}" in printed.stdout


def end_server(runtime: Path) -> None:
    """End the server that a plug-in started, which is nobody's child, by the process that holds its lock."""
    lock = (runtime / "server.lock").stat().st_ino
    holders = [line.split()[4] for line in Path("/proc/locks").read_text().splitlines() if f":{lock} " in line]
    assert len(holders) == 1
    os.kill(int(holders[0]), signal.SIGTERM)
