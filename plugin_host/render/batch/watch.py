"""A folder that is watched: what appears in it is rendered as soon as it is complete."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

from plugin_host.render.batch.batch import Batch, Outcome
from plugin_host.render.batch.plan import BatchError, Job, Plan, expand, target_of
from plugin_host.render.batch.storage import trace_of
from plugin_host.render.stopped import RenderStopped, Stopped

_NAP_S = 0.1


def watch(
    folder: Path,
    output: Path,
    batch: Batch,
    *,
    settle_s: float,
    stopped: Stopped,
    suffix: str | None = None,
    begun: Callable[[Job], None] = lambda job: None,
    progress: Callable[[Job, float], None] = lambda job, share: None,
) -> Iterator[Outcome]:
    """Yield what becomes of each file that appears in a folder or changes there, until `stopped` says so.

    A file counts as complete when two looks find it with the same size and time. What was rendered before is known
    by the journal, also after a restart; what can't be rendered is tried again when it changes.

    Args:
        folder: With all below it.
        output: Takes the outputs, with the same folders below it.
        batch: Renders.
        settle_s: From one look to the next.
        stopped: Ends the watch; a render in hand is given up.
        suffix: ".wav" or ".flac" for all outputs.
        begun: Called when a file's turn has come.
        progress: Called with the share of a file that is done, 0..1.
    """
    settled: dict[str, tuple[int, int]] = {}
    seen: dict[str, tuple[int, int]] = {}
    while not stopped():
        planned, faults = _look(folder, output, suffix, seen, settled)
        yield from faults
        if len(planned):
            try:
                yield from batch.run(planned, begun=begun, progress=progress, stopped=stopped)
            except RenderStopped:
                return
        until = time.monotonic() + settle_s
        while not stopped() and time.monotonic() < until:
            time.sleep(min(_NAP_S, settle_s))


def _look(
    folder: Path, output: Path, suffix: str | None, seen: dict[str, tuple[int, int]],
    settled: dict[str, tuple[int, int]],
) -> tuple[Plan, list[Outcome]]:  # fmt: skip
    """Return the files that are complete and not settled, and those that can't have an output of their own."""
    planned, faults = Plan(), []
    for source, relative in expand(str(folder), output):
        trace = trace_of(source)
        if trace is None or settled.get(source) == trace:
            continue
        if seen.get(source) != trace:
            seen[source] = trace
            continue
        settled[source] = trace
        del seen[source]
        target = target_of(relative, output, suffix)
        try:
            planned.add(source, target)
        except BatchError as error:
            faults.append(Outcome(Job(source, target), fault=str(error)))
    return planned, faults
