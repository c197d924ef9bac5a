"""A live session: device, host, interfaces and recordings, from the first block to the last."""

from __future__ import annotations

import queue
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from plugin_host.chain.program import DEFAULT_ARTIFACT, LiveSound
from plugin_host.devices.device import Device
from plugin_host.engine.realtime import collect_garbage, settle_audio_thread, settle_process, unsettle_process
from plugin_host.engine.watchdog import Relief, Watchdog
from plugin_host.files.audio_reader import AudioFileError
from plugin_host.session.host import LiveHost
from plugin_host.session.interfaces import ControlInterface
from plugin_host.session.state_file import Session, SessionError, read_session, write_session
from plugin_host.session.take import free_name
from plugin_host.settings.automation import AutomationWriter

_UPDATE_EVERY_S = 0.05
_SAVE_EVERY_S = 2.0
Notify = Callable[[str], None]


class LiveSession:
    """Plays a host on a device until it is stopped; all of it belongs to the main thread.

    Args:
        host: What plays.
        device: Where.
        notify: Called with a sentence for the person at the host.

    Attributes:
        interfaces: Opened after the sound, closed before it.
        session_path: Where the last session is kept, or None.
    """

    def __init__(self, host: LiveHost, device: Device, notify: Notify) -> None:
        self.host, self._device, self._notify = host, device, notify
        self._engine = host.engine
        self.interfaces: list[ControlInterface] = []
        self.session_path: Path | None = None
        self._takes = host.takes
        # Why a take ended early: said again at the end, which is then a failure.
        self._fault: AudioFileError | None = None
        self._automation: AutomationWriter | None = None
        self._automation_path: Path | None = None
        # Of the rates that the device had before, and how long it played at them.
        self._rate, self._rates, self._played_s = 0, 0, 0.0
        self._notices: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._saved: Session | None = None
        self._save_at = 0.0
        self._watchdog = Watchdog(self._reliefs(), lambda: self._engine.missed)
        host.relief = lambda: self._watchdog.taken

    def report(self, sentence: str) -> None:
        """Queue a sentence for the person at the host; for any thread."""
        self._notices.put(sentence)

    def open(self, record: Path | None = None, automation: Path | None = None) -> None:
        """Prepare everything and begin to play; raise ValueError with one sentence if that can't be.

        Args:
            record: Folder for what goes in and out.
            automation: File for the knob moves.
        """
        self._recover(record)
        if record is not None:
            self._takes.folder = record
            self._takes.start()
        if automation is not None:
            self._automation_path = automation
            self._engine.keep_moves()
        self._engine.on_prepare = self._follow_rate
        self._device.prepare(self._engine)
        if self._engine.is_timed:
            self._engine.on_enter = lambda: settle_audio_thread(self._notices.put)
            for sentence in settle_process():
                self._notify(sentence)
        self._device.start()
        self.host.is_running = True
        for interface in self.interfaces:
            interface.start()

    def run(self, stopped: Callable[[], bool], seconds: float | None = None) -> None:
        """Play until `stopped`, until the device ends by itself, or for so many seconds of sound."""
        while not stopped() and not self._device.is_done and (seconds is None or self.played_s < seconds):
            self._update(time.monotonic())
            time.sleep(_UPDATE_EVERY_S)

    @property
    def played_s(self) -> float:
        """Seconds of sound so far, at whatever rates."""
        return self._played_s + self._engine.position / max(1, self._rate)

    def close(self) -> None:
        """End the sound, close every interface and put recordings in place; raise what went wrong on the way."""
        self.host.is_running = False
        self.host.do_tasks()
        faults: list[Exception] = []
        for end in (
            *(interface.stop for interface in self.interfaces),
            self._device.stop,
            self._end_recordings,
            self._save,
        ):
            try:
                end()
            except Exception as error:  # The next ones must end too.
                faults.append(error)
        self._notify_waiting()
        unsettle_process()
        if faults:
            raise faults[0]

    def _follow_rate(self, rate: int, channels: int) -> None:
        """Begin recordings anew, as a file has one rate; `position` still counts at the rate before."""
        self._played_s, self._rate, self._rates = self.played_s, rate, self._rates + 1
        try:
            self._begin_automation(rate)
            self._takes.follow(rate, channels)
        except ValueError as error:
            if self._rates == 1:
                raise
            self._end_recording(error)

    def _begin_automation(self, rate: int) -> None:
        if self._automation_path is None:
            return
        if self._automation is not None:
            self._write_moves()
            self._automation.close()
        path = self._automation_path
        self._automation = AutomationWriter(path if self._rates == 1 else free_name(path), rate)

    def _recover(self, record: Path | None) -> None:
        """Give takes that a crash cut off their names, in this folder and in that of the last session."""
        folders = {self._takes.folder} if record is None else {record}
        if self.session_path is not None and self.session_path.exists():
            with suppress(SessionError):
                last = read_session(self.session_path).recording
                folders |= {Path(last)} if last else set()
        for sentence in self._takes.recover(folders):
            self._notify(sentence)

    def _update(self, now: float) -> None:
        self.host.do_tasks()
        self.host.measure()
        for news in (self._device.poll(), self._watchdog.check(now)):
            if news:
                self._notify(news)
                self._reconnect_interfaces()
        self._notify_waiting()
        self._check_takes()
        self._write_moves()
        if now >= self._save_at:
            self._save_at = now + _SAVE_EVERY_S
            self._save()
            collect_garbage()

    def _reconnect_interfaces(self) -> None:
        """Reconnect interfaces that are clients of the device's server: they do not notice its end by themselves."""
        if self._device.state == "lost":
            for interface in self.interfaces:
                getattr(interface, "reconnect", lambda: None)()

    def _notify_waiting(self) -> None:
        for notices in (self._notices, self.host.news):
            while not notices.empty():
                self._notify(notices.get())
        error = self._engine.take_error()
        if error is not None:
            self._notify(" ".join(str(error).split()))

    def _write_moves(self) -> None:
        moves = self._engine.moves
        if self._automation is not None:
            self._automation.add([moves.popleft() for _ in range(len(moves))])

    def _check_takes(self) -> None:
        fault = self._takes.fault()
        if fault is not None:
            self._fault = fault
            self._end_recording(fault)

    def _end_recording(self, error: ValueError) -> None:
        with suppress(AudioFileError):
            self._takes.stop()
        self._notify(f"the recording has ended, the sound goes on: {error}")

    def _end_recordings(self) -> None:
        self._write_moves()
        if self._automation is not None:
            self._automation.close()
        self._takes.stop()
        if self._takes.lost:
            self._notify(f"the disk was too slow for {self._takes.lost} samples; silence stands for them")
        if self._fault is not None:
            raise self._fault

    def _save(self) -> None:
        if self.session_path is None:
            return
        sound, settings = self.host.sound, self.host.store.targets()
        recording = str(self._takes.folder.resolve()) if self._takes.is_on and self.host.is_running else None
        session = Session(
            preset=sound.preset_name, artifact=sound.artifact, settings=settings,
            recording=recording, patch=getattr(self._device, "patch", None),
        )  # fmt: skip
        if session == self._saved:
            return
        self._saved = session
        try:
            write_session(self.session_path, session)
        except SessionError as error:
            self._notify(str(error))

    def _reliefs(self) -> list[Relief]:
        engine, heavy = self._engine, self.host.sound
        light = replace(heavy, artifact=DEFAULT_ARTIFACT)
        steps = [Relief("spectra off", engine.stop_spectra, engine.start_spectra)]
        if heavy.artifact != light.artifact:
            steps.append(Relief("lighter model", lambda: self._change(light), lambda: self._change(heavy)))
        steps.append(Relief("aligned bypass", engine.rest, engine.resume))
        return steps

    def _change(self, like: LiveSound) -> None:
        try:
            self.host.change_model(like)
        except ValueError as error:
            self._notify(str(error))
