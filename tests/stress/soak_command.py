"""The command that soaks the host: minutes of traffic, figures as a table and as JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from models.atomic_write import write_atomically
from models.predictor.runtime import Runtime
from plugin_host.cli.common.errors import WORK_FAILED, refuse, refusing
from tests.stress.soak import Plan, soak


def bench_soak(plan: Plan, runtimes: Sequence[Runtime], target: Path | None) -> None:
    """Soak and print; see the help of `python -m tests.stress soak`."""
    console = Console(highlight=False)
    with refusing(WORK_FAILED, ValueError), console.status("loading") as status:
        figures = soak(plan, runtimes, status.update)
    for run in figures["runs"]:
        console.print(_table(run))
        console.print(_summary(run), soft_wrap=True)
    if target is not None:
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            write_atomically(target, (json.dumps(figures, indent=1) + "\n").encode())
        except OSError as error:
            refuse(f"{target} can't be written: {error.strerror or error}; name another file", WORK_FAILED)


def _table(run: dict[str, Any]) -> Table:
    table = Table(f"{run['device']}, block {run['block']}", "p50", "p99", "p99.9", "max", "late", "xruns", "blocks")
    for name, figures in ((f"host, {run['runtime']}", run["host"]), ("bare wire", run["wire"])):
        shares = [f"{100 * figures['load'][key]:.1f} %" for key in ("p50", "p99", "p99.9", "max")]
        table.add_row(name, *shares, *(str(figures[key]) for key in ("late", "xruns", "blocks")))
    return table


def _summary(run: dict[str, Any]) -> str:
    zmq, midi, resident = run["zmq_set_ms"], run["midi_to_sound_ms"], run["resident_mib"]
    lines = [
        f"ZeroMQ set: p50 {_ms(zmq['p50'])}, p99 {_ms(zmq['p99'])}; {run['traffic']['sets']} sets",
        f"MIDI to the first changed block: p50 {_ms(midi['p50'])}, p99 {_ms(midi['p99'])}; "
        f"{run['traffic']['midi']} messages, {midi['seen']} of {midi['timed']} timed ones seen",
        f"resident memory: {resident['start']} MiB at the start, {resident['middle']} in the middle, "
        f"{resident['end']} at the end",
        "told meanwhile: " + ("; ".join(run["host"]["told"]) or "nothing"),
        "holds: " + ", ".join(f"{name} {'yes' if is_so else 'NO'}" for name, is_so in run["holds"].items()),
    ]
    return "\n".join(lines)


def _ms(value: float | None) -> str:
    return "unknown" if value is None else f"{value:.2f} ms"
