"""The engine's server: a warm process that forks a worker for every plug-in a DAW has open."""

from __future__ import annotations

import contextlib
import fcntl
import os
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

import numpy as np

from plugin_host.chain.program import LiveSound
from plugin_host.plugin.instances import Instance, instances, runtime_folder, sweep
from plugin_host.plugin.library import PLAYING, REFUSED, Library, Region, Status
from plugin_host.plugin.product import PluginError
from plugin_host.session.plugin_document import read_document
from plugin_host.session.plugin_worker import Worker

LOCK, LOG = "server.lock", "engine.log"
_LOOK_EVERY_S, _SWEEP_EVERY_S = 0.03, 5.0
# A worker that died is started again, but not faster than it dies.
_PAUSE_S, _PATIENCE_S, _STUCK_NS = 1.0, 2.0, 5_000_000_000
# With no instance for so long the server ends; a plug-in starts it again.
IDLE_S = 600.0


class ServerRunsError(PluginError):
    """There is a server already."""


@dataclass
class PluginServer:
    """Looks after the instances of this user until it is stopped or has been idle.

    Attributes:
        report: Takes a sentence for the log.
        idle_s: How long to wait for an instance.
        warm: A sound that is ready to play.
    """

    report: Callable[[str], None]
    idle_s: float = IDLE_S
    warm: LiveSound | None = None
    _workers: dict[Path, int] = field(default_factory=dict)
    _not_before: dict[Path, float] = field(default_factory=dict)
    _lock: int = -1

    def run(self, stopped: Callable[[], bool]) -> None:
        """Serve; raise ServerRunsError if another server does."""
        self._lock = _locked(runtime_folder() / LOCK)
        sweep()
        self.warm = _warmed()
        self.report("the engine is ready")
        quiet_since, sweep_at = time.monotonic(), 0.0
        while not stopped() and time.monotonic() - quiet_since < self.idle_s:
            self._reap()
            found = instances()
            for instance in found:
                self._serve(instance, stopped)
            if found:
                quiet_since = time.monotonic()
            if time.monotonic() >= sweep_at:
                sweep()
                sweep_at = time.monotonic() + _SWEEP_EVERY_S
            time.sleep(_LOOK_EVERY_S)
        self._end()

    def _serve(self, instance: Instance, stopped: Callable[[], bool]) -> None:
        path = instance.path
        if path in self._workers:
            self._end_stuck(instance)
            return
        if time.monotonic() < self._not_before.get(path, 0.0):
            return
        self._not_before[path] = time.monotonic() + _PAUSE_S
        if not _is_played(instance):
            # A host that only scans never processes a block.
            self._not_before[path] = 0.0
            return
        child = os.fork()
        if child == 0:
            self._become_worker(instance)
        self._workers[path] = child

    def _end_stuck(self, instance: Instance) -> None:
        """End a worker that gives no sign of life any more; another one follows."""
        path, now = instance.path, time.monotonic()
        if now < self._not_before.get(path, 0.0):
            return
        self._not_before[path] = now + _PAUSE_S
        status = _status_of(instance)
        if status is not None and status.engine_state == PLAYING and status.heartbeat_age_ns > _STUCK_NS:
            self.report(f"{instance.name}: the worker is stuck and starts anew")
            os.kill(self._workers[path], signal.SIGKILL)

    def _become_worker(self, instance: Instance) -> None:
        """Play the instance in this process, which is the server's child, and end it."""
        status = 1
        try:
            # A lock lives as long as anybody holds the file.
            os.close(self._lock)
            wanted = [False]

            def ask(number: int, frame: FrameType | None) -> None:
                wanted[0] = True

            for number in (signal.SIGTERM, signal.SIGINT):
                signal.signal(number, ask)
            Worker(instance, self.warm, self.report).run(lambda: wanted[0])
            status = 0
        except Exception as error:  # The server lives on, whatever a worker meets.
            self.report(f"{instance.name}: {' '.join(str(error).split()) or type(error).__name__}")
        finally:
            sys.stderr.flush()
            os._exit(status)

    def _reap(self) -> None:
        for path, child in list(self._workers.items()):
            if os.waitpid(child, os.WNOHANG)[0] == child:
                del self._workers[path]

    def _end(self) -> None:
        for child in self._workers.values():
            with contextlib.suppress(ProcessLookupError):
                os.kill(child, signal.SIGTERM)
        patience = time.monotonic() + _PATIENCE_S
        while self._workers and time.monotonic() < patience:
            self._reap()
            time.sleep(_LOOK_EVERY_S)
        for child in self._workers.values():
            # One that was stopped gets no other signal.
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
        os.close(self._lock)


def _locked(path: Path) -> int:
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(handle)
        raise ServerRunsError("the engine's server runs already") from None
    return handle


def _warmed() -> LiveSound:
    """Load what a new instance plays and play it once, so that a worker begins within a moment."""
    sound = read_document("").sound
    sound.chain.prepare(48000, 2, 2048)
    for size in (2048, 256, 128, 64):
        sound.chain.process(np.zeros((2, size), np.float32), {})
    return sound


def _is_played(instance: Instance) -> bool:
    """Whether the host has processed a block, and the engine has not refused this instance."""
    status = _status_of(instance)
    return (
        status is not None and bool(status.calls) and not status.closed and status.engine_state != REFUSED
        and instance.is_alive
    )  # fmt: skip


def _status_of(instance: Instance) -> Status | None:
    try:
        region = Region(Library(instance.library), instance.path)
    except PluginError:
        return None
    found = region.status()
    region.close()
    return found
