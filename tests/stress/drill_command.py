"""The command that runs the fault drill."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from plugin_host.cli.common.errors import WORK_FAILED
from tests.stress.drill import QUICK, TRIALS, Outcome, Plan


def drill(seed: int, quick: bool, preset: str, artifact: str | None) -> None:
    """Run every trial and print what came of it; see the help of `python -m tests.stress drill`."""
    sizes: dict[str, Any] = QUICK if quick else {}
    plan = replace(Plan(seed=seed, preset=preset, artifact=artifact), **sizes)
    console = Console(highlight=False)
    table = Table("trial", "", "what was done", "time")
    outcomes: list[Outcome] = []
    for trial in TRIALS:
        began = time.monotonic()
        with console.status((trial.__doc__ or "").partition("\n")[0]):
            outcome = _tried(trial, plan)
        outcomes.append(outcome)
        sign = "[red]fails[/]" if outcome.faults else "[green]holds[/]"
        table.add_row(outcome.trial, sign, escape(outcome.done), f"{time.monotonic() - began:.0f} s")
    console.print(table)
    for outcome in outcomes:
        for fault in outcome.faults:
            console.print(f"{outcome.trial}: {escape(fault)}", soft_wrap=True)
    if any(outcome.faults for outcome in outcomes):
        raise typer.Exit(WORK_FAILED)


def _tried(trial: Any, plan: Plan) -> Outcome:
    try:
        outcome: Outcome = trial(plan)
    except Exception as error:  # Whatever ends a trial is what it was for to find.
        return Outcome(str(trial.__name__), "broke off", [f"{type(error).__name__}: {' '.join(str(error).split())}"])
    return outcome
