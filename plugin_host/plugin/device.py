"""The plug-in as a device: an engine's blocks come from a DAW, through memory that both processes share."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Sequence

from models.control import Control
from plugin_host.engine.engine import Engine
from plugin_host.plugin.instances import Instance
from plugin_host.plugin.library import JOINING, REFUSED, SEEK, Event, Library, News, Region, Taken
from plugin_host.settings.changes import SettingsError
from plugin_host.settings.store import SettingsStore

MAX_BLOCK = 2048
# The host's moves are automation: each one is meant for its sample.
ORIGIN = "automation daw"
_WAIT_S, _STOPPED_S = 0.1, 0.25
# How often a DAW that ended without a word is missed.
_LOOK_S = 0.5
# The last sample of a timeline: weeks at any rate, and far from where whole numbers end.
_LATEST = 1 << 48


class PluginDevice:
    """An instance in a DAW; see `plugin_host.devices.device.Device`.

    Args:
        instance: The plug-in.
        store: The settings; what the host turns goes there, and what others turn goes to the host.
        controls: The plug-in's knobs, in the order of its table.

    Raises:
        PluginError: The plug-in is of another version.

    Attributes:
        region: The shared memory.
        news: What the plug-in said at the last `poll`.
        on_poll: Called on the main thread again and again.
    """

    def __init__(self, instance: Instance, store: SettingsStore, controls: Sequence[Control]) -> None:
        self.region = Region(Library(instance.library), instance.path)
        self.name, self.rate, self.block = instance.name, instance.rate, 256
        self.inputs = self.outputs = instance.channels
        self._instance, self._store = instance, store
        self._ids = [control.id for control in controls]
        self._places = {name: place for place, name in enumerate(self._ids)}
        self._changes = store.subscribe()
        self.news = News()
        self._late, self._polled = 0, 0.0
        self._is_abandoned, self._look_at = False, 0.0
        # Where the host believes the knobs to be.
        self._known: dict[str, float] = {}
        self._in, self._out = self.region.allocate(self.inputs, MAX_BLOCK, _WAIT_S)
        self._engine: Engine | None = None
        # Samples before the beginning of the song, in a bounce.
        self._lead = 0
        self._ending = threading.Event()
        self._thread: threading.Thread | None = None
        self.on_poll: Callable[[], None] = lambda: None

    @property
    def latency_samples(self) -> int:
        """What the plug-in adds: its buffer."""
        return int(self.region.status().buffer)

    @property
    def track(self) -> str:
        """The DAW's name for the track that the plug-in is on, "" where it says none."""
        return self.region.status().track_name

    @property
    def state(self) -> str:
        """For people: "ready", "playing" or "ended"."""
        return "ended" if self.is_done else "playing" if self._thread else "ready"

    @property
    def is_done(self) -> bool:
        """Whether the DAW has closed the plug-in or is gone."""
        return bool(self.news.closed) or self._is_abandoned

    def prepare(self, engine: Engine) -> None:
        """Prepare the engine for the DAW's rate; raise ValueError, and say it in the plug-in, if it can't be."""
        self.region.set_state(JOINING)
        if not self.region.status().is_same_table:
            self.refuse("the plug-in has been updated: restart the DAW")
            raise ValueError("the plug-in has been updated")
        self.follow_knobs()
        try:
            engine.prepare(self.rate, self.inputs, MAX_BLOCK)
        except ValueError as error:
            self.refuse(str(error))
            raise
        self._engine = engine

    def refuse(self, sentence: str) -> None:
        """Say in the plug-in why it plays dry."""
        self.region.write_reason(sentence)
        self.region.set_state(REFUSED)

    def start(self) -> None:
        """Begin to play."""
        if self._engine is None:
            raise ValueError("the engine is not prepared")
        # What is late is known to the plug-in alone, whose buffer lets a block take longer than itself.
        self._engine.is_timed = False
        self._thread = threading.Thread(target=self._run, args=(self._engine,), name="audio", daemon=True)
        self._thread.start()

    def poll(self) -> str | None:
        """Give a sign of life and read what is new, in few steps: each keeps the interpreter from the audio thread."""
        engine = self._engine
        if engine is not None:
            now = time.monotonic()
            self.news = self.region.poll(engine.latency_samples)
            self._count_late(engine, now)
            if now >= self._look_at:
                self._look_at = now + _LOOK_S
                self._is_abandoned = not self._instance.is_alive
        self.on_poll()
        return None

    def stop(self) -> None:
        """End; the plug-in plays dry from now on."""
        self._ending.set()
        if self._thread is not None:
            self._thread.join()
        self._store.unsubscribe(self._changes)
        self.region.set_state(0)

    def _count_late(self, engine: Engine, now: float) -> None:
        """Let the watchdog know of late blocks, but not of those while this process itself was stopped."""
        late = self.news.late
        if now - self._polled < _STOPPED_S:
            engine.missed += max(0, late - self._late)
        self._late, self._polled = late, now

    # On the audio thread.

    def _run(self, engine: Engine) -> None:
        entered, played = self._in.T, self._out.T
        position = self.region.attach(engine.latency_samples)
        self._lead = max(0, -position) if self.region.status().offline else 0
        engine.seek(position, forget=True)
        while not self._ending.is_set():
            taken = self.region.take()
            if self._changes:
                self._show_turned()
            if taken is None:
                continue
            if taken.has_lost or taken.events:
                self._obey(engine, taken)
            start = min(self._lead, taken.count)
            if start:
                # A song begins at 0, so that a bounce is the same with and without a pre-roll.
                engine.callback(entered[:start], played[:start])
                self._lead -= start
                if not self._lead:
                    engine.seek(0, forget=True)
            # The DAW may be waiting: what nobody hears comes after its block.
            engine.play(entered[start : taken.count], played[start : taken.count])
            self.region.give(taken.count)
            engine.measure()

    def _show_turned(self) -> None:
        """Show the host the knobs that stand elsewhere than it knows; its own moves never come back to it.

        Here and not in `poll`, so that a gesture is recorded with the next block, and no move of the host's is between.
        """
        changes = (change for change in self._changes.take() if change.origin != ORIGIN)
        changed = {knob.name for change in changes for knob in change.accepted}
        targets = self._store.targets()
        for name in changed & self._places.keys() & targets.keys():
            if targets[name] != self._known.get(name):
                self._known[name] = targets[name]
                self.region.turn(self._places[name], targets[name])

    def _obey(self, engine: Engine, taken: Taken) -> None:
        """Turn knobs and follow jumps, which hold from the first of the samples that were taken."""
        if taken.has_lost:
            # Where samples are missing the sound has a step, which must not come out as a band.
            self.follow_knobs()
            engine.seek(self._on_timeline(self.region.timeline()), forget=bool(taken.is_offline))
        jump: Event | None = None
        for event in self.region.events(taken.events):
            if not math.isfinite(event.value):
                continue  # No plug-in of ours sends that, and the sound must go on.
            if event.kind == SEEK:
                jump = event
            elif event.knob < len(self._ids):
                self._turn(self._ids[event.knob], event.value)
        if jump is not None:
            position = self._on_timeline(jump.value)
            self._lead = max(0, -position) if taken.is_offline else 0
            engine.seek(position, forget=bool(taken.is_offline))

    @staticmethod
    def _on_timeline(position: float) -> int:
        return int(max(-_LATEST, min(position, _LATEST)))

    def follow_knobs(self) -> None:
        """Set every knob to where the host has it."""
        for name, value in zip(self._ids, self.region.knobs(len(self._ids)), strict=True):
            self._turn(name, value)

    def _turn(self, name: str, value: float) -> None:
        self._known[name] = value
        try:
            if self._store.setting(name).value != value:
                self._store.request(name, value, ORIGIN, gesture="daw")
        except SettingsError:
            pass  # A chain that lacks the knob plays without it.
