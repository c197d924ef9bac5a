"""The knobs of the page: those turned most are large, the model's others fold away, each effect has a rack."""

from __future__ import annotations

from collections.abc import Callable, Collection
from functools import partial
from typing import Any, NamedTuple

from nicegui import ui
from nicegui.elements.mixins.text_element import TextElement

from plugin_host.panel.elements import Knob
from plugin_host.panel.host_mirror import PanelLink
from plugin_host.panel.labels import MODEL, found_of, groups_of

LARGE = ("amount", "crossover")
BESIDE = ("tone", "ceiling")
_POLES = {"tone": ["noise", "harmonics"], "ceiling": ["dark", "bright"]}
_UNKNOWN = {"value": 0.0, "text": "", "position": 0.0}


class Acts(NamedTuple):
    """What the page does for a knob; each is called with the knob's id, `end` without."""

    turn: Callable[..., Any]
    end: Callable[..., Any]
    menu: Callable[..., Any]


class KnobBoard:
    """The knobs of the model in a section of their own, and those of the effects where `place_racks` is called.

    Args:
        link: The host.
        leave_out: Ids of knobs that the page shows in another way.
        acts: What turning a knob does.
    """

    def __init__(self, link: PanelLink, leave_out: Collection[str], acts: Acts) -> None:
        self._link, self._leave_out, self._acts = link, leave_out, acts
        self._groups: list[tuple[str, list[dict[str, Any]]]] = []
        self._knobs: dict[str, Knob] = {}
        self._racks: ui.element | None = None
        with ui.element("section").classes("hb-board hb-instrument").props('aria-label="Knobs"'):
            self._front = ui.element("div").classes("hb-knobs hb-front")
            with ui.element("details").classes("hb-more"):
                TextElement(tag="summary", text="more knobs")
                self._rest = ui.element("div").classes("hb-knobs")

    def place_racks(self) -> None:
        """Show the knobs of the effects here."""
        self._racks = ui.element("div").classes("hb-racks")

    def refresh(self) -> None:
        """Show what is new at the host."""
        link = self._link
        if (groups := groups_of(link.knobs, link.state["chain"], self._leave_out)) != self._groups:
            self._build(groups)
        midi = link.midi or {}
        sources = {one["control"]: one["source"] for one in midi.get("bindings", ())}
        for knob, element in self._knobs.items():
            if knob in link.settings:
                element.show(setting=link.settings[knob])
            ghost, is_learning = midi.get("ghosts", {}).get(knob), midi.get("learning") == knob
            element.show(away=bool(link.away), ghost=ghost, learning=is_learning, source=sources.get(knob, ""))
            element.show(locked=knob in link.state["locked"])

    def show_found(self) -> None:
        """Show where the crossover stands while it is automatic."""
        if crossover := self._knobs.get("crossover"):
            crossover.show(found=found_of(self._link.stats, self._link.settings))

    def redraw(self, knob: str) -> None:
        """Put a knob back to where the host has it."""
        if knob in self._knobs:
            self._knobs[knob].update()

    def field_of(self, knob: str) -> Callable[[], object] | None:
        """Return what opens the field of a knob in the browser, or None for a knob that is not on the board."""
        return partial(self._knobs[knob].run_method, "type", "") if knob in self._knobs else None

    def _build(self, groups: list[tuple[str, list[dict[str, Any]]]]) -> None:
        self._groups = groups
        self._knobs.clear()
        for place in (self._front, self._rest, self._racks):
            if place is not None:
                place.clear()
        own = {knob["id"]: knob for title, knobs in groups if title == MODEL for knob in knobs}
        first = [own[id] for id in (*LARGE, *BESIDE) if id in own]
        self._fill(self._front, first)
        self._fill(self._rest, [knob for knob in own.values() if knob not in first])
        with self._racks or self._rest:
            for title, knobs in groups:
                if title != MODEL:
                    with ui.element("div").classes("hb-rack"):
                        TextElement(tag="h2", text=title).classes("hb-heading")
                        self._fill(ui.element("div").classes("hb-knobs"), knobs)

    def _fill(self, place: ui.element, knobs: list[dict[str, Any]]) -> None:
        with place:
            for knob in knobs:
                self._knobs[knob["id"]] = part = Knob()
                part.on("turn", partial(self._acts.turn, knob["id"]))
                part.on("end", self._acts.end)
                part.on("menu", partial(self._acts.menu, knob["id"]))
                look = {"large": knob["id"] in LARGE, "poles": _POLES.get(knob["id"], [])}
                part.show(knob=knob, setting=self._link.settings.get(knob["id"], _UNKNOWN), away=False, **look)
