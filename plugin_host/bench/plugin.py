"""What the way between a DAW and the engine costs on this machine: the hop, late blocks, the speed of a bounce."""

from __future__ import annotations

import ctypes
import os
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from ctypes import c_bool, c_char_p, c_double, c_int64, c_uint32, c_uint64
from pathlib import Path

from models.control import Control
from models.extender.controls import CONTROLS
from models.stage import Block
from plugin_host.control.client import Client
from plugin_host.plugin.build import build
from plugin_host.plugin.instances import control_address, instances
from plugin_host.plugin.product import OWN, PluginError, engine_command, find_product

_RATE = 48000
_ECHO = "plugin_host.bench.plugin:Echo"
_PATIENCE_S = 90.0
_TURNS, _TURNS_S = 50, 4.0


class Echo:
    """A stage that costs nothing, with the extender's knobs."""

    controls: Sequence[Control] = CONTROLS
    latency_samples = 0

    def prepare(self, sample_rate: int, channels: int, max_block: int) -> None:
        """Do nothing."""

    def reset(self, position: int = 0) -> None:
        """Do nothing."""

    def process(self, block: Block, settings: Mapping[str, float]) -> Block:
        """Return a copy."""
        return block.copy()


class Figures(ctypes.Structure):
    """What was measured; see `HighbandFigures` in bench.cpp."""

    _fields_ = [
        *((name, c_uint64) for name in ("blocks", "late", "missed", "has_priority")),
        *((name, c_double) for name in ("seconds", "p50_us", "p99_us", "longest_us")),
        ("turns", c_uint64), ("turned_ns", c_int64 * 64),
    ]  # fmt: skip


def bench(seconds: float) -> Iterator[str]:
    """Measure and yield lines for people.

    Args:
        seconds: Of sound for each measurement.

    Raises:
        PluginError: The plug-in can't be built, or its engine does not begin; one sentence.
    """
    library = build(find_product())
    with own_engine():
        for block in (64, 128, 256, 512):
            bare, found = _measure_bare(library, block, seconds), _measure(library, _ECHO, 1, block, 0, seconds)
            yield (
                f"hop alone, block {block:4}: p50 {found.p50_us:6.0f} us, p99 {found.p99_us:6.0f} us, "
                f"longest {found.longest_us:6.0f} us; of it the machine itself p50 {bare.p50_us:6.0f} us, "
                f"p99 {bare.p99_us:6.0f} us"
            )
        for count in (1, 4):
            found = _measure(library, OWN, count, 256, 256, seconds)
            share, own = 100.0 * found.late / found.blocks, 100.0 * found.missed * count / found.blocks
            priority = "" if found.has_priority else ", without real-time priority"
            yield (
                f"{count} playing, block 256: {share:.2f} % of {found.blocks} blocks late; "
                f"the pacing thread alone missed {own:.2f} %{priority}"
            )
        waits_ms = sorted(_turned(library))
        yield (
            f"a knob turned in the panel, block 256: the host has it after p50 {waits_ms[len(waits_ms) // 2]:.1f} ms, "
            f"longest {waits_ms[-1]:.1f} ms of {len(waits_ms)}"
        )
        found = _measure(library, OWN, 1, 512, 256, 10 * seconds, is_offline=True)
        yield f"bounce, block 512: {found.blocks * 512 / _RATE / found.seconds:.0f} times real time"


def _turned(library: Path) -> list[float]:
    """Turn a knob by the panel's way while an instance plays; return how long the host waited for each, in ms."""
    found, waits_ms = Figures(), list[float]()
    words = (library, OWN, 1, 256, 256, _TURNS_S)
    with ThreadPoolExecutor(1) as pool:
        playing = pool.submit(_measure, *words, found=found)
        with Client(_address(playing)) as client:
            while not playing.done() and len(waits_ms) < _TURNS:
                began, count = time.monotonic_ns(), int(found.turns)
                client.set("amount", -6.0 if count % 2 else -3.0)
                while found.turns == count and not playing.done():
                    time.sleep(0.001)
                if found.turns > count:
                    waits_ms.append((found.turned_ns[count] - began) / 1e6)
        playing.result()
    return waits_ms


def _address(playing: Future[Figures]) -> str:
    """Return where the only instance is controlled, as soon as it is."""
    while not playing.done():
        with suppress(PluginError):
            return control_address(next((one.name for one in instances()), ""))
        time.sleep(0.02)
    playing.result()
    raise PluginError("the engine does not say where it is controlled; highband plugin doctor says what is missing")


def _measure(
    library: Path, stage: str, count: int, block: int, buffer: int, seconds: float, *, is_offline: bool = False,
    found: Figures | None = None,
) -> Figures:  # fmt: skip
    """Play instances of a stage in real time, or offline as fast as can be."""
    native = ctypes.CDLL(str(library)).highband_bench
    native.restype = c_bool
    native.argtypes = [
        c_char_p, c_char_p, c_uint32, c_uint32, c_uint32, c_uint32, c_double, c_bool, ctypes.POINTER(Figures),
    ]  # fmt: skip
    found = found or Figures()
    if not native(stage.encode(), b"", count, block, _RATE, buffer, seconds, is_offline, ctypes.byref(found)):
        raise PluginError("the engine does not begin; highband plugin doctor says what is missing")
    return found


def _measure_bare(library: Path, block: int, seconds: float) -> Figures:
    """Play through the hop alone, with no interpreter at its other end."""
    native = ctypes.CDLL(str(library)).highband_bench_bare
    native.restype, native.argtypes = c_bool, [c_uint32, c_uint32, c_double, ctypes.POINTER(Figures)]
    found = Figures()
    if not native(block, _RATE, seconds, ctypes.byref(found)):
        raise PluginError("the memory of the plug-in can't be made; highband plugin doctor says what is missing")
    return found


@contextmanager
def own_engine() -> Iterator[None]:
    """Run a server of our own, away from what DAWs have open, for what this process and its children open."""
    before = os.environ.get("XDG_RUNTIME_DIR")
    with tempfile.TemporaryDirectory() as folder:
        os.environ["XDG_RUNTIME_DIR"] = folder
        command = engine_command(detached=False)
        with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as server:
            try:
                _wait_for(Path(folder) / "highband" / "engine.log", server)
                yield
            finally:
                server.terminate()
                server.wait(_PATIENCE_S)
                os.environ.pop("XDG_RUNTIME_DIR")
                if before is not None:
                    os.environ["XDG_RUNTIME_DIR"] = before


def _wait_for(log: Path, server: subprocess.Popen[bytes]) -> None:
    patience = time.monotonic() + _PATIENCE_S
    while not (log.exists() and "the engine is ready" in log.read_text(encoding="utf-8")):
        if server.poll() is not None or time.monotonic() > patience:
            raise PluginError("the engine does not begin; highband plugin doctor says what is missing")
        time.sleep(0.05)
