"""Kill a batch on a Dask cluster of two workers, and the workers, by SIGKILL at random moments; files lie on S3.

    python -m tests.stress.cluster_kills [--files 500] [--kills 20] [--seed 1]

Scheduler, workers and the S3 server (moto) are started here. The law is that of `tests.stress.kills`: every output
exactly once, none damaged, none partial, and a journal that agrees.
"""

from __future__ import annotations

import random
import time
from pathlib import Path
from typing import Any

from plugin_host.render.batch.batch import journal_path
from plugin_host.render.batch.journal import Journal
from tests.stress.cluster import DaskCluster, archive
from tests.stress.kills import Verdict, main, same_sound, start_program, write_inputs

_PROGRAM = """
import sys
from plugin_host.render.batch.batch import Batch, journal_path
from plugin_host.render.batch.cluster import Cluster
from plugin_host.render.batch.journal import Journal
from plugin_host.render.batch.plan import plan
from tests.stress.kills import sound

if __name__ == "__main__":
    engine = Cluster(sys.argv[1], sound)
    with Journal(journal_path("s3://archive/out")) as journal:
        for outcome in Batch(sound(), journal, engine).run(plan(["s3://archive/in"], "s3://archive/out")):
            if outcome.fault:
                print(outcome.fault)
    engine.close()
"""


def run(folder: Path, *, files: int, kills: int, seed: int, longest_s: float = 6.0) -> Verdict:
    """Render files from S3 to S3 with kills at random moments, finish, and judge; see `tests.stress.kills.run`."""
    write_inputs(folder / "in", files, seed)
    program = folder / "command.py"
    program.write_text(_PROGRAM)
    with archive(folder / "state") as s3:
        for path in (folder / "in").rglob("*.wav"):
            s3.upload_file(str(path), "archive", str(path.relative_to(folder)))
        cluster = DaskCluster(folder)
        try:
            counts = _disturb(program, cluster, random.Random(seed), kills, longest_s)
            printed = start_program(program, cluster.address).communicate()[0]
        finally:
            cluster.close()
        return _judge(s3, folder, counts, printed)


def _disturb(program: Path, cluster: DaskCluster, chance: random.Random, kills: int, longest_s: float) -> list[int]:
    """Kill the command and workers in turn, so often, and return how often each."""
    counts = [0, 0]
    running = start_program(program, cluster.address)
    while sum(counts) < kills:
        time.sleep(chance.uniform(0.3, longest_s))
        is_worker = sum(counts) % 2
        counts[is_worker] += 1
        if is_worker:
            cluster.kill_worker(chance.randrange(2))
        else:
            running.kill()
            running.communicate()
            running = start_program(program, cluster.address)
    running.kill()
    running.communicate()
    return counts


def _judge(s3: Any, folder: Path, counts: list[int], printed: str) -> Verdict:
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket="archive", Prefix="out/")
    found = {one["Key"].removeprefix("out/") for page in pages for one in page.get("Contents", [])}
    missing, damaged, place = [], [], folder / "fetched.wav"
    inputs = {str(path.relative_to(folder / "in")): path for path in (folder / "in").rglob("*.wav")}
    for name, path in sorted(inputs.items()):
        if name not in found:
            missing.append(name)
            continue
        s3.download_file("archive", f"out/{name}", str(place))
        if not same_sound(place, path):
            damaged.append(name)
    with Journal(journal_path("s3://archive/out")) as journal:
        done = sum(row["state"] == "done" for row in journal.rows())
    return Verdict((counts[0], counts[1]), missing, damaged, sorted(found - inputs.keys()), done, printed)


if __name__ == "__main__":
    main(run, __doc__)
