"""Kill a batch on a Dask cluster of two workers, and the workers, by SIGKILL at random moments; files lie on S3.

    python -m tests.stress.cluster_kills [--files 500] [--kills 20] [--seed 1]

Scheduler, workers and the S3 server (moto) are started here. The law is that of `tests.stress.kills`: every output
exactly once, none damaged, none partial, and a journal that agrees.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

from plugin_host.render.batch.batch import journal_path
from plugin_host.render.batch.journal import Journal
from tests.stress.kills import Verdict, same_sound, start_program, write_inputs

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


class DaskCluster:
    """A scheduler and two workers; a worker that is killed is followed by another.

    Args:
        folder: Takes what they write.

    Attributes:
        address: For `--engine`.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        file = folder / "scheduler.json"
        self._words = ["--scheduler-file", str(file), "--no-dashboard"]
        self._scheduler = self._start("dask_scheduler", "--port", "0", "--host", "127.0.0.1")
        while not (file.exists() and file.stat().st_size):
            time.sleep(0.05)
        self.address = "dask://" + json.loads(file.read_text())["address"].removeprefix("tcp://")
        self._workers = [self._worker() for _ in range(2)]

    def _start(self, name: str, *words: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", f"distributed.cli.{name}", *self._words, *words]
        return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def _worker(self) -> subprocess.Popen[bytes]:
        rest = ["--nthreads", "1", "--local-directory", str(self._folder), "--memory-limit", "0", "--no-nanny"]
        return self._start("dask_worker", *rest)

    def kill_worker(self, number: int) -> None:
        """Kill one, and start another in its place."""
        self._workers[number].kill()
        self._workers[number].wait()
        self._workers[number] = self._worker()

    def close(self) -> None:
        """End all."""
        for process in (*self._workers, self._scheduler):
            process.kill()
            process.wait()


@contextmanager
def archive(folder: Path) -> Iterator[Any]:
    """Yield a client of a local S3 server with a bucket, which this process and its children find."""
    import boto3
    from moto.server import ThreadedMotoServer

    # A line a request would bury the verdict.
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    root = Path(__file__).resolve().parents[2]
    changes = {
        "AWS_ENDPOINT_URL": f"http://{host}:{port}", "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": "us-east-1", "XDG_STATE_HOME": str(folder / "state"), "PYTHONPATH": str(root),
    }  # fmt: skip
    try:
        with patch.dict(os.environ, changes):
            client = boto3.client("s3")
            client.create_bucket(Bucket="archive")
            yield client
    finally:
        server.stop()


def run(folder: Path, *, files: int, kills: int, seed: int, longest_s: float) -> Verdict:
    """Render files from S3 to S3 with kills at random moments, finish, and judge; see `tests.stress.kills.run`."""
    write_inputs(folder / "in", files, seed)
    program = folder / "command.py"
    program.write_text(_PROGRAM)
    with archive(folder) as s3:
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


def main() -> None:
    """Run the long form and print what was found; exit status 1 where the law is broken."""
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name, default in (("files", 500), ("kills", 20), ("seed", 1)):
        arguments.add_argument(f"--{name}", type=int, default=default)
    options = arguments.parse_args()
    with tempfile.TemporaryDirectory(prefix="highband-kills-") as folder:
        run(Path(folder), **vars(options), longest_s=6.0).report(options.files)


if __name__ == "__main__":
    main()
