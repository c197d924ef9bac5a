from __future__ import annotations

import fcntl
import os
import resource
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
import soundfile

from plugin_host.files.audio_reader import AudioFileError
from plugin_host.session.take import Take, recover_takes
from tests.plugin_host.session.live_program import ROOT

BLOCK = np.random.default_rng(0).standard_normal((2, 1000)).astype(np.float32)


@contextmanager
def largest_file(size: int) -> Iterator[None]:
    """Stand for a disk that is full after so many bytes of a file."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_full_disk_keeps_what_was_written_and_says_so(tmp_path: Path) -> None:
    take = Take(tmp_path, 48000, 2)
    for _ in range(5):
        take.write(BLOCK, -BLOCK)
    # A part of the next block of 8,000 bytes fits.
    with largest_file(45_000), pytest.raises(AudioFileError, match=r"disk is full: .*dry-.* hold 0\.1 s") as refusal:
        take.write(BLOCK, -BLOCK)
    assert "free disk space" in str(refusal.value)
    for path, sign in zip(take.paths, (1, -1), strict=True):
        assert np.array_equal(soundfile.read(path, dtype="float32")[0].T, np.tile(sign * BLOCK, 5))
    assert sorted(os.listdir(tmp_path)) == sorted(path.name for path in take.paths)


def test_a_disk_that_is_full_from_the_start_leaves_nothing(tmp_path: Path) -> None:
    with largest_file(10), pytest.raises(AudioFileError, match="full"):
        Take(tmp_path, 48000, 2).write(BLOCK, BLOCK)
    assert os.listdir(tmp_path) == []


def test_takes_of_one_second_have_names_of_their_own(tmp_path: Path) -> None:
    def record(number: int) -> Take:
        take = Take(tmp_path, 48000, 2)
        take.write(number * BLOCK, -number * BLOCK)
        take.close()
        return take

    with ThreadPoolExecutor(8) as pool:
        takes = list(pool.map(record, range(1, 17)))
    for number, take in enumerate(takes, 1):
        dry, wet = (soundfile.read(path, dtype="float32")[0].T for path in take.paths)
        assert np.array_equal(dry, number * BLOCK)
        assert np.array_equal(wet, -dry)
        assert take.paths[0].name.removeprefix("dry") == take.paths[1].name.removeprefix("wet")


def test_a_take_of_a_killed_host_is_found_at_the_next_start(tmp_path: Path) -> None:
    program = (
        "import pathlib, sys, time, numpy\n"
        "from plugin_host.session.take import Take\n"
        "take = Take(pathlib.Path(sys.argv[1]), 48000, 2)\n"
        "take.write(numpy.ones((2, 24000), 'f'), -numpy.ones((2, 24000), 'f'))\n"
        "print('written', flush=True)\n"
        "time.sleep(60)\n"
    )
    command = [sys.executable, "-c", program, str(tmp_path)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as host:
        assert host.stdout is not None
        assert host.stdout.readline() == "written\n"
        assert recover_takes(tmp_path) == []
        host.send_signal(signal.SIGKILL)
    sentences = [one.text for one in recover_takes(tmp_path)]
    assert [sentence.split("is kept: ")[1].split(" holds ")[1] for sentence in sentences] == ["0.5 s", "0.5 s"]
    dry, wet = (soundfile.read(next(tmp_path.glob(f"{kind}-*.wav")))[0] for kind in ("dry", "wet"))
    assert (dry == 1.0).all()
    assert np.array_equal(wet, -dry)
    assert len(dry) == 24000
    assert len(os.listdir(tmp_path)) == 2
    assert recover_takes(tmp_path) == []


def test_a_found_take_takes_no_other_files_name(tmp_path: Path) -> None:
    take = Take(tmp_path, 48000, 2)
    take.write(BLOCK, BLOCK)
    for file in take._files:
        fcntl.flock(file._lock, fcntl.LOCK_UN)
    take.paths[0].write_text("of the person")
    recover_takes(tmp_path)
    assert take.paths[0].read_text() == "of the person"
    assert soundfile.info(take.paths[0].with_stem(f"{take.paths[0].stem}-2")).frames == 1000


def test_what_never_began_leaves_nothing(tmp_path: Path) -> None:
    Take(tmp_path, 48000, 2).close()
    assert os.listdir(tmp_path) == []
