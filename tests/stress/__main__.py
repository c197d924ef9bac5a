"""The stress tests from outside: `python -m tests.stress soak` and `python -m tests.stress drill`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from models.predictor.runtime import LIVE, RUNTIMES
from tests.stress.drill_command import drill as run_drill
from tests.stress.soak import Plan
from tests.stress.soak_command import bench_soak

app = typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False)


@app.command()
def soak(
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
    plan = Plan(minutes, device, preset, artifact, rate, block, channels)
    bench_soak(plan, RUNTIMES if runtime == "all" else [runtime], out)


@app.command()
def drill(
    seed: Annotated[int, typer.Option("--seed", min=0, help="Of everything that is random in it.")] = 0,
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
    run_drill(seed, quick, preset, artifact)


if __name__ == "__main__":
    app()
