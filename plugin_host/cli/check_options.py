"""The options and help texts of the commands that try what can go wrong; imports nothing heavy."""

from __future__ import annotations

from typing import Annotated

import typer

from models.predictor.runtime import LIVE, Runtime

_PROVE = "Prove"

SubjectArgument = Annotated[
    str,
    typer.Argument(metavar="STAGE|PRESET", help="An artifact, a preset (name or path), or module:Class, importable."),
]
SeedOption = Annotated[int, typer.Option("--seed", min=0, help="Of everything that is random in it.")]


def register(app: typer.Typer) -> None:
    """Add the commands to the command line."""
    app.command("check", rich_help_panel=_PROVE, no_args_is_help=True)(check)


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
    from plugin_host.cli import checks as commands_check

    commands_check.check(name, level, seed, minutes, runtime, artifact)
