"""The command line. Nothing heavy is imported before a command runs, so that help comes at once."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Literal

import typer

from plugin_host.cli import check_options as cli_check
from plugin_host.cli import control_options as cli_control
from plugin_host.cli import live_options as cli_live
from plugin_host.cli import midi_options as cli_midi
from plugin_host.cli import panel as commands_panel

_EXAMPLES = """
**Examples**

    highband render vocal.wav -o vocal-bright.wav

    highband render stems/ -o bright/ --preset dull-vocal --picture

    highband render 'tapes/**/*.flac' -o out/ --set amount=-3dB --set tone=40 --bits 24

    highband render call.mp3 -o call.wav --set crossover=3.4kHz --artifact live
"""
_RENDER, _SHOW, _PROVE, _TRAIN = "Render", "Look around", "Prove", "Train"

app = typer.Typer(
    name="highband",
    help="Put the missing top octaves back: bandwidth extension for dull recordings, as knobs and one command.\n\n"
    "A trained model finds where a recording's band ends and generates the rest above it; what was there stays "
    "untouched. Every command explains itself: highband COMMAND --help.",
    epilog=_EXAMPLES,
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

# What several commands take.
PresetOption = Annotated[
    str | None,
    typer.Option("--preset", "-p", help="Preset by name, or the path of a .json file; see highband presets."),
]
SetOption = Annotated[
    list[str] | None,
    typer.Option("--set", "-s", metavar="KNOB=VALUE", help="A knob, over the preset's value; see highband knobs."),
]
ArtifactOption = Annotated[
    str | None,
    typer.Option("--artifact", "-a", help="Trained model by name or folder; by default the preset's, else the best."),
]
# What render alone takes.
Inputs = Annotated[list[str], typer.Argument(metavar="IN...", help="Files, folders, globs; WAV, FLAC, AIFF, OGG, MP3.")]
Output = Annotated[
    Path, typer.Option("--output", "-o", metavar="OUT", help="A .wav or .flac file; a folder for several inputs.")
]
BitsOption = Annotated[
    Literal["16", "24", "32f"] | None, typer.Option("--bits", "-b", help="Depth; by default the input's.")
]
FormatOption = Annotated[
    Literal["wav", "flac"] | None,
    typer.Option("--format", "-f", help="By default FLAC stays FLAC and all else becomes WAV."),
]
OverwriteFlag = Annotated[
    bool, typer.Option("--overwrite", help="Render again what is done; replace files made elsewhere.")
]
PictureFlag = Annotated[
    bool, typer.Option("--picture", help="Write the spectrograms before and after as a PNG beside each output.")
]
# What evaluate alone takes.
JudgedOption = Annotated[
    list[str] | None, typer.Option("--artifact", "-a", help="Trained model; repeat for several; by default all.")
]
RatesOption = Annotated[
    list[int] | None,
    typer.Option("--rate", "-r", help="Degrade to this many Hz; repeat; by default 8, 12, 16, 24 kHz."),
]

# What the training commands take.
RunFile = Annotated[Path, typer.Argument(metavar="RUN.toml", help="What differs from the defaults.")]
RunsOption = Annotated[Path, typer.Option("--runs", help="Folder of checkpoints and logs.")]


def _print_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(f"highband {version('highband')}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    pass


@app.command(rich_help_panel=_RENDER, epilog=_EXAMPLES, no_args_is_help=True)
def render(
    inputs: Inputs,
    output: Output,
    preset: PresetOption = None,
    settings: SetOption = None,
    artifact: ArtifactOption = None,
    automation: Annotated[
        Path | None,
        typer.Option(
            "--automation", metavar="FILE", help="Knob moves that highband live recorded; give it the preset too."
        ),
    ] = None,
    bits: BitsOption = None,
    format_name: FormatOption = None,
    overwrite: OverwriteFlag = False,
    picture: PictureFlag = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print only what went wrong.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print progress and results as JSON, one line each.")] = False,
) -> None:
    """Render files through the model, and through the effects of a preset.

    The output is as long as the input and aligned to the sample. The sample rate stays from 44.1 kHz on and becomes
    48 kHz below it; tags stay where the format has them. Integer depths are not dithered, so that what the model
    leaves alone stays bit for bit.

    Stop with Ctrl-C at any time and run the same command again: what is done is skipped, nothing half done is left.
    A bad file never stops the others; it is named at the end. Exit status: 0 all done, 1 something failed,
    2 wrong usage, 130 stopped.
    """
    from plugin_host.cli import render as commands_render

    commands_render.render(
        inputs, output, preset=preset, assignments=settings or [], artifact=artifact, automation=automation,
        bits=bits, format_name=format_name, overwrite=overwrite, picture=picture, quiet=quiet,
        as_json=as_json,
    )  # fmt: skip


@app.command(rich_help_panel=_RENDER)
def demo(
    folder: Annotated[Path, typer.Option("--output", "-o", metavar="FOLDER", help="Takes the files.")] = Path("demo"),
    artifact: ArtifactOption = None,
) -> None:
    """Make a bundled clip dull, make it bright again, and print how near it came."""
    from plugin_host.cli import render as commands_render

    commands_render.demo(folder, artifact=artifact)


@app.command(rich_help_panel=_SHOW)
def presets(name: Annotated[str | None, typer.Argument(help="Show this preset in full.")] = None) -> None:
    """List the presets, or show one with its knobs and effects."""
    from plugin_host.cli import lists as commands_list

    commands_list.show_presets(name)


@app.command(rich_help_panel=_SHOW)
def artifacts() -> None:
    """List the trained models with their size, latency, figures and licence."""
    from plugin_host.cli import lists as commands_list

    commands_list.show_artifacts()


@app.command(rich_help_panel=_SHOW)
def knobs() -> None:
    """List the knobs with their ranges and defaults."""
    from plugin_host.cli import lists as commands_list

    commands_list.show_knobs()


@app.command(rich_help_panel=_PROVE, no_args_is_help=True)
def verify(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Any audio file.")],
    preset: PresetOption = None,
    settings: SetOption = None,
    artifact: ArtifactOption = None,
    blocks: Annotated[
        str, typer.Option("--blocks", help="Block sizes, with commas between; 'random' for random ones.")
    ] = "1,17,64,128,256,480,512,1024,random",
    seconds: Annotated[float, typer.Option("--seconds", min=0.001, max=600.0, help="How much of the file.")] = 5.0,
) -> None:
    """Play the start of a file in blocks of several sizes and compare with playing it whole.

    Prints the worst difference for each size; exit status 1 if one is above 0.00001 of full scale.
    """
    from plugin_host.cli import render as commands_render

    commands_render.verify(
        file, preset=preset, assignments=settings or [], artifact=artifact, blocks=blocks, seconds=seconds
    )


@app.command(rich_help_panel=_PROVE, no_args_is_help=True)
def evaluate(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="Clean recordings, with a manifest or without.")],
    artifact: JudgedOption = None,
    rates: RatesOption = None,
    split: Annotated[str | None, typer.Option("--split", help="Only this split of the manifest.")] = None,
    category: Annotated[str | None, typer.Option("--category", help="Only this category of the manifest.")] = None,
    source: Annotated[str | None, typer.Option("--source", help="Only sources whose name begins so.")] = None,
    limit: Annotated[int | None, typer.Option("--limit", min=1, help="At most so many clips, taken evenly.")] = None,
    seconds: Annotated[float, typer.Option("--seconds", min=0.0, help="Only the start of each clip; 0 for all.")] = 0.0,
    visqol: Annotated[bool, typer.Option("--visqol/--no-visqol", help="ViSQOL is the slowest measure.")] = True,
    settings: SetOption = None,
    out: Annotated[Path | None, typer.Option("--output", "-o", help="Write all figures into this JSON file.")] = None,
    picture: Annotated[
        Path | None, typer.Option("--picture", help="Draw the ten hardest clips, before, after and clean, as this PNG.")
    ] = None,
) -> None:
    """Degrade clean recordings, restore them, and print LSD, ViSQOL and SI-SDR beside plain resampling."""
    from plugin_host.cli import training as commands_train

    commands_train.evaluate(
        folder,
        artifact or [],
        rates or [8000, 12000, 16000, 24000],
        split,
        category,
        limit,
        seconds,
        visqol,
        out,
        source,
        settings or [],
        picture,
    )


@app.command(rich_help_panel=_TRAIN, no_args_is_help=True)
def train(run_file: RunFile, folder: RunsOption = Path("runs")) -> None:
    """Train a model as a run file says; run it again to go on from its last checkpoint."""
    from plugin_host.cli import training as commands_train

    commands_train.train(run_file, folder)


@app.command(rich_help_panel=_TRAIN, no_args_is_help=True)
def prove(artifact: Annotated[str, typer.Argument(help="Name or folder of a trained model.")]) -> None:
    """Renew a model's proof, after the program's sound was changed on purpose."""
    from plugin_host.cli import training as commands_train

    commands_train.prove(artifact)


@app.command(rich_help_panel=_TRAIN, no_args_is_help=True)
def export(
    run_file: RunFile,
    folder: RunsOption = Path("runs"),
    target: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="Folder that takes the artifact; by default that of the shipped ones."),
    ] = None,
    figures: Annotated[
        Path | None, typer.Option("--figures", help="File of 'highband evaluate -o' whose means go into the manifest.")
    ] = None,
) -> None:
    """Make an artifact of a trained run: weights, compiled graph, manifest and proof."""
    from plugin_host.cli import training as commands_train

    commands_train.export(run_file, folder, target, figures)


cli_check.register(app)
cli_live.register(app)
cli_control.register(app)
cli_midi.register(app)
commands_panel.register(app)


def main() -> None:
    """Run the command line."""
    # Torch's threads wait for each other on a busy machine; it reads this when it is imported.
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    app()


if __name__ == "__main__":
    main()
