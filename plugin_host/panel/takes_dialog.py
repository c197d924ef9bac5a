"""Recording on the page: a button that begins and ends a take, and a window with the takes there are."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from nicegui import background_tasks, ui
from nicegui.elements.mixins.text_element import TextElement

from plugin_host.panel.elements import Ask, button, press_in, window
from plugin_host.panel.host_mirror import PanelLink


class TakesDialog:
    """The two buttons of the bar, and the window over the page.

    Args:
        link: The host.
        ask: Asks the host and shows where it refuses; returns None then.
        show_news: Shows a sentence on the page.
    """

    def __init__(self, link: PanelLink, ask: Ask, show_news: Callable[[str], None]) -> None:
        self._link, self._ask, self._show_news = link, ask, show_news
        self._has_looked = False
        with window("Takes", "Close the takes") as self._dialog:
            self._folder = ui.label().classes("hb-caption")
            self._list = ui.element("ul").classes("hb-list hb-takes").props('aria-label="Takes"')

    def place_buttons(self) -> None:
        """Show the buttons here."""
        with ui.element("div").classes("hb-group").props('role="group" aria-label="Recording"'):
            self._record = button("record", self._flip, "Record input and output")
            self._listed = button("takes", self.open, "Takes: what was recorded")

    def refresh(self) -> None:
        """Show whether the host records, and for how long; offer what a crash has left, once."""
        state = self._state
        for one in (self._record, self._listed):
            one.set_visibility(bool(state))
        press_in(self._record, bool(state.get("on")), bool(self._link.away))
        self._record.set_text(f"record {_clock(state['seconds'])}" if state.get("on") else "record")
        if state and not self._has_looked and not self._link.away:
            self._has_looked = True
            background_tasks.create(self._offer_recovered(), context=ui.context.slot)

    async def open(self) -> None:
        """Show the takes that the host has now."""
        if reply := await self._ask("takes"):
            self._show(reply)
            self._dialog.open()

    async def _flip(self) -> None:
        is_on = not self._state.get("on")
        if reply := await self._ask("record", on=is_on):
            takes = reply["takes"]
            done = f"recorded {takes[0]['name']}, {_clock(takes[0]['seconds'])}" if takes else "nothing was recorded"
            self._show_news(f"recording to {reply['folder']}" if is_on else done)

    async def _offer_recovered(self) -> None:
        reply = await self._ask("takes") or {"takes": []}
        saved = [one for one in reply["takes"] if one["recovered"]]
        if saved:
            length = _clock(saved[0]["seconds"])
            name = saved[0]["name"]
            self._show_news(f"the last session broke off while it recorded; {name}, {length}, is among the takes")

    @property
    def _state(self) -> dict[str, Any]:
        return dict(self._link.stats.get("recording") or {})

    def _show(self, reply: dict[str, Any]) -> None:
        self._folder.set_text(f"In {reply['folder']}, input and output as WAV, 32-bit float")
        self._list.clear()
        with self._list:
            for take in reply["takes"]:
                with ui.element("li"):
                    TextElement(tag="strong", text=take["name"])
                    TextElement(tag="span", text=_clock(take["seconds"]))
                    if take["recovered"]:
                        TextElement(tag="span", text="saved after a crash").classes("hb-edited")
                    TextElement(tag="code", text=f"highband render {take['dry']} -o again.wav").classes("hb-caption")
            if not reply["takes"]:
                TextElement(tag="li", text="Nothing was recorded yet.")


def _clock(seconds: float) -> str:
    return f"{int(seconds) // 60}:{int(seconds) % 60:02d}"
