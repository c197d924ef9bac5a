"""The commands around live playing: live, devices, doctor, bench live."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any, Literal, NoReturn

import typer

from models.predictor.runtime import Runtime
from plugin_host.cli.errors import WORK_FAILED, WRONG_USAGE, complain, refusing, stoppable

if TYPE_CHECKING:
    from plugin_host.chain.program import LiveSound
    from plugin_host.devices.device import Device, Wishes
    from plugin_host.session.host import LiveHost
    from plugin_host.session.interfaces import DoorWishes
    from plugin_host.session.session import Live
    from plugin_host.session.state_file import Session
    from plugin_host.settings.store import SettingsStore

Mode = Literal["low", "safe"]
_MODES = {"low": "low latency", "safe": "safe"}
_CLOCKED_RATE = 48000
# Tells a process that it goes on where one before it had to end.
_GOES_ON = "HIGHBAND_GOES_ON"
_FIRST_WAIT_S, _LAST_WAIT_S = 0.25, 4.0


def live(
    *,
    device: str | None,
    wishes: Wishes,
    mode: Mode,
    preset: str | None,
    assignments: Sequence[str],
    artifact: str | None,
    runtime: Runtime,
    seconds: float | None,
    fast: bool,
    record: Path | None,
    automation_out: Path | None,
    resume: bool,
    doors: DoorWishes,
) -> None:
    """Play; see the help of `highband live`."""
    # Loading takes seconds in which there is nothing to end tidily.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _leave)
    if os.environ.pop(_GOES_ON, ""):
        # What was asked for at first has gone into the session, and was turned since.
        resume, preset, assignments = True, None, ()
        _wait_for_server()
    with refusing(WRONG_USAGE, ValueError):
        session = _session(resume, preset, artifact, runtime)
        opened = _open_device(device, wishes, mode, fast)
        host = _host(session, assignments, opened, mode)
    from plugin_host.devices.buffered import ServerDiedError
    from plugin_host.session.interfaces import make_doors
    from plugin_host.session.session import Live
    from plugin_host.session.state_file import session_path

    with stoppable() as stopped, refusing(WORK_FAILED, ValueError):
        playing = Live(host, opened, complain)
        playing.doors = make_doors(doors, host, playing.report)
        # A render through the engine is no session to come back to.
        playing.session_path = session_path() if device in (None, "jack") else None
        try:
            _play(playing, opened, stopped, seconds, record, automation_out)
        except ServerDiedError:
            # A new process would begin these anew.
            if seconds is not None or automation_out is not None:
                raise
            _go_on()


def _go_on() -> NoReturn:
    """Become the same command anew, which waits for the server: in this process PortAudio finds none any more."""
    sys.stdout.flush()
    os.environ[_GOES_ON] = "1"
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


def _session(resume: bool, preset: str | None, artifact: str | None, runtime: Runtime) -> Session:
    from plugin_host.session.state_file import Session, read_session, session_path

    if resume:
        last = read_session(session_path())
        return last.model_copy(update={"preset": preset, "settings": {}}) if preset else last
    return Session(preset=preset or "", artifact=artifact, runtime=runtime)


def _open_device(device: str | None, wishes: Wishes, mode: Mode, fast: bool) -> Device:
    if device == "jack" and mode == "safe":
        from plugin_host.devices.buffered import SafeDevice
        from plugin_host.devices.device import jack_pair

        source, sink = jack_pair()
        return SafeDevice(replace(wishes, input=wishes.input or source, output=wishes.output or sink))
    if device == "jack":
        from plugin_host.devices.jack import JackDevice

        return JackDevice(wishes)
    if device is not None:
        from plugin_host.devices.clocked import open_clocked

        rate, channels = wishes.rate or _CLOCKED_RATE, wishes.channels or 2
        return open_clocked(device, rate=rate, channels=channels, block=wishes.block, is_paced=not fast)
    if fast:
        raise ValueError("--fast is for --device null and --device file:IN.wav,OUT.wav")
    if mode == "safe":
        from plugin_host.devices.buffered import SafeDevice

        return SafeDevice(wishes)
    return _open_card(wishes)


def _open_card(wishes: Wishes) -> Device:
    """Open what is named; where JACK runs, it has the sound card."""
    from plugin_host.devices.device import SoundDevice, release
    from plugin_host.devices.jack import JackDevice, has_server

    if not has_server():
        return SoundDevice(wishes)
    if wishes.input is None and wishes.output is None:
        return JackDevice(wishes)
    card = SoundDevice(wishes)
    if not card.is_jack:
        return card
    release()
    return JackDevice(replace(wishes, input=card.input_name, output=card.output_name))


def _host(session: Session, assignments: Sequence[str], device: Device, mode: Mode) -> LiveHost:
    from plugin_host.chain.program import build
    from plugin_host.session.host import LiveHost
    from plugin_host.settings.store import SettingsStore

    sound = build(session.preset, session.artifact, session.runtime)
    store = SettingsStore(sound.controls)
    _set(store, sound, session, assignments)
    return LiveHost(sound, store, device, _MODES[mode])


def _set(store: SettingsStore, sound: LiveSound, session: Session, assignments: Sequence[str]) -> None:
    known = store.targets()
    restored = {name: value for name, value in session.settings.items() if name in known}
    store.load({**sound.preset.settings, **restored}, "preset")
    for text in assignments:
        name, equals, value = text.partition("=")
        if not equals:
            raise ValueError(f"'{text}' is not of the form knob=value, such as amount=-3")
        store.request(name.strip(), value.strip(), "command line")


def _play(
    playing: Live, device: Device, stopped: Any, seconds: float | None, record: Path | None, automation: Path | None
) -> None:
    try:
        playing.open(record, automation)
        stats = playing.host.stats()
        latency = stats["latency"]["sum"]
        typer.echo(
            f"playing on {device.name}: {device.rate} Hz, block {device.block}, "
            f"{device.inputs} in, {device.outputs} out, "
            f"latency {latency} samples ({1000 * latency / device.rate:.1f} ms); Ctrl-C ends"
        )
        began = time.monotonic()
        playing.run(stopped, seconds)
    finally:
        stats = playing.host.stats()
        playing.close()
    load = stats["load"]["callback"]
    typer.echo(
        f"played {stats['position'] / device.rate:.1f} s of sound in {time.monotonic() - began:.1f} s: "
        f"{stats['missed']} of {stats['blocks']} blocks late, {stats['xruns']} xruns, "
        f"load p50 {100 * load['p50']:.0f} %, p99 {100 * load['p99']:.0f} %"
    )


def devices() -> None:
    """List the sound devices; see the help of `highband devices`."""
    from rich.console import Console
    from rich.table import Table

    from plugin_host.devices.device_list import list_devices

    with refusing(WORK_FAILED, ValueError):
        found = list_devices()
    table = Table("", "device", "host API", "in", "out", "rate", "latency in / out", "default")
    for one in found:
        latencies = f"{one.input_ms:.1f} / {one.output_ms:.1f} ms"
        table.add_row(
            str(one.index),
            one.name,
            one.api,
            str(one.inputs),
            str(one.outputs),
            f"{one.rate} Hz",
            latencies,
            one.default,
        )  # fmt: skip
    if found:
        Console().print(table)
    else:
        typer.echo("no sound device was found; --device null and --device file:IN.wav,OUT.wav play without one")


def doctor() -> None:
    """Tell what this machine has; see the help of `highband doctor`."""
    from plugin_host.bench.doctor import examine, show

    show(examine())


def bench_live(
    *, blocks: str, runtimes: Sequence[Runtime], artifact: str | None, preset: str | None, seconds: float,
    channels: int, rate: int, loop: bool,
) -> None:  # fmt: skip
    """Measure the callback; see the help of `highband bench live`."""
    from plugin_host.bench.live import bench

    with refusing(WRONG_USAGE, ValueError):
        sizes = [_size(word) for word in blocks.split(",")]
        bench(sizes, runtimes, artifact, preset or "", seconds, channels, rate, loop)


def _size(word: str) -> int:
    if not word.strip().isdecimal() or not 16 <= int(word) <= 8192:
        raise ValueError(f"'{word}' is not a block size; give numbers from 16 to 8192, with commas between")
    return int(word)
