"""Laws of the commands that talk to a running host, through the command line itself."""

from __future__ import annotations

import json
import threading
import time
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from plugin_host.cli.app import app
from plugin_host.cli.common import running as running_host
from tests.plugin_host.fake_host import running

NOBODY = "tcp://127.0.0.1:9"


def highband(*words: str) -> Result:
    return CliRunner().invoke(app, words)


def test_every_command_of_control_is_on_the_command_line() -> None:
    # A command that was given no name has that of its function, which only the built command line shows.
    named = set(typer.main.get_group(app).commands)
    assert {"set", "get", "status", "changes", "load", "undo", "redo", "keys"} <= named


def test_set_get_undo_and_load() -> None:
    with running() as (control, store, host):
        place = ("--address", control.address)
        assert highband("set", "amount=-3 dB", "tone=40", *place).stdout == "amount  -3 dB\ntone    40 %\n"
        assert highband("get", "amount", *place).stdout == "amount  -3 dB\n"
        assert json.loads(highband("get", "--json", *place).stdout)["tone"]["value"] == 40.0
        assert highband("undo", *place).stdout == "amount  0 dB\ntone    0 %\n"
        assert highband("redo", *place).exit_code == 0
        assert highband("load", "old-tape", *place).exit_code == 0
        assert host.loaded == ["old-tape"]
        assert store.targets()["ceiling"] == 17000.0


def test_status_shows_latency_load_and_knobs() -> None:
    with running() as (control, _, _):
        shown = highband("status", "--address", control.address).stdout
        assert all(word in shown for word in ("64 samples", "2.0 % usually", "interruptions", "amount", "slot"))
        assert json.loads(highband("status", "--json", "--address", control.address).stdout)["stats"]["xruns"] == 0


def test_watch_prints_changes_with_their_origin() -> None:
    with running() as (control, store, _):
        done = threading.Event()

        def turn() -> None:
            while not done.wait(0.01):
                store.request("amount", 2.0, "midi")

        # Nothing shows a publisher that its reader is listening, so the knob is turned until it does.
        turner = threading.Thread(target=turn)
        turner.start()
        threading.Timer(1.0, done.set).start()
        shown = highband("changes", "--seconds", "0.5", "--address", control.address)
        turner.join()
        assert "midi, set: amount 2 dB" in shown.stdout
        assert shown.exit_code == 0


@pytest.mark.parametrize(
    "words", [("set", "amount=1"), ("get",), ("status",), ("undo",), ("changes",), ("load", "old-tape")]
)
def test_a_host_that_is_not_running_is_one_sentence_and_status_1(
    words: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(running_host, "_PATIENCE_S", 0.1)
    began = time.monotonic()
    reply = highband(*words, "--address", NOBODY)
    assert reply.exit_code == 1
    assert reply.stderr == f"highband: no host answers at {NOBODY}; start one with highband live\n"
    # No bound on the machine's speed: it must not be the half minute that building a preset is given.
    assert time.monotonic() - began < 20.0


@pytest.mark.parametrize(
    ("words", "status", "sentence"),
    [
        (("set", "amount"), 2, "knob=value"), (("set", "amount=99"), 1, "between -24 and 12 dB"),
        (("get", "loud"), 1, "there is no knob"), (("changes", "news"), 2, "there is no topic"),
        (("load", "../x"), 1, "without a folder"), (("undo",), 1, "nothing to undo"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_one_sentence(words: tuple[str, ...], status: int, sentence: str) -> None:
    with running() as (control, _, _):
        reply = highband(*words, "--address", control.address)
        assert (reply.exit_code, reply.stderr.count("\n")) == (status, 1)
        assert sentence in reply.stderr


def test_an_address_and_a_key_file_are_checked(tmp_path: Path) -> None:
    assert highband("get", "--address", "http://x").exit_code == 2
    assert highband("get", "--keys", str(tmp_path / "none.key")).exit_code == 2


def test_keys_open_the_door_from_the_command_line(tmp_path: Path) -> None:
    from plugin_host.control.keys import read_keys

    made = highband("keys", str(tmp_path))
    assert (made.exit_code, len(made.stdout.splitlines())) == (0, 2)
    assert highband("keys", str(tmp_path)).exit_code == 1
    with running(read_keys(tmp_path / "highband-host.key", "host")) as (control, _, _):
        place = ("--address", control.address)
        assert highband("get", "tone", *place, "--keys", str(tmp_path / "highband-client.key")).stdout == "tone  0 %\n"
        assert highband("get", "tone", *place).exit_code == 1
