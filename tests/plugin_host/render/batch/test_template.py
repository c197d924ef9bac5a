"""Laws of the process that workers are copied from: it is started before all else, and only where there are workers."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from plugin_host.cli import render
from plugin_host.render.batch import template
from plugin_host.render.batch.template import default_jobs, start_for, start_template

# What the command itself loads meanwhile.
_SLOW = {"numpy", "numba", "soundfile", "sqlite3"}


def test_a_core_is_left_to_the_person() -> None:
    assert 1 <= default_jobs() <= max(1, (os.cpu_count() or 1) - 1)


def test_a_command_can_start_it_before_what_takes_long_to_load() -> None:
    for module, slow in (("plugin_host.cli.render", _SLOW), ("plugin_host.cli.common.first_use", {*_SLOW, "typer"})):
        program = f"import sys, {module}, plugin_host.render.batch.template; print(*sys.modules)"
        done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)
        assert not slow & set(done.stdout.split())


@pytest.mark.parametrize(("jobs", "cores", "count"), [(1, 8, 0), (2, 1, 1), (None, 1, 0), (None, 3, 1)])
def test_one_process_alone_needs_none(
    monkeypatch: pytest.MonkeyPatch, jobs: int | None, cores: int, count: int
) -> None:
    started: list[int] = []
    monkeypatch.setattr(template, "default_jobs", lambda: max(1, cores - 1))
    monkeypatch.setattr(template, "worker_context", lambda: started.append(1))
    start_template(jobs)
    assert len(started) == count


@pytest.mark.parametrize(
    ("words", "count"),
    [
        ("render {} -o out --jobs 2", 1), ("render -j3 {} -o out", 1), ("render {} -o out --jobs=12", 1),
        ("render {} -o out -j 2", 1), ("render {} -o out", 0), ("render {} -o out --jobs 1", 0),
        ("render {}/in.wav -o out --jobs 2", 0), ("watch {} out --jobs 2", 0), ("render {} -o out --jobs two", 0),
        ("render {} -o out --jobs 2 --engine dask://host:1", 0), ("render {} -o out --jobs 2 --engine=dask://h:1", 0),
        ("", 0), ("--jobs", 0),
    ],
)  # fmt: skip
def test_words_that_name_a_folder_and_jobs_start_it_before_they_are_read(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, words: str, count: int
) -> None:
    started: list[int] = []
    monkeypatch.setattr(template, "worker_context", lambda: started.append(1))
    start_for(words.format(tmp_path).split())
    assert len(started) == count


@pytest.mark.skipif(sys.platform != "linux", reason="workers are copies of a process on Linux alone")
@pytest.mark.parametrize(("length", "method"), [(1, "forkserver"), (120, "spawn")])
def test_where_its_socket_has_no_place_workers_are_interpreters(tmp_path: Path, length: int, method: str) -> None:
    folder = tmp_path / (length * "x")
    folder.mkdir()
    program = "from plugin_host.render.batch.template import worker_context as c; print(c().get_start_method())"
    done = subprocess.run(
        [sys.executable, "-c", program], env={**os.environ, "TMPDIR": str(folder)}, capture_output=True, text=True,
        timeout=60, check=True,
    )  # fmt: skip
    assert (done.stdout, done.stderr) == (f"{method}\n", "")


@pytest.mark.skipif(sys.platform != "linux", reason="workers are copies of a process on Linux alone")
def test_ctrl_c_while_it_loads_is_left_to_the_command(tmp_path: Path) -> None:
    program = (
        # A shell that runs the tests in the background has it ignored.
        "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); "
        "import time; from plugin_host.render.batch.template import worker_context as c; c(); time.sleep(60)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program], stderr=subprocess.PIPE, text=True, start_new_session=True
    ) as command:
        while not _has_child(command.pid, "multiprocessing.forkserver"):
            time.sleep(0.01)
        time.sleep(0.2)
        os.killpg(command.pid, signal.SIGINT)
        assert command.stderr
        printed = command.stderr.read()
    # The command's own, which this program does not catch.
    assert printed.count("KeyboardInterrupt") == 1


def _has_child(process: int, word: str) -> bool:
    children = Path(f"/proc/{process}/task/{process}/children").read_text().split()
    return any(word in Path(f"/proc/{child}/cmdline").read_text() for child in children)


def test_a_small_file_is_not_worth_it(tmp_path: Path) -> None:
    small, large = tmp_path / "small.wav", tmp_path / "large.wav"
    small.write_bytes(b"0")
    with large.open("wb") as file:
        file.truncate(render._SMALL_BYTES)
    assert not render._may_be_many([str(small)], None)
    for inputs, listed in (
        ([str(large)], None), ([str(small), str(small)], None), ([str(tmp_path)], None),
        ([str(tmp_path / "*.wav")], None), (["s3://bucket/mixes"], None), (None, tmp_path / "list"),
    ):  # fmt: skip
        assert render._may_be_many(inputs, listed)
