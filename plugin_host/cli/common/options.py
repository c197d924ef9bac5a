"""Options that several commands share, and the sections of the help in which commands stand."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from plugin_host.cli.common import completion

RENDER, SHOW, PROVE, TRAIN = "Render", "Look around", "Prove", "Train"
LIVE, CONTROL, DAW = "Play live", "Control a running host", "Play in a DAW"

EXAMPLES = """
**Examples**

    highband render vocal.wav -o vocal-bright.wav

    highband render stems/ -o bright/ --preset dull-vocal --picture

    highband render 'tapes/**/*.flac' -o out/ --set amount=-3dB --set tone=40 --bits 24

    highband render call.mp3 -o call.wav --set crossover=3.4kHz --artifact live
"""

PresetOption = Annotated[
    str | None,
    typer.Option(
        "--preset", "-p", help="Preset by name, or the path of a .json file; see highband presets.",
        autocompletion=completion.presets,
    ),
]  # fmt: skip
SetOption = Annotated[
    list[str] | None,
    typer.Option(
        "--set", "-s", metavar="KNOB=VALUE", help="A knob, over the preset's value; see highband knobs.",
        autocompletion=completion.assignments,
    ),
]  # fmt: skip
ArtifactOption = Annotated[
    str | None,
    typer.Option(
        "--artifact", "-a", help="Trained model by name or folder; by default the preset's, else the best.",
        autocompletion=completion.artifacts,
    ),
]  # fmt: skip
AddressOption = Annotated[
    str,
    typer.Option(
        "--address",
        envvar="HIGHBAND_ADDRESS",
        metavar="tcp://HOST:PORT|NAME",
        help="Where the host listens, or a plug-in in a DAW by its name or its track's; see highband plugin status.",
    ),
]
KeysOption = Annotated[
    Path | None,
    typer.Option("--keys", envvar="HIGHBAND_KEYS", metavar="FILE", help="highband-client.key, for another machine."),
]
JsonFlag = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]
