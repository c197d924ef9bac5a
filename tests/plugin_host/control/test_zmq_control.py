"""Laws of the ZeroMQ interface, on real sockets: every request one reply, telemetry, keys, and nothing harms it."""

from __future__ import annotations

import json
import random
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import zmq

from models.extender import controls as knobs
from plugin_host.control import protocol
from plugin_host.control.address import AddressError, is_loopback
from plugin_host.control.client import Client, HostError, NoHostError
from plugin_host.control.keys import KeyFileError, make_keys, read_keys
from plugin_host.control.request import COMMANDS, SLOW
from plugin_host.control.zmq_server import ControlError, ZmqControl
from plugin_host.settings.store import SettingsStore
from tests.plugin_host.fake_host import ANY, FakeHost, client, running


@contextmanager
def dealer(address: str) -> Iterator[zmq.Socket[bytes]]:
    with zmq.Context() as context, context.socket(zmq.DEALER) as socket:
        socket.linger, socket.rcvtimeo, socket.sndhwm, socket.rcvhwm = 0, 20_000, 0, 0
        socket.connect(address)
        yield socket


def test_set_get_and_the_triple() -> None:
    with running() as (control, store, _), client(control) as host:
        messages = host.set("amount", "-3 dB")
        assert (messages["value"], messages["text"], messages["sequence"]) == (-3.0, "-3 dB", 1)
        assert host.get("amount")["position"] == pytest.approx(21 / 36, abs=1e-6)
        host.set_many({"tone": 10, "crossover": "6.3 kHz"})
        assert store.targets()["crossover"] == 6300.0
        assert set(host.settings()) == set(knobs.BY_ID)


def test_undo_slots_bypass_and_snapshot() -> None:
    with running() as (control, store, _), client(control) as host:
        for value in (1, 2, 3):
            host.set("amount", value, gesture="drag")
        host.ask("end_gesture", gesture="drag")
        assert host.undo()["settings"]["amount"]["value"] == 0.0
        assert host.redo()["settings"]["amount"]["value"] == 3.0
        host.ask("select_slot", slot="B")
        host.set("amount", -5)
        host.ask("copy_slot", source="B", target="C")
        host.ask("select_slot", slot="A")
        assert host.ask("slots")["slots"] == {"A": True, "B": True, "C": True, "D": False}
        host.ask("bypass", on=True)
        whole = host.snapshot()
        assert (whole["slot"], whole["can_undo"], whole["can_redo"]) == ("A", True, False)
        assert (whole["settings"]["bypass"]["text"], whole["settings"]["amount"]["value"]) == ("on", 3.0)
        assert whole["sequence"] == store.sequence


def test_every_command_has_one_reply_that_is_known_by_its_id(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    fields: dict[str, dict[str, Any]] = {
        "set": {"knob": "amount", "value": 1}, "set_many": {"values": {"amount": 1}}, "end_gesture": {"gesture": "g"},
        "load_preset": {"name": "phone-guest"}, "save_preset": {"name": "mine"},
        "set_chain": {"before": [], "after": []}, "select_slot": {"slot": "B"},
        "copy_slot": {"source": "A", "target": "B"}, "bypass": {"on": True}, "lock": {"knob": "amount", "on": True},
        "record": {"on": True}, "favourite": {"name": "phone-guest", "on": True}, "step_preset": {"way": 1},
        "compare": {"sides": [{"kind": "slot", "name": "A"}, {"kind": "input"}]}, "audition": {"side": 1},
        "diff_preset": {"name": "phone-guest"}, "midi_learn": {"knob": "amount"}, "midi_unbind": {"knob": "amount"},
        "midi_bind": {"binding": {"control": "amount", "cc": 1}}, "midi_port": {"port": "virtual"},
    }  # fmt: skip
    with running() as (control, _, _), dealer(control.address) as socket:
        # What is slow ends in its own time: a preset that came between undo and redo would leave nothing to redo.
        order = sorted(enumerate(COMMANDS), key=lambda command: command[1] in SLOW)
        replies: dict[int, Any] = {}
        # Of slow ones so many may wait.
        for some in (order[:-4], order[-4:]):
            for number, do in some:
                socket.send_json({"version": 1, "id": number, "do": do, **fields.get(do, {})})
            for _ in some:
                reply = json.loads(socket.recv())
                assert reply["id"] not in replies
                replies[reply["id"]] = reply
        refused = {COMMANDS[id]: reply["error"] for id, reply in replies.items() if not reply["ok"]}
        silent = dict.fromkeys(("midi_learn", "midi_bind", "midi_unbind", "midi_undo", "midi_port"), "no_midi")
        assert refused == {"set_chain": "refused", "audition": "refused", **silent}


def test_a_preset_moves_the_knobs_in_one_step_and_the_chain_through_the_host() -> None:
    with running() as (control, store, host), client(control) as asker:
        asker.load_preset("phone-guest")
        assert host.loaded == ["phone-guest"]
        assert store.targets() != knobs.defaults()
        asker.undo()
        assert store.targets() == knobs.defaults()
        asker.ask("save_preset", name="My guest", description="of today")
        assert host.saved[0][:2] == ("My guest", "of today")
        assert "bypass" not in host.saved[0][2]


@pytest.mark.parametrize(
    "name", ["../secret", "/etc/passwd", "a/b", "..", "x.json", "a\\b", "~", "", " ", "CON:", "a\0b", "é", "a" * 81]
)
def test_the_name_of_a_preset_is_never_a_path(name: str) -> None:
    with running() as (control, _, host), client(control) as asker:
        for do in ("load_preset", "save_preset"):
            with pytest.raises(HostError) as refused:
                asker.ask(do, name=name)
            assert refused.value.kind in ("bad_preset_name", "bad_message")
        assert (host.loaded, host.saved) == ([], [])


@pytest.mark.parametrize(
    ("do", "fields", "kind"),
    [
        ("set", {"knob": "loud", "value": 1}, "unknown_knob"), ("set", {"knob": "amount", "value": 99}, "bad_value"),
        ("set", {"knob": "amount", "value": True}, "bad_message"), ("set", {"knob": "amount"}, "bad_message"),
        ("get", {"knob": "amount", "more": 1}, "bad_message"), ("get", {"knob": "loud"}, "unknown_knob"),
        ("dance", {}, "unknown_command"), ("undo", {}, "nothing_to_undo"), ("redo", {}, "nothing_to_redo"),
        ("select_slot", {"slot": "E"}, "bad_message"), ("copy_slot", {"source": "D", "target": "A"}, "empty_slot"),
        ("load_preset", {"name": "nobody"}, "unknown_preset"), ("save_preset", {"name": "old-tape"}, "preset_exists"),
        ("get", {"version": 2}, "wrong_version"), ("set_many", {"values": {}}, "bad_message"),
        ("set", {"knob": "amount", "value": 10**30}, "bad_value"),
    ],
)  # fmt: skip
def test_errors_have_stable_names_and_a_sentence(do: str, fields: dict[str, Any], kind: str) -> None:
    with running() as (control, store, _), client(control) as host:
        with pytest.raises(HostError) as refused:
            host.ask(do, **fields)
        assert refused.value.kind == kind
        assert len(str(refused.value)) > 10
        assert "\n" not in str(refused.value)
        assert store.targets() == knobs.defaults()


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (b"", "bad_json"), (b"\xff\xfe", "bad_json"), (b"{", "bad_json"), (b"[]", "bad_message"),
        (b'{"version": 1, "do": "set", "knob": "amount", "value": NaN}', "bad_json"),
        (b'{"version": 1, "do": "set", "knob": "amount", "value": 1e999}', "bad_message"),
        (b'{"version": 1, "do": "set", "knob": "amount", "value": ' + b"9" * 5000 + b"}", "bad_json"),
        (b'{"version": 1, "version": 1, "do": "get"}', "bad_json"), (b"[" * 60_000, "too_deep"),
        (b"[" * 9 + b"]" * 9, "bad_message"), (b'{"a":' * 9 + b"1" + b"}" * 9, "too_deep"),
        (b" " * 65_537, "too_large"), (b'{"version": true, "do": "get"}', "wrong_version"),
        (b'{"version": 1, "do": ["get"]}', "unknown_command"), (b'{"version": 1, "do": {}}', "unknown_command"),
        (b'{"version": 1, "do": "get", "id": "' + b"x" * 65 + b'"}', "bad_message"),
        (b'{"version": 1, "do": "set", "knob": "\\ud800", "value": 1}', "bad_message"),
    ],
)  # fmt: skip
def test_what_is_no_message_is_refused_by_name(data: bytes, kind: str) -> None:
    with pytest.raises(protocol.Refusal) as refused:
        protocol.read_request(data)
    assert refused.value.kind == kind
    json.loads(protocol.refuse(refused.value.id, kind, str(refused.value)))


def malformed(chance: random.Random) -> bytes:
    whole = json.dumps({"version": 1, "id": 3, "do": "set", "knob": "amount", "value": 2.5}).encode()
    kind = chance.randrange(4)
    if kind == 0:
        return chance.randbytes(chance.randrange(300))
    if kind == 1:
        return whole[: chance.randrange(len(whole))]
    if kind == 2:
        place = chance.randrange(len(whole))
        return whole[:place] + chance.randbytes(2) + whole[place + 1 :]
    message = {"version": 1, "do": chance.choice([*COMMANDS, "x", 1, None])}
    junk: list[Any] = [None, [], {}, "x", -1, 1e308, True, [[[[]]]], "\0"]
    message |= {chance.choice(["knob", "value", "values", "slot", "name", "x"]): chance.choice(junk) for _ in range(3)}
    return json.dumps(message).encode()


def test_thousands_of_malformed_messages_have_a_reply_each_and_do_no_harm() -> None:
    chance = random.Random(1)
    with running(rate_hz=5.0) as (control, store, host), client(control) as asker, dealer(control.address) as socket:
        for _ in range(20):
            sent = 0
            for _ in range(100):
                socket.send_multipart([malformed(chance)] * chance.choice([1, 1, 1, 1, 2, 3]))
                sent += 1
            # A reader that never reads loses replies; this one reads.
            while sent > 0:
                reply = json.loads(socket.recv_multipart()[-1])
                assert reply["ok"] in (True, False)
                sent -= 1
        assert control.requests == 2000
        assert control.faults == 0
        assert (host.loaded, host.saved) == ([], [])
        assert asker.set("tone", 5)["value"] == 5.0
        assert all(control.check(store.targets()[control.id]) is not None for control in knobs.CONTROLS)


def test_a_frame_that_is_far_too_large_costs_its_sender_the_connection_only() -> None:
    with running() as (control, _, _), client(control) as host, dealer(control.address) as socket:
        socket.send(b" " * (2 << 20))
        assert host.set("tone", 1)["value"] == 1.0


def test_a_fault_of_the_host_is_a_reply_and_not_an_end() -> None:
    with running() as (control, _, host), client(control) as asker:
        host.broken = True
        with pytest.raises(HostError) as refused:
            asker.ask("stats")
        assert refused.value.kind == "internal"
        assert asker.get("amount")["value"] == 0.0


def test_an_address_that_is_in_use_and_a_host_that_is_not_there_are_one_sentence() -> None:
    with running() as (control, _, _):
        other = ZmqControl(SettingsStore(knobs.CONTROLS), FakeHost(), control.address, ANY)
        with pytest.raises(ControlError, match="can't listen on"):
            other.start()
        other.stop()
        address = control.address
    with Client(address, timeout_s=0.2) as nobody, pytest.raises(NoHostError, match="no host answers"):
        nobody.get("amount")


@pytest.mark.parametrize("address", ["tcp://0.0.0.0:9401", "tcp://*:9401", "tcp://192.168.1.2:0", "tcp://[::]:1"])
def test_other_machines_need_keys(address: str) -> None:
    assert not is_loopback(address)
    for pair in ((address, ANY), (ANY, address)):
        with pytest.raises(AddressError, match="highband keys"):
            ZmqControl(SettingsStore(knobs.CONTROLS), FakeHost(), *pair)


@pytest.mark.parametrize("address", ["ipc:///tmp/x", "tcp://127.0.0.1", "tcp://127.0.0.1:99999", "x", "tcp://a b:1"])
def test_what_is_no_address_is_refused(address: str) -> None:
    with pytest.raises(AddressError, match="is no address"):
        ZmqControl(SettingsStore(knobs.CONTROLS), FakeHost(), address, ANY)


def test_keys_let_in_whom_they_know_and_nobody_else(tmp_path: Path) -> None:
    host_file, client_file = make_keys(tmp_path / "ours")
    assert [stat.S_IMODE(path.stat().st_mode) for path in (host_file, client_file)] == [0o600, 0o600]
    ours = read_keys(client_file, "client")
    host_keys = read_keys(host_file, "host")
    strangers = read_keys(make_keys(tmp_path / "theirs")[1], "client")
    # A stranger who has learnt the host's public key.
    stranger = type(strangers)("client", strangers.public, strangers.secret, ours.peer)
    with running(host_keys) as (control, _, _):
        with client(control, ours) as known:
            assert known.set("tone", 3)["value"] == 3.0
            assert next(known.watch(("meters",), timeout_s=20.0))["topic"] == "meters"
        for keys in (strangers, stranger, None):
            with client(control, keys, timeout_s=0.4) as unknown, pytest.raises(NoHostError):
                unknown.set("tone", 4)
        with client(control, ours) as known:
            assert known.get("tone")["value"] == 3.0


def test_key_files_are_made_once_and_not_trusted_when_open_or_damaged(tmp_path: Path) -> None:
    host_file, client_file = make_keys(tmp_path)
    with pytest.raises(KeyFileError, match="is there already"):
        make_keys(tmp_path)
    with pytest.raises(KeyFileError, match="is not the host's file"):
        read_keys(client_file, "host")
    assert read_keys(host_file, "host").secret not in repr(read_keys(host_file, "host"))
    host_file.chmod(0o644)
    with pytest.raises(KeyFileError, match="chmod 600"):
        read_keys(host_file, "host")
    client_file.write_bytes(client_file.read_bytes()[:-30])
    with pytest.raises(KeyFileError, match="is no key file"):
        read_keys(client_file, "client")
