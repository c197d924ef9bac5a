"""The commands around live playing: live, devices."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from plugin_host.cli import live_session
from plugin_host.cli.common import completion
from plugin_host.cli.common.errors import WORK_FAILED, refusing
from plugin_host.cli.common.options import LIVE, PresetOption, SetOption
from plugin_host.control.address import REQUESTS, TELEMETRY

app = typer.Typer()

ArtifactOption = Annotated[
    str | None,
    typer.Option(
        "--artifact", "-a", help="Trained model; by default the preset's, else live.",
        autocompletion=completion.artifacts,
    ),
]  # fmt: skip
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
    live_session.Mode,
    typer.Option("--mode", help="low: in the device's callback; safe: 10 ms later, in a thread behind a buffer."),
]
SecondsOption = Annotated[float | None, typer.Option("--seconds", min=0.0, help="End after so much sound.")]
FastFlag = Annotated[bool, typer.Option("--fast", help="Do not wait for the clock; without a sound card only.")]
RecordOption = Annotated[
    Path | None, typer.Option("--record", metavar="FOLDER", help="Write the input and the output.")
]
AutomationOption = Annotated[
    Path | None, typer.Option("--automation-out", metavar="FILE", help="Write every knob move with its sample.")
]
ResumeFlag = Annotated[bool, typer.Option("--resume", help="Go on with preset and knobs of the last session.")]
ControlOption = Annotated[
    str, typer.Option("--control", metavar="ADDRESS|off", help="Where highband set, get, status ... reach it.")
]
TelemetryOption = Annotated[str, typer.Option("--telemetry", metavar="ADDRESS", help="Where meters go.")]
TelemetryRateOption = Annotated[float, typer.Option("--telemetry-rate", min=0.1, max=1000.0, help="Hz.")]
KeysOption = Annotated[
    Path | None, typer.Option("--keys", metavar="FILE", help="highband-host.key, to be reached by other machines.")
]
OscOption = Annotated[int | None, typer.Option("--osc", metavar="PORT", help="Listen to OSC on this UDP port.")]
OscFeedbackOption = Annotated[
    int | None,
    typer.Option("--osc-feedback", metavar="PORT", help="Send others' changes to an OSC surface on this UDP port."),
]
MidiOption = Annotated[
    str | None, typer.Option("--midi", metavar="PORT", help="Part of a port's name; virtual offers one.")
]
MidiMapOption = Annotated[
    str,
    typer.Option(
        "--midi-map", metavar="MAP", help="The controller's map, by name or path.", autocompletion=completion.midi_maps
    ),
]
PanelFlag = Annotated[bool, typer.Option("--panel", help="Show knobs, meters and spectra in the browser.")]
PanelPortOption = Annotated[int, typer.Option("--panel-port", min=1, max=65535, help="Of the page.")]


@app.command(rich_help_panel=LIVE)
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
    seconds: SecondsOption = None,
    fast: FastFlag = False,
    record: RecordOption = None,
    automation_out: AutomationOption = None,
    resume: ResumeFlag = False,
    control: ControlOption = REQUESTS,
    telemetry: TelemetryOption = TELEMETRY,
    telemetry_rate: TelemetryRateOption = 30.0,
    keys: KeysOption = None,
    osc: OscOption = None,
    osc_feedback: OscFeedbackOption = None,
    midi: MidiOption = None,
    midi_map: MidiMapOption = "eight-knobs",
    panel: PanelFlag = False,
    panel_port: PanelPortOption = 8080,
) -> None:
    """Play a sound card's input through the model, and through the effects of a preset.

    A device that goes away is waited for. A block that comes too late plays the input, delayed as always; where that
    happens again and again the host saves time step by step and says so. Ctrl-C ends.
    """
    from plugin_host.devices.device import DeviceOptions
    from plugin_host.session.interfaces import InterfaceOptions

    requests, page = "" if control == "off" else control, panel_port if panel else None
    live_session.play(
        live_session.Request(
            device=device, options=DeviceOptions(source, sink, rate, block, channels), mode=mode, preset=preset,
            assignments=settings or [], artifact=artifact, resume=resume,
            interfaces=InterfaceOptions(
                requests, telemetry, telemetry_rate, keys, osc, midi, midi_map, page, osc_feedback
            ),
            seconds=seconds, fast=fast, record=record, automation_out=automation_out,
        )
    )  # fmt: skip


@app.command(rich_help_panel=LIVE)
def devices() -> None:
    """List the sound devices with their host APIs, channels and latencies."""
    from rich.console import Console
    from rich.table import Table

    from plugin_host.devices.portaudio import list_devices

    with refusing(WORK_FAILED, ValueError):
        listed = list_devices()
    table = Table("", "device", "host API", "in", "out", "rate", "latency in / out", "default")
    for one in listed:
        latencies = f"{one.input_ms:.1f} / {one.output_ms:.1f} ms"
        channels = (str(one.inputs), str(one.outputs))
        table.add_row(str(one.index), one.name, one.api, *channels, f"{one.rate} Hz", latencies, one.default)
    if listed:
        Console().print(table)
    else:
        typer.echo("no sound device was found; --device null and --device file:IN.wav,OUT.wav play without one")
