"""The command that holds a stage, an artifact or a preset to the stage kit."""

from __future__ import annotations

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from models.predictor.runtime import Runtime
from plugin_host.checks.suite import Report, levels, run
from plugin_host.checks.target import find_subject
from plugin_host.cli.errors import WORK_FAILED, WRONG_USAGE, refusing


def check(name: str, level: int | None, seed: int, minutes: float, runtime: Runtime, artifact: str | None) -> None:
    """Run the levels and print them; see the help of `highband check`."""
    import torch

    torch.set_num_threads(1)
    with refusing(WRONG_USAGE, ValueError):
        wanted = levels(level)
        subject = find_subject(name, runtime, artifact)
    console = Console(highlight=False)
    reports: list[Report] = []
    with console.status("") as status:
        for one in wanted:
            status.update(f"level {one.number}: {one.title}")
            reports.append(run(one, subject, seed, minutes))
    console.print(_table(reports))
    faults = [(report, verdict) for report in reports for verdict in report.faults]
    for report, verdict in faults:
        console.print(f"level {report.level.number}: {escape(verdict.law)}: {escape(verdict.fault)}", soft_wrap=True)
    if faults:
        raise typer.Exit(WORK_FAILED)


def _table(reports: list[Report]) -> Table:
    table = Table("", "level", "", "laws", "figures")
    for report in reports:
        sign = "[red]fails[/]" if report.faults else "[green]holds[/]"
        kept = f"{len(report.verdicts) - len(report.faults)} of {len(report.verdicts)}"
        # Of the many figures those of levels whose purpose is to tell them.
        figures = "\n".join(report.notes) if report.level.number in (1, 9, 10) else ""
        table.add_row(str(report.level.number), report.level.title, sign, kept, escape(figures))
    return table
