"""A live session from the command line: its device, its sound, its interfaces, and its end."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Literal, NoReturn

import typer

from plugin_host.cli.common.errors import WORK_FAILED, WRONG_USAGE, complain, end_signals, refusing, stoppable
from plugin_host.cli.common.first_use import announce_compiling

if TYPE_CHECKING:
    from plugin_host.chain.program import LiveSound
    from plugin_host.devices.device import Device, DeviceOptions
    from plugin_host.session.host import LiveHost
    from plugin_host.session.interfaces import InterfaceOptions
    from plugin_host.session.session import LiveSession
    from plugin_host.session.state_file import Session
    from plugin_host.settings.store import SettingsStore

Mode = Literal["low", "safe"]
_MODES = {"low": "low latency", "safe": "safe"}
_CLOCKED_RATE = 48000
# Seconds of sound that a process played which had to end, for the one that goes on in its place.
_PLAYED = "HIGHBAND_PLAYED_S"
_FIRST_WAIT_S, _LAST_WAIT_S = 0.25, 4.0


@dataclass(frozen=True)
class Request:
    """What is played and how: see the help of `highband live`.

    Attributes:
        device: "null", "file:IN,OUT", "jack", or None for a sound card.
        options: Which sound card, at what rate and block.
        mode: In the device's callback, or in a thread behind a buffer.
        preset, assignments, artifact: The sound.
        resume: Whether the last session goes on.
        interfaces: The control interfaces.
        seconds: Sound after which the session ends, None for never.
        fast: Whether the clock is not waited for.
        record, automation_out: Folder of recordings and file of knob moves, or None.
    """

    device: str | None
    options: DeviceOptions
    mode: Mode
    preset: str | None
    assignments: Sequence[str]
    artifact: str | None
    resume: bool
    interfaces: InterfaceOptions
    seconds: float | None
    fast: bool
    record: Path | None
    automation_out: Path | None


def play(request: Request) -> None:
    """Play until Ctrl-C or the requested end."""
    # Loading takes seconds in which there is nothing to end tidily.
    for number in end_signals():
        signal.signal(number, _leave)
    played_before = os.environ.pop(_PLAYED, "")
    if played_before:
        request = _rest_of(request, float(played_before))
        _wait_for_server()
    with refusing(WRONG_USAGE, ValueError):
        session = _session(request)
        device = _open_device(request, session.patch if request.resume else None)
        host = _host(session, request, device)
    from plugin_host.devices.buffered import ServerDiedError
    from plugin_host.session.interfaces import make_interfaces
    from plugin_host.session.session import LiveSession
    from plugin_host.session.state_file import session_path

    with stoppable() as stopped, refusing(WORK_FAILED, ValueError):
        playing = LiveSession(host, device, complain)
        playing.interfaces = make_interfaces(request.interfaces, host, playing.report)
        # A render through the engine is no session to come back to.
        playing.session_path = session_path() if request.device in (None, "jack") else None
        try:
            _play(playing, device, stopped, request)
        except ServerDiedError:
            _go_on(float(played_before or 0.0) + playing.played_s)


def _rest_of(request: Request, played_s: float) -> Request:
    """Return what is left of a request: it has gone into the session, and its knobs were turned since."""
    from plugin_host.session.take import free_name

    seconds = request.seconds and max(0.0, request.seconds - played_s)
    moves = request.automation_out and free_name(request.automation_out)
    return replace(request, resume=True, preset=None, assignments=(), seconds=seconds, automation_out=moves)


def _go_on(played_s: float) -> NoReturn:
    """Become the same command anew, which waits for the server: in this process PortAudio finds none any more."""
    sys.stdout.flush()
    os.environ[_PLAYED] = str(played_s)
    os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])


def _wait_for_server() -> None:
    from plugin_host.devices.jack import has_server

    complain("the JACK server is gone; it is tried again until it comes back")
    wait_s = _FIRST_WAIT_S
    while not has_server():
        time.sleep(wait_s)
        wait_s = min(2.0 * wait_s, _LAST_WAIT_S)


def _leave(number: int, frame: FrameType | None) -> None:
    raise SystemExit(0)


def _session(request: Request) -> Session:
    from plugin_host.session.state_file import Session, read_session, session_path

    preset = request.preset
    if request.resume:
        last = read_session(session_path())
        return last.model_copy(update={"preset": preset, "settings": {}}) if preset else last
    return Session(preset=preset or "", artifact=request.artifact)


def _open_device(request: Request, patch: Sequence[Sequence[str]] | None) -> Device:
    device, options, is_safe = request.device, request.options, request.mode == "safe"
    if device == "jack" and is_safe:
        from plugin_host.devices.buffered import SafeDevice
        from plugin_host.devices.portaudio import jack_pair

        source, sink = jack_pair()
        return SafeDevice(replace(options, input=options.input or source, output=options.output or sink))
    if device == "jack":
        from plugin_host.devices.jack import JackDevice

        return JackDevice(options, patch)
    if device is not None:
        from plugin_host.devices.clocked import open_clocked

        rate, channels = options.rate or _CLOCKED_RATE, options.channels or 2
        return open_clocked(device, rate=rate, channels=channels, block=options.block, is_paced=not request.fast)
    if request.fast:
        raise ValueError("--fast is for --device null and --device file:IN.wav,OUT.wav")
    if is_safe:
        from plugin_host.devices.buffered import SafeDevice

        return SafeDevice(options)
    return _open_card(options, patch)


def _open_card(options: DeviceOptions, patch: Sequence[Sequence[str]] | None) -> Device:
    """Open what is named; where JACK runs, it has the sound card."""
    from plugin_host.devices.jack import JackDevice, has_server
    from plugin_host.devices.portaudio import SoundDevice, release

    if not has_server():
        return SoundDevice(options)
    if options.input is None and options.output is None:
        return JackDevice(options, patch)
    card = SoundDevice(options)
    if not card.is_jack:
        return card
    release()
    return JackDevice(replace(options, input=card.input_name, output=card.output_name), patch)


def _host(session: Session, request: Request, device: Device) -> LiveHost:
    from plugin_host.chain.program import build
    from plugin_host.session.host import LiveHost
    from plugin_host.settings.store import SettingsStore

    announce_compiling()
    sound = build(session.preset, session.artifact)
    store = SettingsStore(sound.controls)
    _set(store, sound, session, request.assignments)
    return LiveHost(sound, store, device, _MODES[request.mode])


def _set(store: SettingsStore, sound: LiveSound, session: Session, assignments: Sequence[str]) -> None:
    from plugin_host.chain.file_program import split_assignment

    known = store.targets()
    restored = {name: value for name, value in session.settings.items() if name in known}
    store.begin({**sound.preset.settings, **restored}, "preset")
    for text in assignments:
        name, value = split_assignment(text)
        store.request(name, value, "command line")


def _play(playing: LiveSession, device: Device, stopped: Callable[[], bool], request: Request) -> None:
    try:
        playing.open(request.record, request.automation_out)
        stats = playing.host.stats()
        latency = stats["latency"]["sum"]
        typer.echo(
            f"playing on {device.name}: {device.rate} Hz, block {device.block}, "
            f"{device.inputs} in, {device.outputs} out, "
            f"latency {latency} samples ({1000 * latency / device.rate:.1f} ms); Ctrl-C ends"
        )
        began = time.monotonic()
        playing.run(stopped, request.seconds)
    finally:
        stats = playing.host.stats()
        playing.close()
    load = stats["load"]["callback"]
    # The terminal may have been closed.
    with suppress(OSError):
        typer.echo(
            f"played {playing.played_s:.1f} s of sound in {time.monotonic() - began:.1f} s: "
            f"{stats['missed']} of {stats['blocks']} blocks late, {stats['xruns']} xruns, "
            f"load p50 {100 * load['p50']:.0f} %, p99 {100 * load['p99']:.0f} %"
        )
