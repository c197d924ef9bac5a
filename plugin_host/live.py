"""The host: engine, device, settings and whatever listens to them, from the first block to the last."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol

from models.stage import Stage
from plugin_host.automation import AutomationWriter
from plugin_host.device import Device
from plugin_host.engine import Engine
from plugin_host.live_sound import DEFAULT_ARTIFACT, LiveSound, build
from plugin_host.realtime import settle_audio_thread, settle_process, unsettle_process
from plugin_host.recorder import Recorder
from plugin_host.session_file import Session, SessionError, write_session
from plugin_host.settings import SettingsStore
from plugin_host.watchdog import Relief, Watchdog

_TEND_EVERY_S = 0.05
_SAVE_EVERY_S = 2.0
_PATIENCE_S = 60.0
Tell = Callable[[str], None]


class Door(Protocol):
    """A way to the settings from outside, such as a socket or a MIDI port."""

    def start(self) -> None:
        """Open it."""
        ...

    def stop(self) -> None:
        """Close it."""
        ...


class Host:
    """Plays a sound on a device until it is told to stop.

    `stats`, `meters`, `spectra`, `load_preset`, `swap_chain` and `set_bypass` may be called from any thread.

    Args:
        sound: What is played.
        store: The settings, declared with the sound's controls.
        device: Where it is played.
        tell: Takes a sentence for the person at the host.
        mode: "low latency" or "safe", as `stats` tells.

    Attributes:
        engine: What plays.
        store: The settings.
        doors: Opened after the sound, closed before it.
        session_path: Where the last session is kept, or None.
    """

    def __init__(self, sound: LiveSound, store: SettingsStore, device: Device, tell: Tell, mode: str) -> None:
        self.sound, self.store, self._device, self._tell, self._mode = sound, store, device, tell, mode
        self.engine = Engine(sound.chain, store)
        self.doors: list[Door] = []
        self.session_path: Path | None = None
        self._recorder: Recorder | None = None
        self._automation: AutomationWriter | None = None
        self._tasks: queue.SimpleQueue[tuple[Callable[[], None], Future[None]]] = queue.SimpleQueue()
        self._told: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._main = threading.get_ident()
        self._is_running = False
        self._saved: Session | None = None
        self._save_at = 0.0
        self._watchdog = Watchdog([], lambda: 0)

    # The main thread.

    def open(self, record: Path | None = None, automation: Path | None = None) -> None:
        """Prepare everything and begin to play; raise ValueError with one sentence if that can't be."""
        self._device.prepare(self.engine)
        if record is not None:
            channels = min(self._device.inputs, self._device.outputs)
            self._recorder = Recorder(record, self._device.rate, channels)
            self._recorder.start()
            self.engine.listener = self._recorder
        if automation is not None:
            self._automation = AutomationWriter(automation, self._device.rate)
        if self.engine.is_timed:
            self.engine.on_enter = lambda: settle_audio_thread(self._told.put)
            for sentence in settle_process():
                self._tell(sentence)
        self._device.start()
        self._watchdog = Watchdog(self._reliefs(), lambda: self.engine.load.missed)
        self._is_running = True
        for door in self.doors:
            door.start()

    def run(self, stopped: Callable[[], bool], seconds: float | None = None) -> None:
        """Play until `stopped`, until the device ends by itself, or for so many seconds of sound."""
        most = None if seconds is None else round(seconds * self._device.rate)
        while not stopped() and not self._device.is_done and (most is None or self.engine.position < most):
            self._tend(time.monotonic())
            time.sleep(_TEND_EVERY_S)

    def close(self) -> None:
        """End the sound, close every door and put recordings in place; raise what went wrong on the way."""
        self._is_running = False
        self._do_tasks()
        faults: list[Exception] = []
        endings = [*(door.stop for door in self.doors), self._device.stop, self._end_recordings, self._save]
        for end in endings:
            try:
                end()
            except ValueError as error:
                faults.append(error)
        unsettle_process()
        if faults:
            raise faults[0]

    def _tend(self, now: float) -> None:
        self._do_tasks()
        while not self._told.empty():
            self._tell(self._told.get())
        for news in (self._device.poll(), self._watchdog.check(now)):
            if news:
                self._tell(news)
        error = self.engine.take_error()
        if error is not None:
            self._tell(str(error))
        self._write_moves()
        if now >= self._save_at:
            self._save_at = now + _SAVE_EVERY_S
            self._save()

    def _do_tasks(self) -> None:
        while not self._tasks.empty():
            task, answer = self._tasks.get()
            try:
                task()
            except Exception as error:  # It belongs to the thread that asked.
                answer.set_exception(error)
            else:
                answer.set_result(None)

    def _write_moves(self) -> None:
        moves = self.engine.moves
        waiting = [moves.popleft() for _ in range(len(moves))]
        if self._automation is not None:
            self._automation.add(waiting)

    def _end_recordings(self) -> None:
        self._write_moves()
        if self._automation is not None:
            self._automation.close()
        self.engine.listener = None
        if self._recorder is not None:
            self._recorder.stop()
            if self._recorder.lost:
                self._tell(f"the disk was too slow for {self._recorder.lost} samples of the recording")

    def _save(self) -> None:
        if self.session_path is None:
            return
        sound = self.sound
        session = Session(
            preset=sound.preset, artifact=sound.artifact, runtime=sound.runtime, settings=self.store.targets()
        )
        if session == self._saved:
            return
        self._saved = session
        try:
            write_session(self.session_path, session)
        except SessionError as error:
            self._tell(str(error))

    def _reliefs(self) -> list[Relief]:
        steps = [Relief("spectra off", lambda: self._set_spectra(False), lambda: self._set_spectra(True))]
        heavy = self.sound
        light = replace(heavy, artifact=DEFAULT_ARTIFACT, runtime="onnx")
        if (heavy.artifact, heavy.runtime) != (light.artifact, light.runtime):
            steps.append(Relief("lighter model", lambda: self._change_model(light), lambda: self._change_model(heavy)))
        steps.append(Relief("aligned bypass", lambda: self._set_resting(True), lambda: self._set_resting(False)))
        return steps

    def _set_spectra(self, on: bool) -> None:
        self.engine.with_spectra = on

    def _set_resting(self, on: bool) -> None:
        self.engine.resting = on

    def _change_model(self, like: LiveSound) -> None:
        try:
            sound = build(self.sound.preset, like.artifact, like.runtime)
            self.engine.swap_chain(sound.chain)
        except ValueError as error:
            self._tell(str(error))
        else:
            self.sound = sound

    def _on_main(self, task: Callable[[], None]) -> None:
        """Run a task where plug-ins want to be loaded; raises what it raises."""
        if threading.get_ident() == self._main or not self._is_running:
            task()
            return
        answer: Future[None] = Future()
        self._tasks.put((task, answer))
        answer.result(_PATIENCE_S)

    # Any thread.

    def load_preset(self, name: str, origin: str = "host") -> None:
        """Change to a preset, chain and settings, with a cross-fade; raise ValueError with one sentence if it fails."""
        self._on_main(lambda: self._load_preset(name, origin))

    def _load_preset(self, name: str, origin: str) -> None:
        sound = build(name, None, self.sound.runtime)
        self.engine.swap_chain(sound.chain)
        self.store.declare(controls_of(sound), origin)
        self.store.load(sound.settings, origin)
        self.sound = sound

    def swap_chain(self, chain: Stage) -> None:
        """Change to a chain that was built outside, with a cross-fade; raise ValueError if it can't play here."""
        self.engine.swap_chain(chain)

    def set_bypass(self, on: bool, origin: str = "host") -> None:
        """Hear the input, delayed by the latency, or the chain again."""
        self.store.request("bypass", float(on), origin)

    def stats(self) -> dict[str, Any]:
        """Return the engine's figures with latency in parts (samples), device state, mode and load shedding."""
        stats = self.engine.stats()
        chain = self.engine.chain
        parts = {part.name: part.latency_samples for part in getattr(chain, "stages", ())}
        device = self._device.latency_samples
        stats["latency"] = {
            "device": device,
            **(parts or stats["latency"]),
            "sum": device + self.engine.latency_samples,
            "unit": "samples",
        }
        return {
            **stats,
            "mode": self._mode,
            "block": self._device.block,
            "device": {"name": self._device.name, "state": self._device.state},
            "relief": self._watchdog.taken,
            "preset": self.sound.preset,
            "artifact": self.sound.artifact,
            "runtime": self.sound.runtime,
            "crossover_hz": getattr(chain, "crossover_hz", None),
            "recording_lost": self._recorder.lost if self._recorder else 0,
        }

    def meters(self) -> dict[str, Any]:
        """Return the levels; see `Engine.meters`."""
        return self.engine.meters()

    def spectra(self) -> tuple[list[float], list[float]]:
        """Return the spectra; see `Engine.spectra`."""
        return self.engine.spectra()


def controls_of(sound: LiveSound) -> Sequence[Any]:
    """Return every knob of a sound: the extender's, then those of the effects."""
    return [*sound.chain.controls, *sound.chain.effect_controls]
