"""Laws of lasting: memory that does not grow, the time of a block, and ten minutes beside a busy thread."""

from __future__ import annotations

import gc
import os
import threading
import time
import tracemalloc
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from models.stage import Block, Stage
from plugin_host.checks.result import Verdict
from plugin_host.checks.signals import music
from plugin_host.checks.target import Subject
from plugin_host.devices.clocked import ClockedDevice
from plugin_host.engine.engine import Engine
from plugin_host.engine.realtime import settle_audio_thread, settle_process, unsettle_process
from plugin_host.metering.load import LoadMeter
from plugin_host.metering.memory import resident_bytes
from plugin_host.settings.store import SettingsStore

_BLOCK, _RATE = 128, 48000
_BLOCKS = 1000
# Interned numbers and a dictionary that grew once are no leak; a block kept each time is 1 MB.
_MOST_GROWTH = 64 * 1024
_MOST_RESIDENT = 32 * 2**20
_REQUESTS_A_SECOND = 200


def stays_small(subject: Subject, chance: np.random.Generator) -> Iterator[Verdict]:
    """Level 9: a thousand blocks take no more memory at the end than at the start; their time is measured."""
    stage, sound = subject.prepared(max_block=_BLOCK), music()
    cuts = [sound[:, start : start + _BLOCK].copy() for start in range(0, sound.shape[1] - _BLOCK, _BLOCK)]
    load = LoadMeter()
    for turn in range(_BLOCKS):
        began = time.perf_counter()
        stage.process(cuts[turn % len(cuts)], subject.settings)
        load.add(time.perf_counter() - began, _BLOCK / _RATE)
    figures = load.figures()
    shares = ", ".join(f"{name} {100 * figures[name]:.0f} %" for name in ("p50", "p99", "max"))
    yield Verdict("time of a block of 128 at 48 kHz", "", f"{shares} of the deadline")
    tracemalloc.start()
    try:
        # A leak grows in every round; what fills a list once does not.
        growth = min(_growth(stage, cuts, subject.settings) for _ in range(3))
    finally:
        tracemalloc.stop()
    fault = "" if growth <= _MOST_GROWTH else f"it holds {growth / 1024:.0f} KiB more than before"
    yield Verdict("memory does not grow over 1000 blocks", fault, f"{growth / 1024:.1f} KiB")


def _growth(stage: Stage, cuts: Sequence[Block], settings: Mapping[str, float]) -> int:
    """Return the bytes that a thousand blocks leave behind."""
    gc.collect()
    before = tracemalloc.get_traced_memory()[0]
    for turn in range(_BLOCKS):
        stage.process(cuts[turn % len(cuts)], settings)
    gc.collect()
    return tracemalloc.get_traced_memory()[0] - before


def lasts(subject: Subject, chance: np.random.Generator, minutes: float = 10.0) -> Iterator[Verdict]:
    """Level 10: so many minutes in the engine, paced by the clock, beside a busy thread and control traffic."""
    store = SettingsStore(subject.controls)
    store.load(subject.settings, "check")
    engine, device = Engine(subject.prepared(), store), ClockedDevice(_RATE, 2, _BLOCK, noise=0.05)
    device.prepare(engine)
    listener = _Listener()
    engine.listener = listener
    engine.on_enter = lambda: settle_audio_thread(lambda refusal: None)
    settle_process()
    try:
        device.start()
        before = resident_bytes(os.getpid())
        _trouble(subject, store, chance, 60.0 * minutes)
        growth = resident_bytes(os.getpid()) - before
        device.stop()
    finally:
        unsettle_process()
    error = engine.take_error()
    calls = engine.load.calls
    yield Verdict("it plays without a fault", " ".join(str(error).split()) if error else "", f"{calls} blocks")
    yield Verdict("its output is finite", "" if listener.is_finite else "NaN or Inf came out")
    large = f"{growth / 2**20:.0f} MiB more than at the start" if growth > _MOST_RESIDENT else ""
    yield Verdict("resident memory stays flat", large, f"{growth / 2**20:+.1f} MiB")
    yield Verdict("late blocks", "", f"{engine.missed} of {calls}, {engine.xruns} gaps")


class _Listener:
    """Looks at what is played."""

    def __init__(self) -> None:
        self.is_finite = True

    def push(self, dry: Block, wet: Block) -> None:
        """Take a block; on the audio thread."""
        if not np.isfinite(wet).all():
            self.is_finite = False


def _trouble(subject: Subject, store: SettingsStore, chance: np.random.Generator, seconds: float) -> None:
    """Keep one thread busy and turn knobs on this one."""
    ending = threading.Event()

    def work() -> None:
        while not ending.is_set():
            sum(range(1000))

    busy = threading.Thread(target=work, daemon=True)
    busy.start()
    until = time.monotonic() + seconds
    try:
        while time.monotonic() < until:
            if subject.controls:
                control = subject.controls[int(chance.integers(len(subject.controls)))]
                store.request(control.id, control.from_position(float(chance.uniform())), "check")
            time.sleep(1.0 / _REQUESTS_A_SECOND)
    finally:
        ending.set()
        busy.join()
