"""Laws beyond one machine: a Dask cluster and an S3 server give the same bits, and lost work is done again."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from plugin_host.chain.file_program import Sound
from plugin_host.render.batch import batch as batch_module
from plugin_host.render.batch.batch import Batch, Outcome, journal_path
from plugin_host.render.batch.cluster import Cluster, chosen_engine
from plugin_host.render.batch.journal import Journal
from plugin_host.render.batch.plan import BatchError, Plan, plan
from plugin_host.render.batch.task import Engine
from plugin_host.render.batch.workers import Inline
from tests.plugin_host.stages import Delay
from tests.stress.cluster import DaskCluster, archive


def plain() -> Sound:
    return Sound(lambda: Delay(100), {}, "live", "", {})


@pytest.fixture(scope="module")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    with archive(tmp_path_factory.mktemp("state")) as client:
        yield client


@pytest.fixture(scope="module")
def cluster(s3: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[DaskCluster]:
    dask = DaskCluster(tmp_path_factory.mktemp("dask"))
    yield dask
    dask.close()


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


def test_a_cluster_gives_the_same_bits_from_s3_to_s3(s3: Any, cluster: DaskCluster, tmp_path: Path) -> None:
    for number in range(6):
        path = write(tmp_path / "in" / f"deep/{number}.wav", number)
        s3.upload_file(str(path), "archive", f"in/deep/{number}.wav")
    here = render(Inline(plain()), str(tmp_path / "in"), str(tmp_path / "out"))
    engine = Cluster(cluster.address, plain)
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


def test_a_lost_workers_tasks_are_done_by_the_other(cluster: DaskCluster, tmp_path: Path) -> None:
    for number in range(30):
        write(tmp_path / "in" / f"{number:02d}.wav", number)
    engine = Cluster(cluster.address, plain)
    with Journal(journal_path(tmp_path / "out")) as journal:
        outcomes = Batch(plain(), journal, engine).run(plan([str(tmp_path / "in")], tmp_path / "out"))
        done = [next(outcomes)]
        cluster.kill_worker(0)
        done += list(outcomes)
        states = [row["state"] for row in journal.rows()]
    engine.close()
    assert [outcome.fault for outcome in done] == [""] * 30
    assert states == ["done"] * 30
    # What the killed worker had begun may be left under a hidden name, and nothing else is.
    names = sorted(path.name for path in (tmp_path / "out").glob("*.wav") if not path.name.startswith("."))
    assert names == [f"{number:02d}.wav" for number in range(30)]


def test_workers_find_what_is_named_from_this_folder(
    cluster: DaskCluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path / "in/a.wav", 1)
    monkeypatch.chdir(tmp_path)
    engine = Cluster(cluster.address, plain)
    try:
        assert [outcome.fault for outcome in render(engine, "in", "out")] == [""]
    finally:
        engine.close()
    assert (tmp_path / "out/a.wav").exists()


def test_a_cluster_without_workers_is_one_sentence(
    cluster: DaskCluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("plugin_host.render.batch.cluster._WORKERS_S", 0.3)
    engine = Cluster(cluster.address, plain)
    monkeypatch.setattr(engine._client, "nthreads", dict)
    try:
        with pytest.raises(BatchError, match="has no worker; start one"):
            render(engine, str(write(tmp_path / "in/a.wav", 1).parent), str(tmp_path / "out"))
    finally:
        engine.close()


@pytest.mark.parametrize(
    ("address", "words"), [("ray://x", "is no engine"), ("dask://127.0.0.1:9", "no Dask scheduler")]
)
def test_an_engine_that_is_not_there_is_one_sentence(address: str, words: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("plugin_host.render.batch.cluster._CONNECT_S", 0.3)
    with pytest.raises(BatchError, match=words):
        chosen_engine(address, plain(), plain, None, Plan())
