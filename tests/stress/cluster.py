"""A Dask cluster of two workers and a local S3 server, which tests start where a user has them elsewhere."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch
from urllib.request import Request, urlopen


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
def archive(state: Path) -> Iterator[Any]:
    """Yield a client of a local S3 server with an empty bucket, which this process and its children find.

    Args:
        state: The folder of what programs remember.
    """
    import boto3
    from moto.server import ThreadedMotoServer

    # A line a request would bury the verdict.
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    # All servers of a process share their buckets, those of a test that ended too.
    urlopen(Request(f"http://{host}:{port}/moto-api/reset", method="POST")).close()
    root = Path(__file__).resolve().parents[2]
    changes = {
        "AWS_ENDPOINT_URL": f"http://{host}:{port}", "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": "us-east-1", "XDG_STATE_HOME": str(state), "PYTHONPATH": str(root),
    }  # fmt: skip
    try:
        with patch.dict(os.environ, changes):
            client = boto3.client("s3")
            client.create_bucket(Bucket="archive")
            yield client
    finally:
        server.stop()
