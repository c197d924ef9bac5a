"""What each request of the control protocol does: the store and the host behind one table of commands."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from plugin_host.control import host as hosts
from plugin_host.control import protocol
from plugin_host.control.host import Controller, Host
from plugin_host.control.request import (
    COMMANDS,
    SLOW,
    Audition,
    Compare,
    CopySlot,
    Describe,
    DiffPreset,
    EndGesture,
    Favourite,
    Get,
    LoadPreset,
    Lock,
    MidiBind,
    MidiLearn,
    MidiPort,
    MidiUnbind,
    Plain,
    Request,
    SavePreset,
    SelectSlot,
    Set,
    SetChain,
    SetMany,
    StepPreset,
    Switch,
)
from plugin_host.settings.changes import Accepted, Change, SettingsError
from plugin_host.settings.snapshots import SLOTS
from plugin_host.settings.store import SettingsStore

Content = dict[str, Any]


class Dispatch:
    """Does requests and returns what their replies hold.

    Args:
        store: Takes the settings.
        host: Does all else.
        telemetry_port: Sent to clients, which know the host's name better than it does itself.
        midi: The controller, or None where the host plays without one.
    """

    def __init__(self, store: SettingsStore, host: Host, telemetry_port: int, midi: Controller | None = None) -> None:
        self._store, self._host, self._port, self._midi = store, host, telemetry_port, midi
        self._plain: Mapping[str, Callable[[str], Content]] = {
            "presets": lambda _: {"presets": hosts.list_presets()},
            "plugins": lambda _: {"plugins": hosts.list_plugins()},
            "chain": lambda _: {"chain": list(host.chain())},
            "slots": lambda _: self._slots(),
            "undo": lambda origin: self._change(store.undo(origin, host.play)),
            "redo": lambda origin: self._change(store.redo(origin, host.play)),
            "stats": lambda _: {"stats": dict(host.stats())},
            "meters": lambda _: {"meters": dict(host.meters())},
            "spectra": lambda _: {"spectra": spectra(host)},
            "midi": lambda _: {"midi": midi.state() if midi else None},
            "midi_cancel": lambda _: self._cancel_learning(),
            "midi_undo": lambda _: self._map(None),
            "snapshot": lambda _: self._snapshot(),
            "takes": lambda _: dict(host.recordings()),
            "end_comparison": lambda _: self._end_comparison(),
        }

    def is_slow(self, request: Request, is_busy: bool) -> bool:
        """Return whether a request may take seconds, so that the sockets must not wait for it.

        Args:
            request: The request.
            is_busy: Whether an earlier slow one is not done yet: undo and redo come after it.
        """
        if request.do == "undo" or request.do == "redo":
            return is_busy or self._store.builds(request.do)
        return request.do in SLOW

    def answer(self, request: Request) -> Content:
        """Do one request; raise ValueError with a sentence where it is refused."""
        if isinstance(request, Plain):
            return self._plain[request.do](request.origin)
        if isinstance(request, (Set, SetMany, EndGesture)):
            return self._move(request)
        if isinstance(request, (SelectSlot, CopySlot, Lock, Switch)):
            return self._choose(request)
        if isinstance(request, (Compare, Audition)):
            return self._compare(request)
        if isinstance(request, (LoadPreset, StepPreset, SavePreset, Favourite, SetChain)):
            return self._build(request)
        if isinstance(request, (MidiLearn, MidiBind, MidiUnbind, MidiPort)):
            return self._map(request)
        if isinstance(request, DiffPreset):
            return {"diff": hosts.diff_preset(self._store, self._host, request.name)}
        return self._describe() if isinstance(request, Describe) else self._get(request)

    def _move(self, request: Set | SetMany | EndGesture) -> Content:
        if isinstance(request, EndGesture):
            self._store.end_gesture(request.origin, request.gesture)
            return {}
        if isinstance(request, SetMany):
            moved = self._store.request_many(request.values, request.origin, request.gesture)
            settings = {accepted.name: protocol.setting(accepted) for accepted in moved}
            return {"sequence": moved[0].sequence, "settings": settings}
        return _moved(self._store.request(request.knob, request.value, request.origin, request.gesture))

    def _choose(self, request: SelectSlot | CopySlot | Lock | Switch) -> Content:
        if isinstance(request, Switch):
            if request.do == "bypass":
                return _moved(self._store.request("bypass", float(request.on), request.origin))
            self._host.record(request.on)
            return dict(self._host.recordings())
        if isinstance(request, Lock):
            self._store.lock(request.knob, request.on, request.origin)
            return {"locked": list(self._store.snapshot().locked)}
        if isinstance(request, SelectSlot):
            return self._change(self._store.select_slot(request.slot, request.origin))
        self._store.copy_slot(request.source, request.target, request.origin)
        return self._slots()

    def _compare(self, request: Compare | Audition) -> Content:
        if isinstance(request, Compare):
            self._host.compare([(side.kind, side.name) for side in request.sides])
        else:
            self._host.audition(request.side)
        return {}

    def _end_comparison(self) -> Content:
        self._host.end_comparison()
        return {}

    def _build(self, request: LoadPreset | StepPreset | SavePreset | Favourite | SetChain) -> Content:
        if isinstance(request, SetChain):
            hosts.set_chain(self._store, self._host, request.before, request.after, request.origin)
            return {"chain": list(self._host.chain())}
        if isinstance(request, LoadPreset):
            return self._change(hosts.load_preset(self._store, self._host, request.name, request.origin))
        if isinstance(request, StepPreset):
            name = hosts.next_preset(self._host, request.way)
            return {"name": name, **self._change(hosts.load_preset(self._store, self._host, name, request.origin))}
        if isinstance(request, Favourite):
            return {"favourites": hosts.mark_favourite(request.name, request.on)}
        hosts.save_preset(self._store, self._host, request)
        return {"name": request.name}

    def _map(self, request: MidiLearn | MidiBind | MidiUnbind | MidiPort | None) -> Content:
        if self._midi is None:
            raise SettingsError("no_midi", "this host plays without a controller; start highband live with --midi")
        if isinstance(request, MidiLearn):
            self._midi.learn(request.knob)
        elif isinstance(request, MidiPort):
            self._midi.use_port(request.port)
        elif isinstance(request, MidiBind):
            self._midi.bind(request.binding)
        elif isinstance(request, MidiUnbind):
            self._midi.unbind(request.knob)
        else:
            self._midi.undo()
        return {"midi": self._midi.state()}

    def _cancel_learning(self) -> Content:
        if self._midi is not None:
            self._midi.cancel()
        return {}

    def _describe(self) -> Content:
        return {
            "program": "highband",
            "program_version": _program_version(),
            "commands": list(COMMANDS),
            "topics": list(protocol.TOPICS),
            "telemetry_port": self._port,
            "knobs": [asdict(control) for control in self._store.controls],
        }

    def _get(self, request: Get) -> Content:
        snapshot = self._store.snapshot()
        if request.knob is None:
            wanted = snapshot.settings
        else:
            wanted = {request.knob: self._store.setting(request.knob)}
        return {
            "sequence": snapshot.sequence,
            "settings": {name: protocol.setting(accepted) for name, accepted in wanted.items()},
        }

    def _snapshot(self) -> Content:
        now = self._store.snapshot()
        return {
            "sequence": now.sequence,
            "slot": now.slot,
            "slots": list(now.slots),
            "can_undo": now.can_undo,
            "can_redo": now.can_redo,
            "locked": list(now.locked),
            "settings": {name: protocol.setting(accepted) for name, accepted in now.settings.items()},
            "chain": list(self._host.chain()),
        }

    def _slots(self) -> Content:
        now = self._store.snapshot()
        return {"slot": now.slot, "slots": {slot: slot in now.slots for slot in SLOTS}}

    def _change(self, change: Change) -> Content:
        return protocol.change(change)


def _moved(accepted: Accepted) -> Content:
    return {"knob": accepted.name, **protocol.setting(accepted)}


def spectra(host: Host) -> dict[str, list[float]]:
    """Return the host's spectra by name."""
    before, after = host.spectra()
    return {"in": list(before), "out": list(after)}


def _program_version() -> str:
    try:
        return version("highband")
    except PackageNotFoundError:
        return "unknown"
