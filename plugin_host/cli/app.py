"""The command line: its groups of commands. Nothing heavy is imported before a command runs, so help comes at once."""

from __future__ import annotations

from typing import Annotated

import typer

from plugin_host.cli import bench, check, control, inspect, lists, live, midi, panel, plugin, render, training
from plugin_host.cli.common.options import EXAMPLES

app = typer.Typer(
    name="highband",
    help="Put the missing top octaves back: bandwidth extension for dull recordings, as knobs and one command.\n\n"
    "A trained model finds where a recording's band ends and generates the rest above it; what was there stays "
    "untouched. Every command explains itself: highband COMMAND --help.",
    epilog=EXAMPLES,
    no_args_is_help=True,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _print_version(is_requested: bool) -> None:
    if is_requested:
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


# A group without a name of its own adds its commands to these.
for group in (render, inspect, lists, check, training, live, bench, control, panel, midi, plugin):
    app.add_typer(group.app)
