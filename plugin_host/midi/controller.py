"""The thread between a MIDI controller and the knobs; it looks for the controller while that is away."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from typing import Protocol

from models.control import Control
from plugin_host.control.host import Host, load_preset, next_preset
from plugin_host.midi.control_surface import Surface
from plugin_host.midi.map import MidiMap
from plugin_host.midi.ports import CLIENT, MidiError, MidiPort, list_ports
from plugin_host.settings.store import SettingsStore

# In the place of a port: none.
OFF = "off"
# How often a controller that is there is missed; one that is away is looked for ever less often.
_LOOK_S, _LOOK_LONGEST_S = 1.0, 4.0
# How often messages are fetched: less than a block, a tenth of a glide, and too seldom to be in the sound's way.
_FETCH_S = 0.002
# So seldom while the controller rests: every look takes the interpreter from the sound for a moment.
_FETCH_RESTING_S, _RESTS_AFTER_S = 0.005, 1.0
# And so while there is none.
_AWAY_S = 0.1
# Messages read at once: a flood must not hold the interpreter for longer than a block has.
_MOST = 256
# Lights follow at 40 Hz, and drags are closed then.
_LIGHTS_S = 0.025


class Port(Protocol):
    """What carries messages, such as a MidiPort.

    Attributes:
        name: Full name while it is open, or "".
    """

    name: str

    def look(self) -> bool:
        """Open it if it is there, and return whether it was opened just now."""
        ...

    def receive(self, most: int) -> list[Sequence[int]]:
        """Return the bytes of the messages that wait, oldest first."""
        ...

    def send(self, data: bytes) -> None:
        """Send one message."""
        ...

    def close(self) -> None:
        """Close it."""
        ...


class MidiControl:
    """A controller that moves the knobs while the program runs.

    Args:
        store: Where settings are requested.
        host: Loads the presets of program changes.
        controls: The knobs to begin with; later those of the store.
        midi_map: The controller's map.
        port: Part of the port's name; None for the map's own, or else the first there is; "virtual" to offer one. Or
            whatever else carries messages. "off": none until `use_port` names one.
        api: As in MidiPort.
        report: Called with a sentence when something comes, goes or is refused; called on the worker's thread.
        client: As in MidiPort.

    Attributes:
        surface: The controller at work: learning, and the map in use.
        wanted: As the argument `port`.
    """

    def __init__(
        self,
        store: SettingsStore,
        host: Host,
        controls: Sequence[Control],
        midi_map: MidiMap,
        port: str | Port | None = None,
        api: str | None = None,
        report: Callable[[str], None] = lambda sentence: None,
        client: str = CLIENT,
    ) -> None:
        def play_preset(name: str | int, origin: str) -> object:
            chosen = next_preset(host, name) if isinstance(name, int) else name
            return load_preset(store, host, chosen, origin)

        self.surface = Surface(store, play_preset, controls, midi_map, report=report)
        self.wanted = port if isinstance(port, str) else midi_map.port or ""
        self._store, self._api, self._client = store, api, client
        self._controls = tuple(controls)
        self._port: Port = self._new_port() if port is None or isinstance(port, str) else port
        self._report = report
        self._ending, self._look_now = threading.Event(), threading.Event()
        self._thread: threading.Thread | None = None

    @property
    def port_name(self) -> str:
        """Full name of the port that is open, or ""."""
        return self._port.name

    def start(self) -> None:
        """Begin; a controller that is not there yet is waited for.

        Raises:
            MidiError: rtmidi is missing, or the requested MIDI system is.
        """
        if self._thread is not None or self.wanted == OFF:
            return
        self._look()
        if not self._port.name:
            self._report(self._why_silent())
        # Of this thread alone: one that was not waited for must still end.
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(self._ending,), name="midi", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End and close the port; messages that came before are applied."""
        thread, self._thread = self._thread, None
        if thread is not None:
            self._ending.set()
            # It may wait for a preset that this very thread has to load; ending must not wait for that.
            thread.join(timeout=0.5)
        self._port.close()

    def use_port(self, wanted: str) -> None:
        """Play from another port from now on; `start` begins with it, "off" ends it.

        Raises:
            MidiError: rtmidi is missing.
        """
        self.stop()
        self.wanted = wanted
        self._port = self._new_port()
        self.start()

    def _new_port(self) -> MidiPort:
        return MidiPort(self.wanted, self._api, self._client)

    def reconnect(self) -> None:
        """Close the port at once and look for it anew.

        Called when a JACK server has stopped: its MIDI clients do not notice by themselves.
        """
        self._port.close()
        self._look_now.set()

    def _why_silent(self) -> str:
        try:
            list_ports(self._api)
        except MidiError as error:
            return str(error)
        return f"MIDI waits for {self.wanted or 'a controller'}; plug it in, or see highband midi ports"

    def _run(self, ending: threading.Event) -> None:
        look_at = lights_at = rests_at = 0.0
        away = _LOOK_S
        while not ending.is_set():
            # Cheaper than to wait for the end, which has the time of one round.
            time.sleep(self._pause_s(rests_at))
            now = time.monotonic()
            if self._fetch(now):
                rests_at = now + _RESTS_AFTER_S
                self.surface.request_settings(now)
            if now >= look_at or self._look_now.is_set():
                self._look_now.clear()
                self._look()
                away = _LOOK_S if self._port.name else min(_LOOK_LONGEST_S, 2.0 * away)
                look_at = now + away
            if now >= lights_at:
                lights_at = now + _LIGHTS_S
                self._follow_controls()
                self.surface.update(now)
                self._send_lights()
        while self._fetch(time.monotonic()):
            pass
        self.surface.update(time.monotonic())

    def _pause_s(self, rests_at: float) -> float:
        if not self._port.name:
            return _AWAY_S
        return _FETCH_S if time.monotonic() < rests_at else _FETCH_RESTING_S

    def _fetch(self, now: float) -> bool:
        """Read the messages that wait; return whether there were any."""
        messages = self._port.receive(_MOST)
        for data in messages:
            self.surface.receive(data, now)
        return bool(messages)

    def _follow_controls(self) -> None:
        """Use the knobs of another preset."""
        controls = self._store.controls
        if controls != self._controls:
            self._controls = controls
            self.surface.use_controls(controls)

    def _look(self) -> None:
        before = self._port.name
        if self._port.look():
            self.surface.origin = f"midi:{self._port.name}"
            self.surface.forget_feedback()
            self._report(f"MIDI plays from {self._port.name}")
        elif before and not self._port.name:
            self._report(f"{before} has gone; MIDI waits for it to come back")

    def _send_lights(self) -> None:
        if self._port.name:
            for data in self.surface.feedback():
                self._port.send(data)
