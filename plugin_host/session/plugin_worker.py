"""One instance's engine: a live session whose device is the plug-in in the DAW."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from models.atomic_write import write_atomically
from models.control import Control
from models.extender.controls import CONTROLS
from plugin_host.chain.chain import Chain
from plugin_host.chain.dry_wet import MATCH
from plugin_host.chain.program import DEFAULT_ARTIFACT, LiveSound
from plugin_host.midi.controller import MidiControl
from plugin_host.midi.ports import CLIENT
from plugin_host.plugin.device import PluginDevice
from plugin_host.plugin.instances import NOTE_SUFFIX, Instance
from plugin_host.plugin.product import OWN, make_stage, product_of
from plugin_host.preset.file import Preset
from plugin_host.session.host import LiveHost
from plugin_host.session.interfaces import InterfaceOptions, make_interfaces
from plugin_host.session.plugin_document import Restored, read_document, write_document
from plugin_host.session.plugin_panel import InstancePanel
from plugin_host.session.session import LiveSession
from plugin_host.settings.store import SettingsStore

_LOCAL = "tcp://127.0.0.1:0"
# The knobs that the host itself keeps.
_KNOWN = {control.id for control in CONTROLS}


class StageHost(LiveHost):
    """Plays one stage of somebody else's, which has no presets."""

    def load_preset(self, name: str) -> None:
        """Refuse."""
        raise ValueError("this plug-in plays a stage of its own, presets are for Highband's")

    def set_chain(self, before: Sequence[Mapping[str, Any]], after: Sequence[Mapping[str, Any]]) -> None:
        """Refuse."""
        raise ValueError("this plug-in plays a stage of its own, without effects around it")

    def compare(self, sides: Sequence[tuple[str, str]]) -> None:
        """Refuse."""
        raise ValueError("this plug-in plays a stage of its own; compare its settings in the DAW")


class Worker:
    """Plays one instance until the DAW closes it.

    Args:
        instance: The plug-in.
        warm: A new sound of the extender, built before, or None.
        report: Takes a sentence for the log.
    """

    def __init__(self, instance: Instance, warm: LiveSound | None, report: Callable[[str], None]) -> None:
        self._instance, self._report = instance, report
        self._is_own = instance.stage == OWN
        # What the session keeps, up to which change, and by which name of the track others find the instance.
        self._kept: tuple[LiveSound | None, int, str] = (None, 0, "")
        self._noted = -1
        self._warm = warm

    def run(self, stopped: Callable[[], bool]) -> None:
        """Play; raise ValueError with one sentence if the plug-in can't be played, which it then says too."""
        instance = self._instance
        store = SettingsStore(())
        controls = CONTROLS if self._is_own else self._stage_controls()
        device = PluginDevice(instance, store, controls)
        try:
            restored = self._restored(device)
            store.declare((*controls, MATCH) if not self._is_own else restored.sound.controls)
            store.begin(restored.settings, "session")
            kind = LiveHost if self._is_own else StageHost
            host = kind(restored.sound, store, device, "plug-in")
        except ValueError as error:
            device.refuse(str(error))
            raise
        device.region.write_reason(restored.warning)
        live = LiveSession(host, device, self._printer(device))
        # By the name under which MIDI systems show ports of our own, that other instances don't take for controllers.
        options = InterfaceOptions(
            control=_LOCAL, telemetry=_LOCAL, osc=0, midi=restored.midi_port, midi_client=f"{CLIENT}-{instance.name}"
        )
        live.interfaces = make_interfaces(options, host, self._log)
        live.open()
        panel = InstancePanel(device, lambda: _address(live), live.report)

        def follow() -> None:
            self._exchange(device, live)
            self._note(device, live)
            panel.follow()

        device.on_poll = follow
        try:
            live.run(stopped)
        finally:
            panel.stop()
            live.close()
            self._note_path().unlink(missing_ok=True)

    def _restored(self, device: PluginDevice) -> Restored:
        text = device.region.session() or ""
        if not self._is_own:
            stage = self._stage
            sound = LiveSound(Chain([], stage, []), Preset(name=self._instance.product), "", DEFAULT_ARTIFACT)
            return Restored(sound, {})
        if not text and self._warm is not None:
            return Restored(self._warm, {})
        return read_document(text)

    def _stage_controls(self) -> tuple[Control, ...]:
        instance = self._instance
        self._stage = make_stage(instance.stage, instance.folder)
        return product_of(self._stage, instance.stage, instance.product, instance.folder).controls

    def _printer(self, device: PluginDevice) -> Callable[[str], None]:
        def print_line(sentence: str) -> None:
            self._log(sentence)
            device.region.write_reason(sentence)

        return print_line

    def _log(self, sentence: str) -> None:
        self._report(f"{self._instance.name}: {sentence}")

    def _exchange(self, device: PluginDevice, live: LiveSession) -> None:
        """Follow a session that the DAW has loaded, and give it what it should keep."""
        if not self._is_own:
            return
        text = device.region.session()
        if text:
            self._follow(text, device, live)
        store, now = live.host.store, (live.host.sound, live.host.store.sequence, self._midi(live).wanted)
        # While nothing changes the interpreter is left to the audio thread.
        if now[0] is self._kept[0] and now[1:] == self._kept[1:]:
            return
        device.region.write_document(write_document(now[0], store.targets(), _KNOWN, now[2]))
        self._kept = now

    def _follow(self, text: str, device: PluginDevice, live: LiveSession) -> None:
        host, midi = live.host, self._midi(live)
        try:
            restored = read_document(text)
            if restored.midi_port != midi.wanted:
                midi.use_port(restored.midi_port)
            with host.store.one_step(host.program):
                host.play_sound(restored.sound)
                host.store.load(restored.settings, "session")
            device.follow_knobs()
        except ValueError as error:
            device.region.write_reason(str(error))
        else:
            device.region.write_reason(restored.warning)

    def _note_path(self) -> Path:
        return self._instance.path.with_suffix(NOTE_SUFFIX)

    def _note(self, device: PluginDevice, live: LiveSession) -> None:
        """Write where the instance is controlled, for `highband panel --instance` and the like."""
        if device.news.track == self._noted:
            return
        self._noted = device.news.track
        words = {
            "name": self._instance.name,
            "track": device.track,
            "control": _address(live),
            "osc": getattr(live.interfaces[1], "port", 0),
        }
        write_atomically(self._note_path(), json.dumps(words).encode(), 0o600)

    @staticmethod
    def _midi(live: LiveSession) -> MidiControl:
        (control,) = (interface for interface in live.interfaces if isinstance(interface, MidiControl))
        return control


def _address(live: LiveSession) -> str:
    return str(getattr(live.interfaces[0], "address", ""))
