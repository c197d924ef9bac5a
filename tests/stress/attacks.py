"""Malformed messages and floods for a host's control interfaces, and a look whether the host still plays."""

from __future__ import annotations

import json
import random
import signal
import socket
import time
from collections.abc import Callable
from pathlib import Path

import zmq

from plugin_host.control.client import Client, HostError
from tests.stress import malformed
from tests.stress.player import BUSY_CCS

SIGNALS = (signal.SIGKILL, signal.SIGTERM)
# Requests on their way at once; more would only fill the sockets.
_UNDER_WAY = 200
_PATIENCE_MS = 20_000
# Packets of one go, then a breath: what the system's buffer does not hold is never tried.
_PACKETS = 100
_CONTROL_CHANGE = 0xB0
_PRESET = {"schema": 1, "name": "Drill", "settings": {"amount": 3.0}, "before": [{"effect": "Gain", "settings": {}}]}


def throw_requests(address: str, chance: random.Random, count: int) -> int:
    """Send malformed requests and return how many were not refused; raises TimeoutError where replies stay out."""
    context = zmq.Context()
    peer: zmq.Socket[bytes] = context.socket(zmq.DEALER)
    peer.linger = 0
    peer.connect(address)
    accepted = answered = 0
    try:
        for number in range(count + _UNDER_WAY):
            if number < count:
                peer.send_multipart([b"", *malformed.request(chance)])
            if number >= min(_UNDER_WAY, count) and answered < count:
                if not peer.poll(_PATIENCE_MS):
                    raise TimeoutError(f"the host answered {answered} of {count} malformed requests and then no more")
                accepted += json.loads(peer.recv_multipart()[-1])["ok"] is not False
                answered += 1
    finally:
        context.destroy(linger=0)
    return accepted


def throw_packets(port: int, chance: random.Random, count: int) -> None:
    """Send malformed OSC packets."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        for number in range(count):
            sender.sendto(malformed.osc_packet(chance), ("127.0.0.1", port))
            if number % _PACKETS == 0:
                time.sleep(0.005)


def throw_presets(host: Client, chance: random.Random, home: Path, count: int) -> tuple[int, list[str]]:
    """Load presets of random bytes from the user's folder.

    Returns:
        How many were refused, and what went wrong.
    """
    folder = home / "highband" / "presets"
    folder.mkdir(parents=True, exist_ok=True)
    whole = json.dumps(_PRESET, indent=1).encode()
    refused, wrong = 0, []
    for _ in range(count):
        (folder / "drill.json").write_bytes(malformed.preset(chance, whole))
        try:
            host.load_preset("drill")
        except HostError as error:
            refused += 1
            if error.kind not in ("bad_preset", "unknown_preset"):
                wrong.append(f"a preset of random bytes made the error '{error.kind}': {error}")
    return refused, wrong[:5]


def flood_midi(send: Callable[[bytes], None], chance: random.Random, count: int) -> dict[str, float]:
    """Send so many control changes at once, and return where the last ones leave the knobs, 0..1, by id."""
    numbers = tuple(BUSY_CCS)
    last: dict[str, float] = {}
    flood = bytearray()
    for turn in range(count):
        number, value = numbers[turn % len(numbers)], chance.randrange(128)
        flood += bytes((_CONTROL_CHANGE, number, value))
        last[BUSY_CCS[number]] = round(value / 127.0, 2)
    send(bytes(flood))
    return last


def wait_for_state(host: Client, state: str, seconds: float) -> bool:
    """Ask until the host's device is in a state; returns whether it came to that."""
    patience = time.monotonic() + seconds
    while time.monotonic() < patience:
        if host.ask("stats")["stats"]["device"]["state"] == state:
            return True
        time.sleep(0.05)
    return False
