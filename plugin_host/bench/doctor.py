"""What this machine has for live playing, and what to start with."""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from rich.console import Console
from rich.table import Table

from plugin_host.devices.device import DeviceError
from plugin_host.devices.jack import has_server, jack_module
from plugin_host.devices.portaudio import Listed, list_devices
from plugin_host.engine.realtime import memory_lock_limit, priority_refusal
from plugin_host.midi.ports import MidiError, list_ports

Verdict = Literal["good", "note", "bad"]
_SIGNS: dict[Verdict, str] = {"good": "[green]good[/]", "note": "[yellow]note[/]", "bad": "[red]bad[/]"}
_PLENTY_CORES = 4


@dataclass(frozen=True)
class Finding:
    """One line: its subject, how it stands, and what to do about it."""

    subject: str
    verdict: Verdict
    text: str


def examine() -> list[Finding]:
    """Look at everything; never fails where something is missing, which is a finding."""
    jack = _jack()
    devices = _devices()
    findings = [_processor(), jack, devices, _midi(), _priority(), _memory(), _models()]
    return [*findings, _proposal(findings)]


def show(findings: Sequence[Finding]) -> None:
    """Print the findings as a table."""
    table = Table("", "", "")
    for finding in findings:
        table.add_row(finding.subject, _SIGNS[finding.verdict], finding.text)
    Console(highlight=False).print(table)


def _processor() -> Finding:
    cores = os.cpu_count() or 1
    load = f", busy with {os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else ""
    is_busy = hasattr(os, "getloadavg") and os.getloadavg()[0] > cores - 1
    advice = "; close what else computes" if is_busy else ""
    return Finding("processor", "note" if is_busy else "good", f"{cores} cores{load}, {platform.machine()}{advice}")


def _jack() -> Finding:
    try:
        module = jack_module()
    except DeviceError as error:
        return Finding("JACK", "note", str(error))
    if not has_server():
        return Finding("JACK", "note", "installed, no server runs; one is not needed")
    client = module.Client("highband-doctor", no_start_server=True)
    text = f"a server runs at {client.samplerate} Hz, period {client.blocksize}"
    is_realtime = bool(client.realtime)
    client.close()
    if is_realtime:
        return Finding("JACK", "good", f"{text}, real time")
    return Finding("JACK", "note", f"{text}, without real time; start it with jackd --realtime")


def _devices() -> Finding:
    try:
        devices = list_devices()
    except DeviceError as error:
        return Finding("sound devices", "bad", str(error))
    names = [entry.name for entry in devices if _is_default(entry)] or [entry.name for entry in devices[:3]]
    if not devices:
        return Finding("sound devices", "note", "none; --device null and --device file:IN.wav,OUT.wav play without one")
    return Finding("sound devices", "good", f"{len(devices)}, such as {', '.join(names)}; highband devices lists them")


def _is_default(entry: Listed) -> bool:
    return bool(entry.default)


def _midi() -> Finding:
    try:
        ports = [port.name for port in list_ports() if port.sends]
    except MidiError as error:
        return Finding("MIDI", "note", str(error))
    if not ports:
        return Finding("MIDI", "note", "no input ports; connect a controller, or use a virtual port")
    return Finding("MIDI", "good", f"{len(ports)} input ports: {', '.join(ports[:4])}")


def _priority() -> Finding:
    refusal = priority_refusal()
    return Finding("real-time priority", "note" if refusal else "good", refusal or "granted")


def _memory() -> Finding:
    limit = memory_lock_limit()
    if limit is None or os.geteuid() == 0:
        return Finding("memory locking", "good", "granted without limit")
    return Finding(
        "memory locking", "note",
        f"limited to {limit // 1024} KiB; set memlock to unlimited in /etc/security/limits.d/audio.conf",
    )  # fmt: skip


def _models() -> Finding:
    from models.artifact.manifest import list_artifacts

    names = [info.name for info in list_artifacts()]
    if "live" in names:
        return Finding("models", "good", ", ".join(names))
    return Finding("models", "bad", "the artifact 'live' is missing; install Highband again")


def _proposal(findings: Sequence[Finding]) -> Finding:
    stands = {finding.subject: finding.verdict for finding in findings}
    is_calm = stands["processor"] == "good" and (os.cpu_count() or 1) >= _PLENTY_CORES
    mode = "low" if stands["real-time priority"] == "good" else "safe"
    block = 128 if is_calm and mode == "low" else 256
    if stands["JACK"] == "good" or "a server runs" in next(f.text for f in findings if f.subject == "JACK"):
        return Finding("proposal", "good", f"highband live --mode {mode}, at the server's period")
    if stands["sound devices"] != "good":
        return Finding("proposal", "note", "highband live --device null, until there is a sound card")
    return Finding(
        "proposal", "good", f"highband live --mode {mode} --block {block}; highband bench live finds the limit"
    )
