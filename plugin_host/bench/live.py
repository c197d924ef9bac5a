"""The share of its deadline that the callback needs on this machine, and the measured round trip of a signal."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

from rich.console import Console
from rich.table import Table

from plugin_host.chain.chain import Chain
from plugin_host.chain.program import DEFAULT_ARTIFACT, build
from plugin_host.devices.clocked import ClockedDevice
from plugin_host.engine.engine import Engine
from plugin_host.engine.realtime import settle_audio_thread, settle_process, unsettle_process
from plugin_host.settings.store import SettingsStore

WIRE = "wire"
_NOISE = 0.1
# White noise has no edge to follow, and an extender that finds nothing missing has little to do.
_CROSSOVER_HZ = 6000.0
# What must be left of the deadline for the system and everything else.
_MOST_P99 = 0.7
_SETTLING_S = 0.3


@dataclass(frozen=True)
class Row:
    """One measurement; figures are shares of the deadline.

    Attributes:
        source: What was measured: an artifact, or the wire, the engine without a chain.
        block: Samples.
        load: Of the callback, see `LoadMeter.figures`.
        waiting: Part of it that the callback spent without the processor: for the interpreter's lock or the system.
        missed: Share of blocks that were late.
    """

    source: str
    block: int
    load: dict[str, float]
    waiting: dict[str, float]
    missed: float


def bench(
    blocks: Sequence[int], artifact: str | None, preset: str, seconds: float,
    channels: int, rate: int, loop: bool,
) -> None:  # fmt: skip
    """Measure and print; raises ValueError with one sentence if the preset or the artifact can't be used."""
    console = Console(highlight=False)
    wires = [measure(WIRE, block, _wire(), seconds, channels, rate) for block in blocks]
    name = artifact or preset or DEFAULT_ARTIFACT
    sounds = [measure(name, block, _sound(preset, artifact), seconds, channels, rate) for block in blocks]
    rows = [*wires, *sounds]
    console.print(_table(rows, rate))
    console.print(recommendation(rows, rate), soft_wrap=True)
    if loop:
        console.print(_round_trip(), soft_wrap=True)


def measure(
    source: str, block: int, sound: tuple[Chain, SettingsStore], seconds: float, channels: int, rate: int
) -> Row:
    """Play noise for so many seconds, paced by the clock as a sound card would, and return what the callback took."""
    engine = Engine(*sound)
    device = ClockedDevice(rate, channels, block, noise=_NOISE)
    device.prepare(engine)
    engine.on_enter = lambda: settle_audio_thread(lambda refusal: None)
    settle_process()
    device.start()
    time.sleep(_SETTLING_S)
    engine.load.clear()
    engine.waiting.clear()
    time.sleep(seconds)
    load, waiting = engine.load.figures(), engine.waiting.figures()
    missed = engine.load.missed / max(1, engine.load.calls)
    device.stop()
    unsettle_process()
    return Row(source, block, load, waiting, missed)


def _wire() -> tuple[Chain, SettingsStore]:
    chain = Chain([], None, [])
    return chain, SettingsStore(chain.controls)


def _sound(preset: str, artifact: str | None) -> tuple[Chain, SettingsStore]:
    """Return what a preset plays, generating all the time."""
    sound = build(preset, artifact)
    store = SettingsStore(sound.controls)
    store.load({**sound.preset.settings, "crossover": _CROSSOVER_HZ}, "bench")
    return sound.chain, store


def recommendation(rows: Sequence[Row], rate: int) -> str:
    """Return a sentence with the smallest block that leaves room."""
    fit = [row for row in rows if row.source != WIRE and row.load["p99"] <= _MOST_P99]
    if not fit:
        return "no block of these leaves room on this machine now; try larger ones, or a lighter artifact"
    best = min(fit, key=lambda row: (row.block, row.load["p99"]))
    return (
        f"smallest block that leaves room: {best.block} samples ({1000 * best.block / rate:.1f} ms) "
        f"with {best.source}: highband live --block {best.block}"
    )


def _table(rows: Sequence[Row], rate: int) -> Table:
    table = Table("source", "block", "deadline", "p50", "p99", "p99.9", "max", "late", "waiting p99")
    for row in rows:
        shares = [f"{100 * row.load[name]:.0f} %" for name in ("p50", "p99", "p99.9", "max")]
        deadline = f"{1000 * row.block / rate:.2f} ms"
        late, waiting = f"{100 * row.missed:.2f} %", f"{100 * row.waiting['p99']:.0f} %"
        table.add_row(row.source, str(row.block), deadline, *shares, late, waiting)
    return table


def _round_trip() -> str:
    from plugin_host.devices.jack import has_server

    if not has_server():
        return "no JACK server runs, so the round trip was not measured"
    measured, declared, rate = measure_round_trip()
    return (
        f"round trip through JACK: {measured} samples ({1000 * measured / rate:.1f} ms) measured, {declared} declared"
    )


def measure_round_trip() -> tuple[int, int, int]:
    """Return the measured and the declared delay in samples of a bypassed engine on the JACK server, and the rate."""
    from plugin_host.bench.latency_probe import LoopProbe
    from plugin_host.devices.device import DeviceOptions
    from plugin_host.devices.jack import JackDevice

    engine = Engine(Chain([], None, []), SettingsStore([]))
    device = JackDevice(DeviceOptions(input="none", output="none", channels=1))
    device.prepare(engine)
    device.start()
    probe = LoopProbe()
    try:
        measured = probe.measure(f"{device.client_name}:in_1", f"{device.client_name}:out_1")
        return measured, device.latency_samples + engine.latency_samples, probe.rate
    finally:
        probe.close()
        device.stop()
