"""The soak: the whole host for minutes under traffic from another process, with the bare wire beside it."""

from __future__ import annotations

import os
import platform
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np

from plugin_host.devices.jack import has_server
from plugin_host.metering.memory import resident_bytes
from plugin_host.midi.ports import VIRTUAL, MidiPort
from tests.stress.player import MIDI_PORT, Part
from tests.stress.player_process import PlayerError, playing
from tests.stress.traffic import Traffic, delays

# A wire in the same minutes shows what the machine itself loses; the host may lose so many a minute more.
UNDERFLOWS_A_MINUTE = 2.0
_MOST_P50, _MOST_P99, _MOST_SET_MS = 0.08, 0.30, 1.0


@dataclass(frozen=True)
class Plan:
    """What is soaked.

    Attributes:
        minutes: How long.
        device: "auto" uses a JACK server where one runs, else the clock.
        preset: Name or path, "" for a high-pass, the extender and a limiter.
        artifact: Name or path, None for the preset's or the default.
        rate, block, channels: On JACK the server's count.
        sets, midi, telemetry: Messages a second.
    """

    minutes: float = 10.0
    device: Literal["auto", "jack", "null"] = "auto"
    preset: str = ""
    artifact: str | None = None
    rate: int = 48000
    block: int = 128
    channels: int = 2
    sets: int = 200
    midi: int = 500
    telemetry: int = 30


def soak(plan: Plan, notify: Callable[[str], None]) -> dict[str, Any]:
    """Run a plan and return all figures as JSON values; raises PlayerError."""
    device: Literal["jack", "null"] = "null" if plan.device == "null" else "jack" if has_server() else "null"
    if plan.device == "jack" and device == "null":
        raise PlayerError("no JACK server answers; start one, such as: jackd --realtime -d dummy -r 48000 -p 128")
    machine = {"cores": os.cpu_count(), "machine": platform.machine(), "python": platform.python_version()}
    return {"soak": 3, "machine": machine, "plan": asdict(plan), "run": _run(plan, device, notify)}


def _run(plan: Plan, device: Literal["jack", "null"], notify: Callable[[str], None]) -> dict[str, Any]:
    seconds = 60.0 * plan.minutes
    part = Part(
        role="host", device=device, preset=plan.preset, artifact=plan.artifact, rate=plan.rate,
        block=plan.block, channels=plan.channels, telemetry_hz=plan.telemetry,
    )  # fmt: skip
    resident: list[tuple[float, int]] = []
    with ExitStack() as open_:
        controller = open_.enter_context(_controller()) if device == "jack" else None
        wire = open_.enter_context(playing(part.model_copy(update={"role": "wire"})))
        host = open_.enter_context(playing(part))
        ready, _ = host.ready(), wire.ready()
        traffic = Traffic(ready["address"], controller.send if controller else host.send, plan.sets, plan.midi)

        def look(passed: float) -> None:
            resident.append((passed, resident_bytes(host.process.pid)))
            notify(f"{passed / 60:.1f} of {plan.minutes:g} minutes")

        traffic.run(seconds, look)
        resident.append((seconds, resident_bytes(host.process.pid)))
        played, bare = host.end(), wire.end()
    return _figures(plan, ready, played, bare, traffic, [size for _, size in resident])


def _figures(
    plan: Plan, ready: dict[str, Any], played: dict[str, Any], wire: dict[str, Any], traffic: Traffic,
    resident: Sequence[int],
) -> dict[str, Any]:  # fmt: skip
    moved = delays(traffic.timed_at, played.pop("moved_at"))
    # From the second sample on: the first is taken while the last things are still loaded.
    sizes = {"start": resident[min(1, len(resident) - 1)], "middle": resident[len(resident) // 2], "end": resident[-1]}
    return {
        "device": ready["device"], "rate": ready["rate"], "block": ready["block"],
        "host": played, "wire": wire,
        "zmq_set_ms": _milliseconds(traffic.set_s),
        "midi_to_sound_ms": {**_milliseconds(moved), "timed": len(traffic.timed_at), "seen": len(moved)},
        "resident_mib": {name: round(size / 2**20, 1) for name, size in sizes.items()},
        "traffic": {"sets": len(traffic.set_s), "midi": traffic.midi, "news": dict(traffic.news),
                    "failed": traffic.failed[:10]},
        "holds": verdicts(plan, played, wire, traffic.set_s),
    }  # fmt: skip


def verdicts(plan: Plan, host: dict[str, Any], wire: dict[str, Any], set_s: Sequence[float]) -> dict[str, bool]:
    """Return the requirements by name, and whether the host met them."""
    lost, bare = (figures["late"] + figures["xruns"] for figures in (host, wire))
    return {
        "underflows": lost <= bare + UNDERFLOWS_A_MINUTE * plan.minutes,
        "p50": host["load"]["p50"] <= _MOST_P50,
        "p99": host["load"]["p99"] <= _MOST_P99,
        "zmq_set": bool(set_s) and 1000.0 * float(np.median(set_s)) <= _MOST_SET_MS,
        "no fault": not host["notices"] and not host["faults"],
    }


def _milliseconds(seconds: Sequence[float]) -> dict[str, float | None]:
    if not seconds:
        return {"p50": None, "p99": None, "max": None}
    p50, p99 = np.percentile(seconds, [50, 99])
    return {name: round(1000.0 * float(one), 3) for name, one in (("p50", p50), ("p99", p99), ("max", max(seconds)))}


@contextmanager
def _controller() -> Iterator[MidiPort]:
    port = MidiPort(VIRTUAL, "jack", MIDI_PORT)
    port.look()
    try:
        yield port
    finally:
        port.close()
