from __future__ import annotations

import fcntl
import json
import os
import pty
import signal
import subprocess
import termios
import time
from contextlib import chdir
from pathlib import Path

import numpy as np
import pytest
import soundfile
from typer.testing import CliRunner

from models.artifact.manifest import FOLDER
from models.stage import Block
from plugin_host.cli.app import app
from plugin_host.settings.automation import read_automation
from tests.plugin_host.session.live_program import PRODUCT, PROGRAM, environment, running


@pytest.fixture(scope="session")
def artifact() -> Path:
    """The shipped live extender."""
    return FOLDER / "live"


def live(folder: Path, *words: str, program: list[str] = PROGRAM) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*program, "live", "--control", "off", *words],
        cwd=folder,
        env=environment(folder),
        capture_output=True,
        text=True,
        timeout=120,
    )


def noise(path: Path, channels: int, count: int) -> Block:
    samples = (0.2 * np.random.default_rng(3).standard_normal((channels, count))).astype(np.float32)
    soundfile.write(path, samples.T, 48000, "FLOAT")
    return samples


@pytest.mark.parametrize("words", [["--fast"], []])
def test_a_file_comes_out_later_by_the_latency_and_whole(tmp_path: Path, words: list[str]) -> None:
    samples = noise(tmp_path / "in.wav", 2, 30000)
    done = live(tmp_path, "--device", "file:in.wav,out.wav", "--block", "256", *words)
    assert done.returncode == 0, done.stderr
    assert "latency 50 samples" in done.stdout
    output = soundfile.read(tmp_path / "out.wav", dtype="float32")[0].T
    assert output.shape == (2, 30050)
    assert not output[:, :50].any()
    assert np.array_equal(output[:, 50:], samples)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_ends_cleanly_when_asked(tmp_path: Path, number: signal.Signals) -> None:
    noise(tmp_path / "in.wav", 1, 48000 * 120)
    command = [
        *PROGRAM,
        "live",
        "--control",
        "off",
        "--device",
        "file:in.wav,out.wav",
        "--record",
        "takes",
        "--automation-out",
        "moves",
    ]
    with running(command, tmp_path) as program:
        assert program.stdout is not None
        assert "playing on file" in program.stdout.readline()
        time.sleep(0.5)
        program.send_signal(number)
        messages = program.communicate(timeout=30)[0]
        assert program.returncode == 0, messages
    output = soundfile.read(tmp_path / "out.wav", dtype="float32")[0]
    wet = soundfile.read(next((tmp_path / "takes").glob("wet-*.wav")), dtype="float32")[0]
    assert 0 < len(output) < 48000 * 60
    assert np.array_equal(wet, output)
    assert read_automation(tmp_path / "moves").at(0)["amount"] == 0.0
    assert not list(tmp_path.glob(".*.partial"))


def _with_a_terminal() -> None:
    """Take standard input for the terminal, and its end as a signal, whoever runs the tests."""
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


def test_a_closed_terminal_ends_it_with_the_takes_in_place(tmp_path: Path) -> None:
    terminal, end = pty.openpty()
    command = [*PROGRAM, "live", "--control", "off", "--device", "null", "--record", "takes"]
    with subprocess.Popen(
        command, cwd=tmp_path, env=environment(tmp_path), stdin=end, stdout=end, stderr=end,
        start_new_session=True, preexec_fn=_with_a_terminal,
    ) as program:  # fmt: skip
        os.close(end)
        output = b""
        while b"playing on null" not in output:
            output += os.read(terminal, 1 << 12)
        time.sleep(0.5)
        os.close(terminal)
        try:
            assert program.wait(30) in (0, 120)
        finally:
            program.kill()
    frames = [soundfile.info(path).frames for path in (tmp_path / "takes").iterdir()]
    assert len(frames) == 2
    assert frames[0] == frames[1] > 0


def test_a_full_disk_ends_the_recording_and_not_the_sound(tmp_path: Path) -> None:
    words = ["--device", "null", "--record", "takes", "--seconds", "0.8"]
    done = subprocess.run(
        ["bash", "-c", 'ulimit -f 100; exec "$@"', "bash", *PROGRAM, "live", "--control", "off", *words],
        cwd=tmp_path, env=environment(tmp_path), capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert "the recording has ended, the sound goes on: the disk is full" in done.stderr
    assert "played" in done.stdout or "disk is full" in done.stderr.splitlines()[-1]
    frames = [soundfile.info(path).frames for path in (tmp_path / "takes").iterdir()]
    assert len(frames) == 2
    assert frames[0] == frames[1] > 4800


def test_a_session_is_kept_and_resumed(tmp_path: Path) -> None:
    # Without a sound card and without JACK nothing can play, but what was kept before stays.
    state = tmp_path / "highband/last-session.json"
    state.parent.mkdir()
    state.write_text(json.dumps({"settings": {"amount": -7.5, "no such knob": 1.0}}))
    done = live(tmp_path, "--device", "null", "--seconds", "0.1", "--fast", "--resume", "--automation-out", "moves")
    assert done.returncode == 0, done.stderr
    assert read_automation(tmp_path / "moves").at(10**6)["amount"] == -7.5


@pytest.mark.parametrize(
    ("words", "messages"),
    [
        (["--device", "file:in.wav"], "is no device"),
        (["--device", "file:gone.wav,out.wav"], "can't be read"),
        (["--device", "null", "--set", "brightness=3"], "there is no knob 'brightness'"),
        (["--device", "null", "--set", "amount"], "is not of the form knob=value"),
        (["--device", "null", "--preset", "nonsense"], "there is no preset 'nonsense'"),
        (["--device", "null", "--resume"], "can't be read"),
        (["--fast"], "--fast is for"),
        (["--input", "nonsense"], "there is no input device nonsense"),
        (["--device", "jack"], "JACK"),
    ],
)
def test_wrong_usage_is_one_sentence_and_status_2(
    tmp_path: Path, words: list[str], messages: str, capfd: pytest.CaptureFixture[str]
) -> None:
    own = environment(tmp_path, JACK_DEFAULT_SERVER="highband-none", JACK_NO_START_SERVER="1", COLUMNS="200")
    with chdir(tmp_path):
        done = CliRunner(env=own).invoke(app, ["live", "--control", "off", *words], prog_name="highband")
    assert done.exit_code == 2, done.stderr
    assert done.stderr.count("\n") == 1
    assert messages in done.stderr
    # Libraries write past Python.
    assert capfd.readouterr() == ("", "")


def test_a_file_above_the_rates_of_the_chain_is_played_at_half_of_its_rate(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "in.wav", np.zeros((2000, 1)), 192000)
    done = live(tmp_path, "--device", "file:in.wav,out.wav", "--fast")
    assert done.returncode == 0, done.stderr
    info = soundfile.info(tmp_path / "out.wav")
    assert (info.samplerate, info.frames) == (96000, 1000 + 50)


def test_the_whole_product_plays_the_same_samples_as_the_chain_itself(tmp_path: Path, artifact: Path) -> None:
    from plugin_host.chain.program import build

    samples = noise(tmp_path / "in.wav", 2, 24000)
    words = ["--device", "file:in.wav,out.wav", "--fast", "--block", "128", "--preset", "podcast-brightener"]
    done = live(tmp_path, *words, "--artifact", str(artifact), "--automation-out", "moves", program=PRODUCT)
    assert done.returncode == 0, done.stderr
    output = soundfile.read(tmp_path / "out.wav", dtype="float32")[0].T
    chain = build("podcast-brightener", str(artifact)).chain
    chain.prepare(48000, 2, 128)
    moves, position, played = read_automation(tmp_path / "moves"), 0, []
    fed = np.pad(samples, ((0, 0), (0, chain.latency_samples)))
    for start in range(0, fed.shape[1], 128):
        for count, values in moves.stretches(start, min(128, fed.shape[1] - start)):
            played.append(chain.process(fed[:, position : position + count], values))
            position += count
    assert np.abs(np.concatenate(played, axis=1) - output).max() < 1e-6


def test_the_bench_recommends_a_block(tmp_path: Path) -> None:
    done = subprocess.run(
        [*PROGRAM, "bench", "live", "--blocks", "256,512", "--seconds", "0.3", "--no-loop"],
        cwd=tmp_path, env=environment(tmp_path), capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "leaves room" in done.stdout
    assert "wire" in done.stdout


def test_the_doctor_always_has_a_proposal(tmp_path: Path) -> None:
    done = subprocess.run(
        [*PRODUCT, "doctor"], cwd=tmp_path, env=environment(tmp_path), capture_output=True, text=True, timeout=60,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "highband live" in done.stdout
    assert not done.stderr
