"""The menu of a knob: type a value, reset, learn or forget a MIDI control, lock against presets, how to automate."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from nicegui.events import GenericEventArguments

from plugin_host.panel.elements import Ask, Menu
from plugin_host.panel.host_mirror import PanelLink

FieldOf = Callable[[str], Callable[[], object] | None]


class KnobMenu:
    """One menu for all knobs and switches of the page.

    Args:
        link: The host.
        ask: Asks the host and shows where it refuses; returns None then.
        show_news: Shows a sentence on the page.
        field_of: Returns what opens the field of a knob, given its id, or None where it has none.
    """

    def __init__(
        self,
        link: PanelLink,
        ask: Ask,
        show_news: Callable[[str], None],
        field_of: FieldOf,
    ) -> None:
        self._link, self._ask, self._show_news, self._field_of = link, ask, show_news, field_of
        self._menu = Menu()
        self._menu.on("choose", self._choose)

    def open(self, knob: str, event: GenericEventArguments) -> None:
        """Show what can be done with a knob, at the place of the event."""
        declaration = self._declaration(knob)
        if declaration is None:
            return
        place = {"x": event.args["clientX"], "y": event.args["clientY"]}
        self._menu.run_method("open", {"knob": knob, "name": declaration["name"], **place, "items": self.items(knob)})

    def items(self, knob: str) -> list[dict[str, Any]]:
        """Return the entries: what each does, its text, its key, and whether it is on."""
        declaration = self._declaration(knob) or {}
        bindings = (self._link.midi or {}).get("bindings", ())
        source = next((one["source"] for one in bindings if one["control"] == knob), "")
        items: list[dict[str, Any]] = []
        if self._field_of(knob):
            items += [{"act": "type", "text": "Type a value", "key": "Enter"}]
        if declaration.get("curve") != "switch":
            items += [{"act": "reset", "text": "Reset", "key": "Delete"}]
        items.append({"act": "learn", "text": "Learn a MIDI control"})
        if source:
            items.append({"act": "forget", "text": f"Forget {source}"})
        if knob not in self._link.settings:
            return items
        items.append({"act": "lock", "text": "Lock against presets", "on": knob in self._link.state["locked"]})
        items.append({"act": "automate", "text": "How to automate it"})
        return items

    def _declaration(self, knob: str) -> dict[str, Any] | None:
        steps = (self._link.midi or {}).get("steps", ())
        return next((one for one in (*self._link.knobs, *steps) if one["id"] == knob), None)

    async def _choose(self, event: GenericEventArguments) -> None:
        knob, act = str(event.args["knob"]), str(event.args["act"])
        declaration = self._declaration(knob)
        if declaration is None:
            return
        if act == "type" and (open_field := self._field_of(knob)):
            open_field()
        elif act == "reset":
            await self._ask("set", knob=knob, value=declaration["default"])
        elif act == "learn":
            await self._ask("midi_learn", knob=knob)
        elif act == "forget" and await self._ask("midi_unbind", knob=knob):
            self._show_news(f"no MIDI control moves {declaration['name']} any more")
        elif act == "lock":
            await self._lock(knob, str(declaration["name"]))
        elif act == "automate":
            from plugin_host.control.osc_server import address_of

            self._show_news(
                f"{declaration['name']} moves by OSC at {address_of(knob)}, by highband set {knob}=VALUE, and in a DAW "
                "as the plug-in's parameter; highband live --automation-out FILE records its moves"
            )

    async def _lock(self, knob: str, name: str) -> None:
        is_locked = knob in self._link.state["locked"]
        if await self._ask("lock", knob=knob, on=not is_locked):
            self._show_news(f"presets move {name} again" if is_locked else f"{name} is locked: no preset moves it")
