"""The options and help texts of the commands around live playing; imports nothing heavy."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal

import typer

from models.predictor.runtime import LIVE, RUNTIMES, Runtime
from plugin_host.cli import panel as commands_panel
from plugin_host.control.address import REQUESTS, TELEMETRY

_LIVE = "Play live"

PresetOption = Annotated[
    str | None, typer.Option("--preset", "-p", help="Preset by name or path; see highband presets.")
]
SetOption = Annotated[
    list[str] | None, typer.Option("--set", "-s", metavar="KNOB=VALUE", help="A knob, over the preset's value.")
]
ArtifactOption = Annotated[
    str | None, typer.Option("--artifact", "-a", help="Trained model; by default the preset's, else live.")
]
DeviceOption = Annotated[
    str | None,
    typer.Option(
        "--device", metavar="null|file:IN,OUT", help="Play without a sound card: silence, or a file to a file."
    ),
]
InputOption = Annotated[str | None, typer.Option("--input", "-i", metavar="DEV", help="Number or part of the name.")]
OutputOption = Annotated[str | None, typer.Option("--output", "-o", metavar="DEV", help="Number or part of the name.")]
RateOption = Annotated[int | None, typer.Option("--rate", min=44100, max=96000, help="Hz; by default the device's.")]
BlockOption = Annotated[
    int, typer.Option("--block", "-b", min=16, max=8192, help="Samples; on JACK the server's period counts instead.")
]
ChannelsOption = Annotated[int | None, typer.Option("--channels", min=1, max=64, help="By default up to 2.")]
ModeOption = Annotated[
    Literal["low", "safe"],
    typer.Option("--mode", help="low: in the device's callback; safe: 10 ms later, in a thread behind a buffer."),
]
RuntimeOption = Annotated[Runtime, typer.Option("--runtime", help="What computes the network; torch is the reference.")]
SecondsOption = Annotated[float | None, typer.Option("--seconds", min=0.0, help="End after so much sound.")]


def register(app: typer.Typer) -> None:
    """Add the commands to the command line."""
    app.command("live", rich_help_panel=_LIVE)(live)
    app.command("devices", rich_help_panel=_LIVE)(devices)
    app.command("doctor", rich_help_panel=_LIVE)(doctor)
    bench = typer.Typer(help="Measure this machine.", no_args_is_help=True)
    bench.command("live")(bench_live)
    bench.command("render")(bench_render)
    commands_panel.register_bench(bench)
    app.add_typer(bench, name="bench", rich_help_panel=_LIVE)


def live(
    device: DeviceOption = None,
    source: InputOption = None,
    sink: OutputOption = None,
    rate: RateOption = None,
    block: BlockOption = 128,
    channels: ChannelsOption = None,
    mode: ModeOption = "low",
    preset: PresetOption = None,
    settings: SetOption = None,
    artifact: ArtifactOption = None,
    runtime: RuntimeOption = LIVE,
    seconds: SecondsOption = None,
    fast: Annotated[bool, typer.Option("--fast", help="Do not wait for the clock; without a sound card only.")] = False,
    record: Annotated[
        Path | None, typer.Option("--record", metavar="FOLDER", help="Write what goes in and what comes out.")
    ] = None,
    automation_out: Annotated[
        Path | None, typer.Option("--automation-out", metavar="FILE", help="Write every knob move with its sample.")
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with preset and knobs of the last session.")] = False,
    control: Annotated[
        str, typer.Option("--control", metavar="ADDRESS|off", help="Where highband set, get, status ... reach it.")
    ] = REQUESTS,
    telemetry: Annotated[str, typer.Option("--telemetry", metavar="ADDRESS", help="Where meters go.")] = TELEMETRY,
    telemetry_rate: Annotated[float, typer.Option("--telemetry-rate", min=0.1, max=1000.0, help="Hz.")] = 30.0,
    keys: Annotated[
        Path | None, typer.Option("--keys", metavar="FILE", help="highband-host.key, to be reached by other machines.")
    ] = None,
    osc: Annotated[int | None, typer.Option("--osc", metavar="PORT", help="Listen to OSC on this UDP port.")] = None,
    osc_feedback: Annotated[
        int | None,
        typer.Option(
            "--osc-feedback", metavar="PORT", help="Send what others turn to an OSC surface on this UDP port."
        ),
    ] = None,
    midi: Annotated[
        str | None, typer.Option("--midi", metavar="PORT", help="Part of a port's name; virtual offers one.")
    ] = None,
    midi_map: Annotated[
        str, typer.Option("--midi-map", metavar="MAP", help="The controller's map, by name or path.")
    ] = "eight-knobs",
    panel: Annotated[bool, typer.Option("--panel", help="Show knobs, meters and spectra in the browser.")] = False,
    panel_port: Annotated[int, typer.Option("--panel-port", min=1, max=65535, help="Of the page.")] = 8080,
) -> None:
    """Play a sound card's input through the model, and through the effects of a preset.

    A device that goes away is waited for. A block that comes too late plays the input, delayed as always; where that
    happens again and again the host saves time step by step and says so. Ctrl-C ends.
    """
    from plugin_host.cli import live as commands_live
    from plugin_host.devices.device import Wishes
    from plugin_host.session.interfaces import DoorWishes

    way_in = "" if control == "off" else control
    page = panel_port if panel else None
    commands_live.live(
        device=device, wishes=Wishes(source, sink, rate, block, channels), mode=mode, preset=preset,
        assignments=settings or [], artifact=artifact, runtime=runtime, seconds=seconds, fast=fast, record=record,
        automation_out=automation_out, resume=resume,
        doors=DoorWishes(way_in, telemetry, telemetry_rate, keys, osc, midi, midi_map, page, osc_feedback),
    )  # fmt: skip


def devices() -> None:
    """List the sound devices with their host APIs, channels and latencies."""
    from plugin_host.cli import live as commands_live

    commands_live.devices()


def doctor() -> None:
    """Tell what this machine has for live playing, and what to start with."""
    from plugin_host.cli import live as commands_live

    commands_live.doctor()


def bench_live(
    blocks: Annotated[str, typer.Option("--blocks", help="Block sizes, with commas between.")] = "64,128,256,512",
    runtime: Annotated[
        Literal["kernel", "onnx", "torch", "all"], typer.Option("--runtime", help="What computes the network.")
    ] = "all",
    artifact: ArtifactOption = None,
    preset: PresetOption = None,
    seconds: Annotated[float, typer.Option("--seconds", min=0.1, max=600.0, help="Sound for each measurement.")] = 5.0,
    channels: Annotated[int, typer.Option("--channels", min=1, max=64)] = 2,
    rate: Annotated[int, typer.Option("--rate", min=44100, max=96000)] = 48000,
    loop: Annotated[bool, typer.Option("--loop/--no-loop", help="Measure the round trip where JACK runs.")] = True,
) -> None:
    """Measure the callback for each block size and runtime as a share of its deadline, and recommend a block."""
    from plugin_host.cli import live as commands_live

    runtimes: Sequence[Runtime] = RUNTIMES if runtime == "all" else [runtime]
    commands_live.bench_live(
        blocks=blocks, runtimes=runtimes, artifact=artifact, preset=preset, seconds=seconds, channels=channels,
        rate=rate, loop=loop,
    )  # fmt: skip


def bench_render(
    artifacts: Annotated[
        list[str] | None, typer.Option("--artifact", "-a", help="Trained models; by default all that are shipped.")
    ] = None,
    minutes: Annotated[float, typer.Option("--minutes", min=1.0, help="Length of the long stereo file.")] = 60.0,
) -> None:
    """Render a second, two minutes and a long stereo file, and show speed, memory and time to the first file."""
    from plugin_host.cli import render as commands_render

    commands_render.bench_render(artifacts or [], minutes)
