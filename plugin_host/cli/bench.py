"""The commands that measure this machine: doctor, bench live, bench render, bench panel."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from plugin_host.cli.common.errors import WORK_FAILED, WRONG_USAGE, refusing
from plugin_host.cli.common.options import LIVE, ArtifactOption, PresetOption

app = typer.Typer()
bench = typer.Typer(help="Measure this machine.", no_args_is_help=True)
app.add_typer(bench, name="bench", rich_help_panel=LIVE)


@app.command(rich_help_panel=LIVE)
def doctor() -> None:
    """Show what this machine has for live playing, and what to start with."""
    from plugin_host.bench.doctor import examine, show

    show(examine())


@bench.command("live")
def bench_live(
    blocks: Annotated[str, typer.Option("--blocks", help="Block sizes, with commas between.")] = "64,128,256,512",
    artifact: ArtifactOption = None,
    preset: PresetOption = None,
    seconds: Annotated[float, typer.Option("--seconds", min=0.1, max=600.0, help="Sound for each measurement.")] = 5.0,
    channels: Annotated[int, typer.Option("--channels", min=1, max=64)] = 2,
    rate: Annotated[int, typer.Option("--rate", min=44100, max=96000)] = 48000,
    loop: Annotated[bool, typer.Option("--loop/--no-loop", help="Measure the round trip where JACK runs.")] = True,
) -> None:
    """Measure the callback for each block size as a share of its deadline, and recommend a block."""
    from plugin_host.bench.live import bench

    with refusing(WRONG_USAGE, ValueError):
        sizes = [_size(word) for word in blocks.split(",")]
        bench(sizes, artifact, preset or "", seconds, channels, rate, loop)


def _size(word: str) -> int:
    if not word.strip().isdecimal() or not 16 <= int(word) <= 8192:
        raise ValueError(f"'{word}' is not a block size; give numbers from 16 to 8192, with commas between")
    return int(word)


@bench.command("plugin")
def bench_plugin(
    seconds: Annotated[float, typer.Option("--seconds", min=0.1, max=600.0, help="Sound for each measurement.")] = 10.0,
) -> None:
    """Measure the way between a DAW and the engine: the hop, late blocks of one and four instances, a bounce."""
    from plugin_host.bench.plugin import bench as measure

    with refusing(WORK_FAILED, ValueError):
        for line in measure(seconds):
            print(line, flush=True)


@bench.command("render")
def bench_render(
    artifacts: Annotated[
        list[str] | None, typer.Option("--artifact", "-a", help="Trained models; by default all that are shipped.")
    ] = None,
    minutes: Annotated[float, typer.Option("--minutes", min=1.0, help="Length of the long stereo file.")] = 60.0,
) -> None:
    """Render a second, two minutes and a long stereo file, and show speed, memory and time to the first file."""
    from rich.console import Console

    from models.artifact.manifest import list_artifacts
    from plugin_host.bench.render import bench

    with refusing(WORK_FAILED, ValueError, OSError):
        bench(artifacts or [info.name for info in list_artifacts()], minutes, Console())


@bench.command("panel")
def bench_panel(
    block: Annotated[int, typer.Option("--block", "-b", min=16, max=8192, help="Samples.")] = 128,
    pages: Annotated[int, typer.Option("--pages", min=1, max=16, help="Open at once, each in a browser.")] = 2,
    rounds: Annotated[int, typer.Option("--rounds", min=1, max=100, help="Turns of each kind.")] = 5,
    seconds: Annotated[float, typer.Option("--seconds", min=0.1, max=600.0, help="Sound of a turn.")] = 10.0,
    preset: PresetOption = None,
    artifact: ArtifactOption = None,
    output: Annotated[Path | None, typer.Option("--output", "-o", metavar="FILE", help="Write it as JSON.")] = None,
    growth: Annotated[
        float | None,
        typer.Option("--growth", min=1.0, metavar="MINUTES", help="Measure what open pages grow by instead."),
    ] = None,
) -> None:
    """Measure the live callback with open pages of the panel and without any panel, in turns; needs a Chromium.

    Ends with status 1 where the 99th percentile with pages is more than a fifth above the one without.
    """
    from plugin_host.bench import panel as measurement

    plan = measurement.Plan(block, pages, rounds, seconds, preset or "", artifact)
    with refusing(WORK_FAILED, ValueError, OSError):
        if growth is not None:
            from plugin_host.bench import panel_growth

            panel_growth.bench(plan, growth)
            return
        passes = measurement.bench(plan, output)
    if not passes:
        raise typer.Exit(WORK_FAILED)
