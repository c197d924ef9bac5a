"""What each request of the control protocol does: the store and the host behind one table of commands."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from plugin_host import host as hosts
from plugin_host import protocol
from plugin_host.changes import Change
from plugin_host.host import Host
from plugin_host.settings import SettingsStore
from plugin_host.slots import SLOTS

Content = dict[str, Any]
# They read files or build a chain, so they must not keep the sockets waiting.
SLOW = frozenset({"presets", "load_preset", "save_preset", "set_chain"})


class Dispatch:
    """Does requests and returns what their replies hold.

    Args:
        store: Takes the settings.
        host: Does all else.
        telemetry_port: Told to clients, who know the host's name better than it does itself.
    """

    def __init__(self, store: SettingsStore, host: Host, telemetry_port: int) -> None:
        self._store, self._host, self._port = store, host, telemetry_port
        self._plain: Mapping[str, Callable[[str], Content]] = {
            "presets": lambda _: {"presets": hosts.list_presets()},
            "chain": lambda _: {"chain": list(host.chain())},
            "slots": lambda _: self._slots(),
            "undo": lambda origin: self._change(store.undo(origin)),
            "redo": lambda origin: self._change(store.redo(origin)),
            "stats": lambda _: {"stats": dict(host.stats())},
            "meters": lambda _: {"meters": dict(host.meters())},
            "spectra": lambda _: {"spectra": spectra(host)},
            "snapshot": lambda _: self._snapshot(),
        }

    def answer(self, request: protocol.Request) -> Content:
        """Do one request; raise ValueError with a sentence where it is refused."""
        if isinstance(request, protocol.Plain):
            return self._plain[request.do](request.origin)
        if isinstance(request, (protocol.Set, protocol.SetMany, protocol.EndGesture, protocol.Bypass)):
            return self._move(request)
        if isinstance(request, (protocol.SelectSlot, protocol.CopySlot)):
            return self._choose(request)
        if isinstance(request, (protocol.LoadPreset, protocol.SavePreset, protocol.SetChain)):
            return self._build(request)
        return self._describe() if isinstance(request, protocol.Describe) else self._get(request)

    def _move(self, request: protocol.Set | protocol.SetMany | protocol.EndGesture | protocol.Bypass) -> Content:
        if isinstance(request, protocol.EndGesture):
            self._store.end_gesture(request.origin, request.gesture)
            return {}
        if isinstance(request, protocol.SetMany):
            moved = self._store.request_many(request.values, request.origin, request.gesture)
            settings = {accepted.name: protocol.setting(accepted) for accepted in moved}
            return {"sequence": moved[0].sequence, "settings": settings}
        if isinstance(request, protocol.Bypass):
            accepted = self._store.request("bypass", float(request.on), request.origin)
        else:
            accepted = self._store.request(request.knob, request.value, request.origin, request.gesture)
        return {"knob": accepted.name, **protocol.setting(accepted)}

    def _choose(self, request: protocol.SelectSlot | protocol.CopySlot) -> Content:
        if isinstance(request, protocol.SelectSlot):
            return self._change(self._store.select_slot(request.slot, request.origin))
        self._store.copy_slot(request.source, request.target, request.origin)
        return self._slots()

    def _build(self, request: protocol.LoadPreset | protocol.SavePreset | protocol.SetChain) -> Content:
        if isinstance(request, protocol.SetChain):
            self._host.set_chain(request.before, request.after)
            return {"chain": list(self._host.chain())}
        if isinstance(request, protocol.LoadPreset):
            return self._change(hosts.load_preset(self._store, self._host, request.name, request.origin))
        hosts.save_preset(self._store, self._host, request.name, request.description, request.overwrite)
        return {"name": request.name}

    def _describe(self) -> Content:
        return {
            "program": "highband",
            "program_version": _program_version(),
            "commands": list(protocol.COMMANDS),
            "topics": list(protocol.TOPICS),
            "telemetry_port": self._port,
            "knobs": [asdict(control) for control in self._store.controls],
        }

    def _get(self, request: protocol.Get) -> Content:
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
            "settings": {name: protocol.setting(accepted) for name, accepted in now.settings.items()},
            "chain": list(self._host.chain()),
        }

    def _slots(self) -> Content:
        now = self._store.snapshot()
        return {"slot": now.slot, "slots": {slot: slot in now.slots for slot in SLOTS}}

    def _change(self, change: Change) -> Content:
        return protocol.change(change)


def spectra(host: Host) -> dict[str, list[float]]:
    """Return the host's spectra by name."""
    before, after = host.spectra()
    return {"in": list(before), "out": list(after)}


def _program_version() -> str:
    try:
        return version("highband")
    except PackageNotFoundError:
        return "unknown"
