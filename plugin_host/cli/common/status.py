"""What a running host plays, as lines in words and units."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

Stats = Mapping[str, Any]


def lines(stats: Stats) -> Iterator[tuple[str, str]]:
    """Yield a name and a text for each part of a host's figures that it has.

    Args:
        stats: The reply to the request "stats"; see docs/control-protocol.md.
    """
    yield from _sound(stats)
    rate = int(stats.get("sample_rate") or 0)
    if "latency" in stats:
        yield "latency", _latency(stats["latency"], rate)
    if "position" in stats and rate:
        minutes, seconds = divmod(int(stats["position"]) // rate, 60)
        yield "played", f"{minutes}:{seconds:02} min"
    for part, load in stats.get("load", {}).items():
        yield f"load of {'all' if part == 'callback' else part}", _load(load)
    if "missed" in stats:
        yield "late blocks", f"{stats['missed']} of {stats['blocks']}"
    if "xruns" in stats:
        yield "interruptions", str(stats["xruns"])
    if "relief" in stats:
        yield "saves time by", ", ".join(stats["relief"]) or "nothing"
    if stats.get("match", {}).get("on"):
        yield "comparison", _match(stats["match"])


def controller(midi: Mapping[str, Any] | None) -> Iterator[tuple[str, str]]:
    """Yield the same for the controller of a host that has one; `midi` is the reply to the request "midi"."""
    if midi is None:
        return
    count = len(midi["bindings"])
    yield "controller", f"{midi['port'] or 'not there yet'}, map {midi['map']} with {count} bindings"
    if midi["learning"]:
        yield "learning", f"the next control that moves will move {midi['learning']}"
    if midi["taken"]:
        yield "no longer moved", f"{', '.join(midi['taken'])}; highband midi undo puts the map back"


def _sound(stats: Stats) -> Iterator[tuple[str, str]]:
    device = stats.get("device", {})
    if device:
        yield "device", f"{device['name']}, {device['state']}"
    if stats.get("sample_rate"):
        block = f"blocks of {stats['block']} samples, " if "block" in stats else ""
        yield "format", f"{stats['sample_rate']} Hz, {stats['channels']} channels, {block}{stats.get('mode', '')} mode"
    if "preset" in stats:
        yield "preset", stats["preset"] or "none"
        yield "artifact", stats["artifact"] or "the preset's"
    if stats.get("crossover_hz"):
        yield "crossover", f"{stats['crossover_hz'] / 1000:.2f} kHz"
    if stats.get("resting"):
        yield "sound", "the input, delayed by the latency"


def _latency(latency: Mapping[str, Any], rate: int) -> str:
    parts = {name: samples for name, samples in latency.items() if name not in ("unit", "sum", "chain")}
    total = latency.get("sum", latency.get("chain", 0))
    time = f" ({1000 * total / rate:.1f} ms)" if rate else ""
    shares = ", ".join(f"{name} {samples}" for name, samples in parts.items())
    return f"{total} samples{time}" + (f": {shares}" if shares else "")


def _load(load: Mapping[str, float]) -> str:
    words = {"p50": "usually", "p99": "in 1 of 100 blocks", "p99.9": "in 1 of 1000", "max": "once"}
    return ", ".join(f"{100 * load[name]:.1f} % {word}" for name, word in words.items() if name in load)


def _match(match: Mapping[str, Any]) -> str:
    offset, side = match.get("offset_db"), match.get("turned_down")
    if offset is None:
        return "equally loud; measuring"
    return f"equally loud; {side} turned down by {abs(offset):.1f} dB" if side else "equally loud as they are"
