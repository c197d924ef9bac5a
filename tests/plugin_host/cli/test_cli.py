"""Laws of the command line: its statuses, its sentences, its Ctrl-C."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from contextlib import chdir
from pathlib import Path

import numpy as np
import pytest
import soundfile
from typer.testing import CliRunner, Result

from models.extender import controls as knobs
from plugin_host.chain.file_program import read_assignment
from plugin_host.cli.app import app
from plugin_host.render.batch.journal import JOURNAL_NAME
from tests.plugin_host.session.live_program import wait_for

ROOT = Path(__file__).resolve().parents[3]
PROGRAM = [sys.executable, str(Path(__file__).with_name("highband_with_a_delay.py"))]


def environment(**changes: str) -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "200", "TERM": "dumb", **changes}


def highband(folder: Path, *words: str) -> Result:
    """Run a command in this process; only what is about the process itself starts one."""
    with chdir(folder):
        return CliRunner(env={"COLUMNS": "200", "TERM": "dumb"}).invoke(app, words, prog_name="highband")


def write(path: Path, seconds: float = 0.1) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    samples = np.random.default_rng(2).uniform(-0.5, 0.5, round(48000 * seconds))
    soundfile.write(path, samples, 48000)
    return path


def test_help_is_a_manual_page_with_every_command(tmp_path: Path) -> None:
    shown = subprocess.run([*PROGRAM, "--help"], env=environment(), capture_output=True, text=True, check=True).stdout
    commands = ("render", "demo", "presets", "artifacts", "knobs", "verify", "evaluate", "train", "export")
    assert all(word in shown for word in (*commands, "Examples"))


def test_version_is_that_of_the_package(tmp_path: Path) -> None:
    assert highband(tmp_path, "--version").stdout.startswith("highband ")


def test_lists(tmp_path: Path) -> None:
    listed = highband(tmp_path, "knobs").stdout
    assert all(control.id in listed for control in knobs.CONTROLS)
    assert "No latency" in highband(tmp_path, "artifacts").stdout
    assert "phone-guest" in highband(tmp_path, "presets").stdout
    assert "crossover" in highband(tmp_path, "presets", "phone-guest").stdout


def test_a_batch_renders_draws_and_is_not_done_twice(tmp_path: Path) -> None:
    write(tmp_path / "in/a.wav")
    write(tmp_path / "in/b/c.flac")
    done = highband(tmp_path, "render", "in", "-o", "out", "--picture")
    assert (done.exit_code, done.stderr) == (0, "")
    made = sorted(path.relative_to(tmp_path / "out").as_posix() for path in (tmp_path / "out").rglob("*.*"))
    assert [name for name in made if not name.endswith(JOURNAL_NAME)] == [
        "a.spectrogram.png", "a.wav", "b/c.flac", "b/c.spectrogram.png",
    ]  # fmt: skip
    assert "0 rendered, 2 done before" in highband(tmp_path, "render", "in", "-o", "out").stdout
    assert highband(tmp_path, "render", "in", "-o", "out", "-q").stdout == ""


def test_what_failed_is_named_at_the_end_and_the_rest_is_done(tmp_path: Path) -> None:
    write(tmp_path / "a.wav")
    write(tmp_path / "c.wav")
    (tmp_path / "b.wav").write_text("text")
    done = highband(tmp_path, "render", "b.wav", "gone.wav", "a.wav", "c.wav", "none/*.wav", "-o", "out")
    assert done.exit_code == 1
    assert "2 rendered, 3 failed: " in done.stdout
    assert [line.split()[:2] for line in done.stderr.splitlines()] == [
        ["highband:", "none/*.wav"], ["highband:", "b.wav"], ["highband:", "gone.wav"],
    ]  # fmt: skip
    assert (tmp_path / "out/a.wav").exists()


@pytest.mark.parametrize(
    ("words", "stated"),
    [
        (["--set", "brightness=3"], "there is no knob 'brightness'"),
        (["--set", "amount=99"], "amount must be between -24 and 12 dB, not 99"),
        (["--set", "amount"], "is not of the form knob=value"),
        (["--preset", "nonsense"], "there is no preset 'nonsense'"),
        (["--artifact", "nonsense"], "there is no artifact 'nonsense'"),
        (["--format", "flac", "--bits", "32f"], "FLAC can't hold 32-bit floats"),
    ],
)
def test_wrong_usage_is_one_sentence_and_status_2(tmp_path: Path, words: list[str], stated: str) -> None:
    write(tmp_path / "a.wav")
    done = highband(tmp_path, "render", "a.wav", "-o", "out", *words)
    assert done.exit_code == 2
    assert done.stderr.count("\n") == 1
    assert stated in done.stderr
    assert os.listdir(tmp_path) == ["a.wav"]


def test_moves_of_effects_that_are_not_here_are_refused(tmp_path: Path) -> None:
    write(tmp_path / "a.wav")
    moves = {"mix": 50.0, "compare.match": 0.0, "before.0.cutoff_frequency_hz": 80.0}
    lines = [{"highband_automation": 1, "sample_rate": 48000}, {"at": 0, "set": moves}]
    (tmp_path / "moves").write_text("\n".join(map(json.dumps, lines)))
    words = ["render", "a.wav", "-o", "b.wav", "--automation", "moves"]
    done = highband(tmp_path, *words)
    assert done.exit_code == 2
    assert "turns before.0.cutoff_frequency_hz, which is not in this chain" in done.stderr
    preset = {"before": [{"effect": "HighpassFilter"}]}
    (tmp_path / "p.json").write_text(json.dumps(preset))
    done = highband(tmp_path, *words, "--preset", "p.json")
    assert (done.exit_code, done.stderr) == (0, "")


def test_one_sample_is_called_one(tmp_path: Path) -> None:
    samples = np.zeros(4800, np.float32)
    samples[100] = np.nan
    soundfile.write(tmp_path / "a.wav", samples, 48000, subtype="FLOAT")
    done = highband(tmp_path, "render", "a.wav", "-o", "b.wav")
    assert "; 1 sample was NaN" in done.stdout


def test_verify_prints_the_worst_difference(tmp_path: Path) -> None:
    write(tmp_path / "a.wav")
    done = highband(tmp_path, "verify", "a.wav", "--blocks", "1,64,random")
    assert done.exit_code == 0, done.stderr
    assert done.stdout.count("equal") == 3
    assert highband(tmp_path, "verify", "a.wav", "--blocks", "0").exit_code == 2
    assert highband(tmp_path, "verify", "gone.wav").exit_code == 1


@pytest.mark.parametrize("command", ["train", "export", "evaluate"])
def test_training_commands_name_what_is_missing(tmp_path: Path, command: str) -> None:
    done = highband(tmp_path, command, "gone")
    assert done.exit_code == 2
    assert done.stderr.startswith("highband: gone is not a f")
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_leaves_no_partial_and_the_next_run_goes_on(tmp_path: Path, number: signal.Signals) -> None:
    # The second is long, so that it is met while it is rendered however late this test looks.
    for name, seconds in (("a", 0.1), ("b", 120.0), ("c", 0.1)):
        write(tmp_path / f"in/{name}.wav", seconds)
    command = [*PROGRAM, "render", "in", "-o", "out"]
    slow = environment(SLOW_S="0.2")
    with subprocess.Popen(command, cwd=tmp_path, env=slow, stderr=subprocess.PIPE, text=True) as running:
        wait_for(lambda: (tmp_path / "out/a.wav").exists() and any((tmp_path / "out").rglob(".b.*.partial")))
        running.send_signal(number)
        stderr = running.communicate(timeout=60)[1]
    assert running.returncode == 130
    assert stderr == "highband: stopped with 2 of 3 left; run the same command to go on\n"
    assert sorted(os.listdir(tmp_path / "out")) == [JOURNAL_NAME, "a.wav"]
    done = subprocess.run(command, cwd=tmp_path, env=environment(), capture_output=True, text=True, check=False)
    assert done.returncode == 0
    assert "2 rendered, 1 done before" in done.stdout
    assert sorted(os.listdir(tmp_path / "out")) == [JOURNAL_NAME, "a.wav", "b.wav", "c.wav"]


@pytest.mark.parametrize(
    ("text", "read"),
    [("amount=-3", ("amount", -3.0)), ("crossover=3.4 kHz", ("crossover", 3400.0)), (" bypass = on", ("bypass", 1.0)),
     ("crossover=auto", ("crossover", 0.0))],
)  # fmt: skip
def test_assignments_read_what_a_person_writes(text: str, read: tuple[str, float]) -> None:
    assert read_assignment(text) == read


def test_a_program_reads_of_a_batch_line_by_line(tmp_path: Path) -> None:
    write(tmp_path / "in" / "long.wav", 20.0)
    (tmp_path / "in" / "bad.wav").write_text("no sound")
    done = highband(tmp_path, "render", "in", "-o", "out", "--json")
    stated = [json.loads(line) for line in done.stdout.splitlines()]
    by_file = {name: [one for one in stated if Path(one["file"]).name == name] for name in ("long.wav", "bad.wav")}
    shares = [one["share"] for one in by_file["long.wav"] if "share" in one]
    assert shares
    assert shares == sorted(shares)
    assert (by_file["long.wav"][-1]["target"], by_file["long.wav"][-1]["rate"]) == ("out/long.wav", 48000)
    assert "is not audio" in by_file["bad.wav"][0]["fault"]
    assert done.exit_code == 1
    again = highband(tmp_path, "render", "in/long.wav", "-o", "out", "--json")
    assert json.loads(again.stdout) == {"file": "in/long.wav", "target": "out/long.wav"}


def test_ctrl_c_while_the_command_is_loaded_ends_it_in_silence(tmp_path: Path) -> None:
    program = (
        "import signal, sys\n"
        "from plugin_host.cli.main import main\n"
        "class Interrupter:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name == 'plugin_host.cli.app':\n"
        "            signal.raise_signal(signal.SIGINT)\n"
        "sys.meta_path.insert(0, Interrupter())\n"
        "main()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, "--help"], cwd=tmp_path, env=environment(), capture_output=True, text=True,
        check=False, timeout=60,
    )  # fmt: skip
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "")


@pytest.mark.skipif(sys.platform == "win32", reason="there is no such shell")
@pytest.mark.parametrize("closed", ["2>&-", "<&- >&- 2>&-"])
def test_a_command_whose_streams_are_closed_renders_all_the_same(tmp_path: Path, closed: str) -> None:
    write(tmp_path / "in/a.wav")
    done = subprocess.run(["sh", "-c", f'"$@" {closed}', "sh", *PROGRAM, "render", "in", "-o", "out"],
                          cwd=tmp_path, env=environment(), check=False, timeout=60)  # fmt: skip
    assert done.returncode == 0
    assert sorted(os.listdir(tmp_path / "out")) == [JOURNAL_NAME, "a.wav"]


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere such names can't be")
@pytest.mark.parametrize("coding", ["utf-8:strict", "ascii:strict"])
def test_a_name_that_the_terminal_cannot_show_stops_nothing(tmp_path: Path, coding: str) -> None:
    sound = write(tmp_path / "a.wav").read_bytes()
    (tmp_path / "in").mkdir()
    names = [b"1 Gr\xf6\xdfe.wav", "2 Größe.wav".encode(), b"3.wav"]
    for name in names:
        Path(os.fsdecode(os.fsencode(tmp_path / "in") + b"/" + name)).write_bytes(sound)
    done = subprocess.run([*PROGRAM, "render", "in", "-o", "out"], cwd=tmp_path, capture_output=True, check=False,
                          env=environment(PYTHONIOENCODING=coding), timeout=60)  # fmt: skip
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.count(b".wav") == 3
    assert sorted(os.listdir(os.fsencode(tmp_path / "out"))) == [os.fsencode(JOURNAL_NAME), *names]


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere there is no such device")
@pytest.mark.parametrize("words", [[], ["--json"]])
def test_a_log_on_a_full_disk_stops_nothing(tmp_path: Path, words: list[str]) -> None:
    names = [write(tmp_path / f"in/{number}.wav").name for number in range(3)]
    with open("/dev/full", "w") as full:
        done = subprocess.run([*PROGRAM, "render", "in", "-o", "out", *words], cwd=tmp_path, stdout=full,
                              stderr=subprocess.PIPE, env=environment(), check=False, timeout=60)  # fmt: skip
    assert (done.returncode, done.stderr) == (0, b"")
    assert sorted(os.listdir(tmp_path / "out")) == [JOURNAL_NAME, *names]


@pytest.mark.skipif(sys.platform == "win32", reason="there is no such terminal")
def test_a_terminal_that_was_closed_stops_nothing(tmp_path: Path) -> None:
    names = [write(tmp_path / f"in/{number}.wav", 1.0 + number).name for number in range(3)]
    ours, theirs = os.openpty()
    # Without a terminal of its own it gets no signal when that is closed, as a command that was disowned.
    with subprocess.Popen([*PROGRAM, "render", "in", "-o", "out"], cwd=tmp_path, env=environment(SLOW_S="0.1"),
                          stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True) as running:  # fmt: skip
        os.close(theirs)
        wait_for(lambda: (tmp_path / "out" / names[0]).exists())
        os.close(ours)
        assert running.wait(60) == 0
    assert sorted(os.listdir(tmp_path / "out")) == [JOURNAL_NAME, *names]
