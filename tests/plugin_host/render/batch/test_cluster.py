"""Laws beyond one machine: a Dask cluster and an S3 server give the same bits, and lost work is done again."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import numpy as np
import pytest
import soundfile
from moto.server import ThreadedMotoServer

from plugin_host.chain.file_program import Sound
from plugin_host.render.batch import batch as batch_module
from plugin_host.render.batch.batch import Batch, Outcome, journal_path
from plugin_host.render.batch.cluster import Cluster, chosen_engine
from plugin_host.render.batch.journal import Journal
from plugin_host.render.batch.plan import BatchError, plan
from plugin_host.render.batch.task import Engine
from plugin_host.render.batch.workers import Inline
from tests.plugin_host.stages import Delay

ROOT = Path(__file__).resolve().parents[4]


def plain() -> Sound:
    return Sound(Delay(100), {}, "live", "", {})


def start(*words: str) -> subprocess.Popen[bytes]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "distributed.cli." + words[0], *words[1:]]
    return subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


@pytest.fixture(scope="module")
def s3() -> Iterator[Any]:
    """A local S3 server with a bucket, which fsspec finds by the environment."""
    server = ThreadedMotoServer(port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    changes = {
        "AWS_ENDPOINT_URL": f"http://{host}:{port}", "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": "us-east-1",
    }  # fmt: skip
    kept = dict(os.environ)
    os.environ.update(changes)
    client = boto3.client("s3")
    client.create_bucket(Bucket="archive")
    yield client
    server.stop()
    os.environ.clear()
    os.environ.update(kept)


@pytest.fixture(scope="module")
def cluster(s3: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, list[subprocess.Popen[bytes]]]]:
    """A scheduler with two workers that are started anew where they die."""
    folder = tmp_path_factory.mktemp("dask")
    file = folder / "scheduler.json"
    shared = ["--scheduler-file", str(file), "--no-dashboard"]
    scheduler = start("dask_scheduler", *shared, "--port", "0", "--host", "127.0.0.1")
    for _ in range(600):
        if file.exists() and file.stat().st_size:
            break
        time.sleep(0.05)
    words = [*shared, "--nthreads", "1", "--local-directory", str(folder), "--memory-limit", "0"]
    workers = [start("dask_worker", *words, "--no-nanny") for _ in range(2)]
    address = json.loads(file.read_text())["address"].removeprefix("tcp://")
    yield f"dask://{address}", workers
    for process in (*workers, scheduler):
        process.kill()
        process.wait()


@pytest.fixture(autouse=True)
def _state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batch_module, "user_state_path", lambda name: tmp_path / "state")


def write(path: Path, number: int) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, np.random.default_rng(number).uniform(-0.5, 0.5, 1000 + number), 48000)
    return path


def render(engine: Engine, inputs: str, output: str) -> list[Outcome]:
    with Journal(journal_path(output)) as journal:
        outcomes = Batch(plain(), journal, engine).run(plan([inputs], output))
        return sorted(outcomes, key=lambda outcome: outcome.job.source)


def objects(s3: Any, prefix: str) -> dict[str, bytes]:
    listed = s3.list_objects_v2(Bucket="archive", Prefix=prefix).get("Contents", [])
    return {one["Key"]: s3.get_object(Bucket="archive", Key=one["Key"])["Body"].read() for one in listed}


def test_a_cluster_gives_the_same_bits_from_s3_to_s3(s3: Any, cluster: Any, tmp_path: Path) -> None:
    for number in range(6):
        path = write(tmp_path / "in" / f"deep/{number}.wav", number)
        s3.upload_file(str(path), "archive", f"in/deep/{number}.wav")
    here = render(Inline(plain()), str(tmp_path / "in"), str(tmp_path / "out"))
    engine = Cluster(cluster[0], plain)
    try:
        there = render(engine, "s3://archive/in", "s3://archive/out")
        again = render(engine, "s3://archive/in", "s3://archive/out")
    finally:
        engine.close()
    assert [outcome.fault for outcome in here + there + again] == [""] * 18
    assert all(outcome.rendering is None for outcome in again)
    local = {f"out/deep/{path.name}": path.read_bytes() for path in (tmp_path / "out/deep").iterdir()}
    assert objects(s3, "out") == local


def test_an_output_that_was_put_there_before_it_was_noted_is_rendered_again(s3: Any, tmp_path: Path) -> None:
    s3.upload_file(str(write(tmp_path / "a.wav", 1)), "archive", "kill/in/a.wav")

    class Killed(Inline):
        def run(self, *arguments: Any) -> Iterator[Any]:
            list(super().run(*arguments))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        render(Killed(plain()), "s3://archive/kill/in", "s3://archive/kill/out")
    assert list(objects(s3, "kill/out")) == ["kill/out/a.wav"]
    (outcome,) = render(Inline(plain()), "s3://archive/kill/in", "s3://archive/kill/out")
    assert (outcome.fault, outcome.rendering is None) == ("", False)


def test_another_ones_object_is_left_alone_and_a_missing_one_is_named(s3: Any, tmp_path: Path) -> None:
    s3.upload_file(str(write(tmp_path / "a.wav", 1)), "archive", "other/in/a.wav")
    s3.put_object(Bucket="archive", Key="other/out/a.wav", Body=b"theirs")
    (outcome,) = render(Inline(plain()), "s3://archive/other/in", "s3://archive/other/out")
    assert "pass --overwrite" in outcome.fault
    assert objects(s3, "other/out") == {"other/out/a.wav": b"theirs"}
    (outcome,) = render(Inline(plain()), "s3://archive/other/in/gone.wav", str(tmp_path / "out"))
    assert "s3://archive/other/in/gone.wav" in outcome.fault


def test_a_lost_workers_tasks_are_done_by_the_other(cluster: Any, tmp_path: Path) -> None:
    for number in range(30):
        write(tmp_path / "in" / f"{number:02d}.wav", number)
    address, workers = cluster
    engine = Cluster(address, plain)
    with Journal(journal_path(tmp_path / "out")) as journal:
        outcomes = Batch(plain(), journal, engine).run(plan([str(tmp_path / "in")], tmp_path / "out"))
        done = [next(outcomes)]
        workers[0].send_signal(signal.SIGKILL)
        done += list(outcomes)
        states = [row["state"] for row in journal.rows()]
    engine.close()
    assert [outcome.fault for outcome in done] == [""] * 30
    assert states == ["done"] * 30
    # What the killed worker had begun may be left under a hidden name, and nothing else is.
    names = sorted(path.name for path in (tmp_path / "out").glob("*.wav") if not path.name.startswith("."))
    assert names == [f"{number:02d}.wav" for number in range(30)]


@pytest.mark.parametrize(
    ("address", "words"), [("ray://x", "is no engine"), ("dask://127.0.0.1:9", "no Dask scheduler")]
)
def test_an_engine_that_is_not_there_is_one_sentence(address: str, words: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("plugin_host.render.batch.cluster._CONNECT_S", 0.3)
    with pytest.raises(BatchError, match=words):
        chosen_engine(address, plain(), plain, None, 3)
