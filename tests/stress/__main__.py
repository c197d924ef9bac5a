"""The stress tests from outside: `python -m tests.stress soak` and `python -m tests.stress drill`."""

from __future__ import annotations

import json
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any, Literal

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from models.atomic_write import write_atomically
from plugin_host.cli.common.errors import WORK_FAILED, refuse, refusing
from tests.stress import drill as trials
from tests.stress import soak as minutes_of_traffic

app = typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False)


@app.command()
def soak(
    minutes: Annotated[float, typer.Option("--minutes", min=0.05, max=1440.0, help="How long.")] = 10.0,
    device: Annotated[
        Literal["auto", "jack", "null"],
        typer.Option("--device", help="auto: the JACK server where one runs, else the clock alone."),
    ] = "auto",
    preset: Annotated[
        str, typer.Option("--preset", "-p", help="By default a high-pass, the extender and a limiter.")
    ] = "",
    artifact: Annotated[str | None, typer.Option("--artifact", "-a", help="Trained model.")] = None,
    block: Annotated[
        int, typer.Option("--block", "-b", min=16, max=8192, help="On JACK the server's period counts instead.")
    ] = 128,
    rate: Annotated[int, typer.Option("--rate", min=44100, max=96000)] = 48000,
    channels: Annotated[int, typer.Option("--channels", min=1, max=64)] = 2,
    out: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE", help="Write all figures as JSON.")
    ] = None,
) -> None:
    """Play for minutes under traffic from another process, with the bare wire beside it, and show what it cost.

    200 settings a second by ZeroMQ, 500 MIDI messages a second, telemetry at 30 Hz. Counts late blocks and
    interruptions of both, and times the callback, the settings, and the way from the controller to the sound.
    """
    plan = minutes_of_traffic.Plan(minutes, device, preset, artifact, rate, block, channels)
    console = Console(highlight=False)
    with refusing(WORK_FAILED, ValueError), console.status("loading") as status:
        figures = minutes_of_traffic.soak(plan, status.update)
    console.print(_table(figures["run"]))
    console.print(_summary(figures["run"]), soft_wrap=True)
    if out is not None:
        try:
            out.parent.mkdir(parents=True, exist_ok=True)
            write_atomically(out, (json.dumps(figures, indent=1) + "\n").encode())
        except OSError as error:
            refuse(f"{out} can't be written: {error.strerror or error}; name another file", WORK_FAILED)


def _table(run: dict[str, Any]) -> Table:
    table = Table(f"{run['device']}, block {run['block']}", "p50", "p99", "p99.9", "max", "late", "xruns", "blocks")
    for name, figures in (("host", run["host"]), ("bare wire", run["wire"])):
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
        "reported meanwhile: " + ("; ".join(run["host"]["notices"]) or "nothing"),
        "holds: " + ", ".join(f"{name} {'yes' if is_so else 'NO'}" for name, is_so in run["holds"].items()),
    ]
    return "\n".join(lines)


def _ms(value: float | None) -> str:
    return "unknown" if value is None else f"{value:.2f} ms"


@app.command()
def drill(
    seed: Annotated[int, typer.Option("--seed", min=0, help="Of everything that is random in it.")] = 0,
    quick: Annotated[bool, typer.Option("--quick", help="A little of everything, in less than a minute.")] = False,
    preset: Annotated[
        str, typer.Option("--preset", "-p", help="By default a high-pass, the extender and a limiter.")
    ] = "",
    artifact: Annotated[str | None, typer.Option("--artifact", "-a", help="Trained model.")] = None,
) -> None:
    """Inject faults into a host: servers killed, malformed messages, floods, broken files, knobs turned at random.

    The JACK server is killed and restarted 20 times (one of its own, with a dummy card), 100000 malformed messages come
    by ZeroMQ and as many by OSC, 50000 MIDI messages at once, 1000 presets of random bytes, and every knob is turned at
    random for 5 minutes of sound. Nothing may crash, nothing but numbers come out, no knob click, no setting be lost.
    The same seed does the same again. Exit status 1 and one line for each fault.
    """
    sizes: dict[str, Any] = trials.QUICK if quick else {}
    plan = replace(trials.Plan(seed=seed, preset=preset, artifact=artifact), **sizes)
    console = Console(highlight=False)
    table = Table("trial", "", "what was done", "time")
    outcomes: list[trials.Outcome] = []
    for trial in trials.TRIALS:
        began = time.monotonic()
        with console.status((trial.__doc__ or "").partition("\n")[0]):
            outcome = _tried(trial, plan)
        outcomes.append(outcome)
        sign = "[red]fails[/]" if outcome.faults else "[green]holds[/]"
        table.add_row(outcome.trial, sign, escape(outcome.done), f"{time.monotonic() - began:.0f} s")
    console.print(table)
    for outcome in outcomes:
        for fault in outcome.faults:
            console.print(f"{outcome.trial}: {fault}", markup=False, soft_wrap=True)
    if any(outcome.faults for outcome in outcomes):
        raise typer.Exit(WORK_FAILED)


def _tried(trial: trials.Trial, plan: trials.Plan) -> trials.Outcome:
    try:
        return trial(plan)
    except Exception as error:  # Whatever ends a trial is what it was for to find.
        reason = f"{type(error).__name__}: {' '.join(str(error).split())}"
        return trials.Outcome(getattr(trial, "__name__", "trial"), "broke off", [reason])


@app.command()
def files(
    count: Annotated[int, typer.Option("--count", min=1, help="How many files.")] = 500,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Of the first file; the others follow.")] = 0,
) -> None:
    """Render hostile files drawn from seeds: each ends in a right result or one sentence, none in a partial file.

    Exit status 1 and one line for each seed that breaks the law.
    """
    from tests.stress.hostile_files import draw, judge

    ends: Counter[str] = Counter()
    for number in range(seed, seed + count):
        with TemporaryDirectory() as source, TemporaryDirectory() as target:
            try:
                ends[judge(draw(number, Path(source)), Path(target))] += 1
            except Exception as error:  # whatever escapes is a fault, and the others are still to be tried
                ends["fault"] += 1
                typer.echo(f"seed {number}: {type(error).__name__}: {' '.join(str(error).split())[:300]}")
    typer.echo(", ".join(f"{number} {end}" for end, number in sorted(ends.items())))
    raise typer.Exit(int(ends["fault"] > 0))


if __name__ == "__main__":
    app()
