"""Plan and note a manifest of a million files that are not rendered: what a batch costs beside its renders.

    python -m tests.stress.manifest [--files 1000000]

Prints seconds of processor and wall clock and the peak of memory; the law is 2 minutes and 300 MB for a million.
"""

from __future__ import annotations

import argparse
import resource
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from plugin_host.chain.file_program import Sound
from plugin_host.render.batch.batch import Batch, journal_path
from plugin_host.render.batch.journal import Journal
from plugin_host.render.batch.plan import Job, plan, read_list
from plugin_host.render.batch.task import Result, Task
from tests.plugin_host.stages import Delay

_A_FOLDER = 1000


@dataclass(frozen=True)
class Cost:
    """What it took: names for a person, and seconds of wall clock and processor."""

    name: str
    wall_s: float
    processor_s: float


class NoEngine:
    """Renders nothing, at once."""

    def run(
        self, tasks: Iterator[Task], begun: Callable[[Job], None], progress: Callable[[Job, float], None],
        stopped: Callable[[], bool],
    ) -> Iterator[tuple[Task, Result]]:  # fmt: skip
        """Yield a fault for each task."""
        for task in tasks:
            begun(task.job)
            yield task, Result(fault="it was not rendered")


def run(folder: Path, files: int) -> list[Cost]:
    """Plan and note so many files, and read back what was noted; raise AssertionError where one is lost."""
    folder.mkdir(parents=True, exist_ok=True)
    manifest, output = folder / "manifest.txt", folder / "out"
    with open(manifest, "w") as lines:
        for number in range(files):
            lines.write(f"/archive/shelf {number // _A_FOLDER:04d}/recording {number:07d}.wav\n")
    costs = []

    def step(name: str, act: Callable[[], int]) -> None:
        wall, processor = time.monotonic(), time.process_time()
        count = act()
        assert count == files, f"{name}: {count} of {files}"
        costs.append(Cost(name, time.monotonic() - wall, time.process_time() - processor))

    planned = plan([], output)

    def fill() -> int:
        nonlocal planned
        planned = plan(read_list(manifest), output)
        return len(planned)

    step("plan", fill)
    with Journal(journal_path(output)) as journal:
        batch = Batch(Sound(Delay, {}, "live", "", {}), journal, NoEngine())
        step("note", lambda: sum(1 for _ in batch.run(planned)))
    with Journal(journal_path(output)) as journal:
        step("read back", lambda: sum(row["state"] == "failed" for row in journal.rows()))
    return costs


def main() -> None:
    """Print the costs."""
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--files", type=int, default=1_000_000)
    options = arguments.parse_args()
    with tempfile.TemporaryDirectory(prefix="highband-manifest-") as folder:
        costs = run(Path(folder), options.files)
    for cost in costs:
        print(f"{cost.name:10} {cost.wall_s:7.1f} s, of which the processor worked {cost.processor_s:.1f} s")
    print(f"peak {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB for {options.files} files")


if __name__ == "__main__":
    main()
