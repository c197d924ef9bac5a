"""MIDI on the page: which knob learns, what has just been learned, and the map to look at and change."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from nicegui import ui
from nicegui.events import GenericEventArguments

from plugin_host.panel.elements import Ask, MidiTable, button, window
from plugin_host.panel.host_mirror import PanelLink


class MidiDialog:
    """The strip that shows while a knob learns, and the window with the map.

    Args:
        link: The host.
        ask: Asks the host and shows the person where it refuses; returns None then.
        show: Shows a sentence on the page.
    """

    def __init__(self, link: PanelLink, ask: Ask, show: Callable[[str], None]) -> None:
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
            self._show(self._outcome(self._learning, revision != self._revision))
        self._strip.set_visibility(bool(learning))
        self._learning, self._revision = learning, revision
        self._show_table()

    def _outcome(self, knob: str, is_new: bool) -> str:
        bindings = (self._link.midi or {}).get("bindings", ())
        source = next((one["source"] for one in bindings if one["control"] == knob), "")
        return f"{source} moves {self._name(knob)}" if is_new and source else "nothing was learned"

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
        if await self._ask(do, **fields) is None:
            # What the person chose stands in the browser alone; it has to go back.
            self._refused += 1
            self._show_table()
