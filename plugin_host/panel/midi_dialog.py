"""MIDI on the page: which knob learns, what has just been learned, and the map to look at and change."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from nicegui import ui
from nicegui.events import GenericEventArguments

from plugin_host.panel.elements import Ask, MidiTable, Show, button, window
from plugin_host.panel.host_mirror import PanelLink


class MidiDialog:
    """The strip that shows while a knob learns, and the window with the map.

    Args:
        link: The host.
        ask: Asks the host and shows the person where it refuses; returns None then.
        show: Shows a sentence on the page, and what takes it back.
    """

    def __init__(self, link: PanelLink, ask: Ask, show: Show) -> None:
        self._link, self._ask, self._show = link, ask, show
        self._learning: str | None = None
        self._revision: object = None
        self._refused = 0
        with ui.element("div").classes("hb-learn").props('role="alert"') as self._strip:
            self._words = ui.label()
            button("cancel", self.cancel, "Cancel learning")
        self._strip.set_visibility(False)
        with window("MIDI", "Close the MIDI map", "hb-wide") as self._dialog:
            self._table = MidiTable()
            self._table.on("learn", self._learn_from)
            self._table.on("bind", self._bind)
            self._table.on("unbind", self._unbind)

    @property
    def is_learning(self) -> bool:
        """Whether a knob waits for a control."""
        return bool((self._link.midi or {}).get("learning"))

    def open(self) -> None:
        """Show the map."""
        self._show_table()
        self._dialog.open()

    async def learn(self, knob: str) -> None:
        """Let the next control that moves become this knob's."""
        await self._ask("midi_learn", knob=knob)

    async def cancel(self) -> None:
        """Stop waiting for a control."""
        if self.is_learning:
            await self._ask("midi_cancel")

    def refresh(self) -> None:
        """Show what is new: the knob that learns, what it learned, the map."""
        midi = self._link.midi or {}
        learning, revision = midi.get("learning"), midi.get("revision")
        if learning:
            port = midi.get("port") or "the controller, once it is there,"
            self._words.set_text(f"Move a control of {port} for {self._name(learning)}; Escape cancels")
        elif self._learning:
            self._show_learned(self._learning, revision != self._revision)
        self._strip.set_visibility(bool(learning))
        self._learning, self._revision = learning, revision
        self._show_table()

    def _show_learned(self, knob: str, is_new: bool) -> None:
        midi = self._link.midi or {}
        source = next((one["source"] for one in midi.get("bindings", ()) if one["control"] == knob), "")
        if not is_new or not source:
            self._show("nothing was learned")
            return
        taken = "".join(f", and {self._name(one)} no longer" for one in midi["taken"])
        self._show_undoable(f"{source} moves {self._name(knob)}{taken}", midi)

    def _show_undoable(self, news: str, midi: Mapping[str, Any]) -> None:
        self._show(news, undo=partial(self._undo, midi["revision"]))

    async def _undo(self, revision: int) -> None:
        if (self._link.midi or {}).get("revision") != revision:
            self._show("the map has changed since then, and stays as it is")
        elif await self._ask("midi_undo"):
            self._show("the controller moves what it moved before")

    def _name(self, knob: str) -> str:
        return next((str(one["name"]) for one in self._bindable if one["id"] == knob), knob)

    @property
    def _bindable(self) -> list[dict[str, Any]]:
        return [*self._link.knobs, *(self._link.midi or {}).get("steps", ())]

    def _show_table(self) -> None:
        midi = self._link.midi
        shown = midi and {name: midi.get(name) for name in ("port", "map", "bindings", "programs")}
        knobs = [{"id": knob["id"], "name": knob["name"], "curve": knob["curve"]} for knob in self._bindable]
        self._table.show(midi=shown, knobs=knobs, refused=self._refused)

    async def _learn_from(self, event: GenericEventArguments) -> None:
        self._dialog.close()
        await self.learn(str(event.args["knob"]))

    async def _bind(self, event: GenericEventArguments) -> None:
        await self._change("midi_bind", binding=dict(event.args["binding"]))

    async def _unbind(self, event: GenericEventArguments) -> None:
        await self._change("midi_unbind", knob=str(event.args["knob"]))

    async def _change(self, do: str, **fields: Any) -> None:
        reply = await self._ask(do, **fields)
        if reply is None:
            # What the person chose stands in the browser alone; it has to go back.
            self._refused += 1
            self._show_table()
        elif taken := reply["midi"]["taken"]:
            names = " and ".join(map(self._name, taken))
            self._show_undoable(f"no MIDI control moves {names} any more", reply["midi"])
