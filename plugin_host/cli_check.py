"""The options and help texts of the commands that try what can go wrong; imports nothing heavy."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from models.runtime import LIVE, RUNTIMES, Runtime

_PROVE = "Prove"

SubjectArgument = Annotated[
    str,
    typer.Argument(metavar="STAGE|PRESET", help="An artifact, a preset (name or path), or module:Class, importable."),
]
SeedOption = Annotated[int, typer.Option("--seed", min=0, help="Of everything that is random in it.")]


def register(app: typer.Typer) -> None:
    """Add the commands to the command line."""
    app.command("check", rich_help_panel=_PROVE, no_args_is_help=True)(check)
    app.command("drill", rich_help_panel=_PROVE)(drill)


def register_bench(bench: typer.Typer) -> None:
    """Add the commands that measure to those of `highband bench`."""
    bench.command("soak")(bench_soak)


def check(
    name: SubjectArgument,
    level: Annotated[
        int | None, typer.Option("--level", "-l", min=1, max=10, help="Only this level; by default 1 to 9.")
    ] = None,
    seed: SeedOption = 0,
    minutes: Annotated[float, typer.Option("--minutes", min=0.01, max=1440.0, help="Of level 10.")] = 10.0,
    runtime: Annotated[Runtime, typer.Option("--runtime", help="What computes the network of an artifact.")] = LIVE,
    artifact: Annotated[
        str | None, typer.Option("--artifact", "-a", help="The model in a preset's chain; by default the preset's.")
    ] = None,
) -> None:
    """Hold a stage to ten levels of laws: yours, a shipped artifact, or a preset's whole chain.

    From "silence stays silent" over "blocks equal whole" to "knobs jump without a click"; models/stage.py tells what a
    stage is. Level 10 plays for minutes beside a busy thread and runs only when it is asked for. One line for each law
    that is broken; exit status 1 if there is one.
    """
    from plugin_host import commands_check

    commands_check.check(name, level, seed, minutes, runtime, artifact)


def bench_soak(
    minutes: Annotated[
        float, typer.Option("--minutes", min=0.05, max=1440.0, help="How long, for each runtime.")
    ] = 10.0,
    device: Annotated[
        Literal["auto", "jack", "null"],
        typer.Option("--device", help="auto: the JACK server where one runs, else the clock alone."),
    ] = "auto",
    preset: Annotated[
        str, typer.Option("--preset", "-p", help="By default a high-pass, the extender and a limiter.")
    ] = "",
    artifact: Annotated[str | None, typer.Option("--artifact", "-a", help="Trained model.")] = None,
    runtime: Annotated[
        Literal["kernel", "onnx", "torch", "all"], typer.Option("--runtime", help="What computes the network.")
    ] = LIVE,
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
    from plugin_host import commands_soak
    from plugin_host.soak import Plan

    plan = Plan(minutes, device, preset, artifact, rate, block, channels)
    commands_soak.bench_soak(plan, RUNTIMES if runtime == "all" else [runtime], out)


def drill(
    seed: SeedOption = 0,
    quick: Annotated[bool, typer.Option("--quick", help="A little of everything, in less than a minute.")] = False,
    preset: Annotated[
        str, typer.Option("--preset", "-p", help="By default a high-pass, the extender and a limiter.")
    ] = "",
    artifact: Annotated[str | None, typer.Option("--artifact", "-a", help="Trained model.")] = None,
) -> None:
    """Try a host as a bad day would: servers killed, strangers' messages, floods, broken files, wild hands.

    The JACK server is killed and restarted 20 times (one of its own, with a dummy card), 100000 malformed messages come
    by ZeroMQ and as many by OSC, 50000 MIDI messages at once, 1000 presets of random bytes, and every knob is turned at
    random for 5 minutes of sound. Nothing may crash, nothing but numbers come out, no knob click, no setting be lost.
    The same seed does the same again. Exit status 1 and one line for each fault.
    """
    from plugin_host import commands_drill

    commands_drill.drill(seed, quick, preset, artifact)
