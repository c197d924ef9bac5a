"""Lose the plug-in's engine again and again while a DAW plays, and judge what the DAW gets.

    python -m tests.stress.engine_lost [--times 20] [--block 256]

Four ways: the worker killed, the worker stopped for a while, a server that is slow to begin, a session that is opened
before there is a server. The laws: what comes back is the input, late by the declared latency, plus at most the band;
no step beyond the input's own plus the band's; no block takes longer than its own length and 5 ms, less the time in
which the system kept this thread from running although it was ready (`/proc/thread-self/schedstat`); the sound is back
2 s after the engine says that it plays. Blocks are played with real-time priority where that is granted, as a DAW does.
Beside it a process of the same priority that only sleeps from block to block shows what the machine does to all.
The status is 1 if a law is broken.
"""

from __future__ import annotations

import argparse
import contextlib
import gc
import multiprocessing
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from multiprocessing.sharedctypes import Synchronized
from pathlib import Path

import numpy as np

from models.stage import Block
from plugin_host.plugin.build import build
from plugin_host.plugin.bundles import install
from plugin_host.plugin.library import PLAYING
from plugin_host.plugin.product import find_product
from tests.plugin_host.plugin.clap_host import ClapHost
from tests.plugin_host.plugin.conftest import music, start_server
from tests.plugin_host.plugin.test_life import status_of

RATE, ALLOWED_MS, BACK_S, PATIENCE_S, STALE_NS = 48000, 5.0, 2.0, 60.0, 500_000_000
Servers = list["subprocess.Popen[bytes]"]


class Session:
    """Plays a plug-in in real time and keeps what came back, and how long each block took."""

    def __init__(self, home: Path, library: Path, block: int) -> None:
        self.library, self.block, self.sound = library, block, music(2.0)
        self.host = ClapHost(home / ".clap" / "highband.clap", RATE)
        self.host.flush(self.host.event("Crossover", "6 kHz"))
        self.input: list[Block] = []
        self.output: list[Block] = []
        # In seconds: until each block was back, and of that, ready to run but kept from it.
        self.took: list[float] = []
        self.kept: list[float] = []
        self._due = time.perf_counter()

    def play(self, seconds: float) -> None:
        """Play so long."""
        has_priority(wanted=True)
        for _ in range(max(1, int(seconds * RATE / self.block))):
            start = len(self.input) * self.block % (self.sound.shape[1] - self.block)
            self.input.append(np.ascontiguousarray(self.sound[:, start : start + self.block]))
            began, kept = time.perf_counter(), kept_from_running()
            self.output.append(self.host.process(self.input[-1]))
            self.took.append(time.perf_counter() - began)
            self.kept.append(kept_from_running() - kept)
            self._due = max(self._due + self.block / RATE, time.perf_counter())
            time.sleep(max(0.0, self._due - time.perf_counter()))
        has_priority(wanted=False)

    def band(self) -> Block:
        """Return what came back beside the delayed input, shape (2, samples)."""
        sound, out, late = np.concatenate(self.input, 1), np.concatenate(self.output, 1), self.host.latency
        band: Block = out[:, late:] - sound[:, :-late]
        return band

    def is_wet(self, peak: float) -> bool:
        """Whether the newest blocks hold a band."""
        return len(self.input) > 8 and bool(np.abs(self.band()[:, -4 * self.block :]).max() > 0.3 * peak)

    def wait(self, peak: float) -> float:
        """Play until the sound is back; return how long after the engine said that it plays."""
        end, ready = time.monotonic() + PATIENCE_S, 0.0
        while not self.is_wet(peak):
            self.play(0.05)
            status = status_of(self.library)
            is_ready = status.engine_state == PLAYING and status.heartbeat_age_ns < STALE_NS
            ready = (ready or time.monotonic()) if is_ready else 0.0
            if time.monotonic() > end:
                return PATIENCE_S
        return time.monotonic() - ready if ready else 0.0

    @property
    def longest_ms(self) -> float:
        """The longest block, without what the system kept this thread from running."""
        return 1000 * max(took - kept for took, kept in zip(self.took, self.kept, strict=True))

    def faults(self, back_s: float, peak: float) -> list[str]:
        """Return the laws that are broken."""
        band, out = np.abs(self.band()).max(), np.concatenate(self.output, 1)
        step, own = np.abs(np.diff(out)).max(), np.abs(np.diff(np.concatenate(self.input, 1))).max()
        longest, most = self.longest_ms, 1000 * self.block / RATE + ALLOWED_MS
        found = [
            (band > 3 * peak, f"{band:.4f} beside the input, the band is {peak:.4f}"),
            (step > own + 6 * peak, f"a step of {step:.4f}, the input's is {own:.4f}"),
            (longest > most, f"a block took {longest:.1f} ms of {most:.1f}"),
            (back_s > BACK_S, f"the sound came back {back_s:.1f} s after the engine"),
        ]
        return [sentence for is_broken, sentence in found if is_broken]


def has_priority(*, wanted: bool) -> bool:
    """Ask for real-time priority, or give it back; return whether this process has it."""
    policy, priority = (os.SCHED_FIFO, 65) if wanted else (os.SCHED_OTHER, 0)
    with contextlib.suppress(OSError):
        os.sched_setscheduler(0, policy, os.sched_param(priority))
    return os.sched_getscheduler(0) == os.SCHED_FIFO


def kept_from_running() -> float:
    """Return for how many seconds this thread was ready and did not run, since it began."""
    return int(Path("/proc/thread-self/schedstat").read_text().split()[1]) / 1e9


def pace(period_s: float, longest: Synchronized[float]) -> None:
    """Sleep from block to block, and note by how much the latest wake-up was late."""
    has_priority(wanted=True)
    while True:
        began = time.perf_counter()
        time.sleep(period_s)
        longest.value = max(longest.value, time.perf_counter() - began - period_s)


def killed(session: Session, servers: Servers, peak: float) -> float:
    """Kill the worker."""
    session.wait(peak)
    os.kill(status_of(session.library).engine_pid, signal.SIGKILL)
    session.play(0.3)
    return session.wait(peak)


def stopped(session: Session, servers: Servers, peak: float) -> float:
    """Stop the worker for a while."""
    session.wait(peak)
    worker = status_of(session.library).engine_pid
    os.kill(worker, signal.SIGSTOP)
    session.play(0.5)
    os.kill(worker, signal.SIGCONT)
    return session.wait(peak)


def slow(session: Session, servers: Servers, peak: float) -> float:
    """Begin while the server does not get on."""
    servers[-1].send_signal(signal.SIGSTOP)
    session.play(0.7)
    servers[-1].send_signal(signal.SIGCONT)
    return session.wait(peak)


def early(session: Session, servers: Servers, peak: float) -> float:
    """Begin without a server."""
    end(servers.pop())
    session.play(0.3)
    servers.append(start_server(Path(os.environ["XDG_RUNTIME_DIR"])))
    return session.wait(peak)


def end(server: subprocess.Popen[bytes]) -> None:
    """End a server."""
    server.terminate()
    server.wait(30)
    (Path(os.environ["XDG_RUNTIME_DIR"]) / "highband" / "engine.log").unlink(missing_ok=True)


WAYS: tuple[Callable[[Session, Servers, float], float], ...] = (killed, stopped, slow, early)


def main() -> int:
    """Run, print a line a way, and return the exit status."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--times", type=int, default=20)
    parser.add_argument("--block", type=int, default=256)
    options = parser.parse_args()
    os.environ["HIGHBAND_ENGINE"] = "off"
    # A DAW is not written in Python: its blocks must not wait for a collection of this process.
    gc.disable()
    broken = 0
    with tempfile.TemporaryDirectory() as folder:
        home, product = Path(folder), find_product()
        home.chmod(0o700)
        os.environ["XDG_RUNTIME_DIR"] = folder
        library = build(product)
        install(product, library, ("clap",), home)
        servers = [start_server(home)]
        session = Session(home, library, options.block)
        session.wait(1e-4)
        session.play(1.0)
        peak = float(np.abs(session.band()[:, -RATE // 2 :]).max())
        session.host.close()
        longest = multiprocessing.Value("d", 0.0)
        pacer = multiprocessing.Process(target=pace, args=(options.block / RATE, longest), daemon=True)
        pacer.start()
        try:
            for way in WAYS:
                broken += run(way, home, library, options, servers, peak)
        finally:
            end(servers[-1])
            pacer.terminate()
        priority = "with" if has_priority(wanted=True) else "without"
        print(f"a process that only sleeps was late by up to {1000 * longest.value:.1f} ms, {priority} priority")
    return 1 if broken else 0


def run(
    way: Callable[[Session, Servers, float], float], home: Path, library: Path, options: argparse.Namespace,
    servers: Servers, peak: float,
) -> int:  # fmt: skip
    """Lose the engine in one way so many times; return how often a law was broken."""
    broken, longest, wall, latest = 0, 0.0, 0.0, 0.0
    for time_number in range(options.times):
        session = Session(home, library, options.block)
        try:
            back_s = way(session, servers, peak)
            faults = session.faults(back_s, peak)
        finally:
            session.host.close()
        longest, latest = max(longest, session.longest_ms), max(latest, back_s)
        wall = max(wall, 1000 * max(session.took))
        broken += bool(faults)
        for sentence in faults:
            print(f"{way.__name__} {time_number + 1}: {sentence}", flush=True)
    print(
        f"{way.__name__}: {options.times} times, {broken} broken; longest block {longest:.1f} ms, {wall:.1f} with the "
        f"machine's part; back after {latest:.1f} s"
    )
    return broken


if __name__ == "__main__":
    sys.exit(main())
