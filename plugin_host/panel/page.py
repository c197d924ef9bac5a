"""The panel: a page in the browser with the knobs, the picture and the ways to compare; built with NiceGUI.

It is a process of its own and a client of the control protocol like any other.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from nicegui import app, ui
from nicegui.elements.mixins.text_element import TextElement
from nicegui.events import GenericEventArguments, KeyEventArguments

from models.extender.controls import NODES_HZ
from plugin_host.control.client import HostError, NoHostError
from plugin_host.panel.access import AccessGuard
from plugin_host.panel.blind_dialog import BlindDialog
from plugin_host.panel.chain_editor import addable, edited, with_options
from plugin_host.panel.elements import (
    ASSETS,
    ChainRow,
    Figures,
    Meters,
    Picture,
    Render,
    Spectrogram,
    button,
    every,
    press_in,
    send_again_after_a_break,
)
from plugin_host.panel.frames import FrameDesk
from plugin_host.panel.host_mirror import PanelLink
from plugin_host.panel.knob_board import Acts, KnobBoard
from plugin_host.panel.knob_menu import KnobMenu
from plugin_host.panel.labels import curve_of, match_of, summary_of, words_of
from plugin_host.panel.midi_dialog import MidiDialog
from plugin_host.panel.preset_bar import PresetBar
from plugin_host.panel.preset_dialog import PresetDialog
from plugin_host.panel.rendering.jobs import RenderJobs
from plugin_host.panel.rendering.routes import RenderDesk
from plugin_host.panel.takes_dialog import TakesDialog
from plugin_host.preset.nodes import Nodes, nodes_of
from plugin_host.settings.snapshots import SLOTS

# As often as a hand that turns a knob elsewhere is followed.
_REFRESH_S = 1.0 / 30.0
_WORDS_EVERY = 9
_MATCH = "compare.match"
_SWITCHES = {
    "bypass": "bypass: Play the input, delayed as the output is",
    "delta": "delta: Play only what is added",
    _MATCH: "match: Turn down the louder one of bypassed and processed, to compare them equally loud",
}
_STEPS = {"[": -1, "]": 1}
# A page whose connection broke goes on as it was where it is back by then, and is loaded again where it comes later: a
# phone that slept, a machine too busy to answer.
_KEPT_S = 300.0
_SUMMARY = "Share of the time for a block that is used, latency, and blocks that did not come in time"
_LOOK = "highband_look"
_THEMES: tuple[tuple[bool | None, str], ...] = ((None, "auto"), (False, "light"), (True, "dark"))


class Page:
    """What one browser sees of the host behind a link."""

    def __init__(self, link: PanelLink) -> None:
        self.link = link
        self._moved, self._rounds = -1, 0
        self._theme = _theme_of(ui.context.client.request.cookies.get(_LOOK, ""))
        self._is_editing = False
        self._slots: dict[str, ui.button] = {}
        self._switches: dict[str, ui.button] = {}
        self._dark = ui.dark_mode(_THEMES[self._theme][0])
        ui.add_css(ASSETS / "panel.css")
        ui.add_head_html('<script src="assets/frames.js"></script>')
        self._dialog = PresetDialog(link, self.ask, self.show)
        self._blind = BlindDialog(link, self.ask)
        self._takes = TakesDialog(link, self.ask, self.show)
        self._menu = KnobMenu(link, self.ask, self.show, lambda knob: self._board.field_of(knob))
        self._build_bar()
        self._away = ui.label().classes("hb-alert").props('role="alert"')
        self._midi = MidiDialog(link, self.ask, self.show)
        with ui.element("div").classes("hb-news"):
            self._news = ui.label().props('role="status"')
            self._take_back: Callable[[], Any] | None = None
            self._undo_news = button("undo", self._undo_what_was_shown, "Put it back as it was")
            self._undo_news.set_visibility(False)
        with ui.element("div").classes("hb-main"):
            self._build_show()
            self._board = KnobBoard(link, {*_SWITCHES, *NODES_HZ}, Acts(self.turn, self.end, self._menu.open))
            with ui.element("section").classes("hb-board hb-effects").props('aria-label="Chain"'):
                self._chain = ChainRow()
                self._chain.on("edit", self._edit)
                self._chain.show(chain=[], busy=True, effects=addable(), plugins=[])
                self._board.place_racks()
            with (
                ui.element("section").classes("hb-performance").props('aria-label="Performance"'),
                ui.element("details"),
            ):
                self._summary = TextElement(tag="summary", text="").props(f'title="{_SUMMARY}"')
                self._figures = Figures()
            with ui.element("section").classes("hb-board hb-rendered").props('aria-label="Render"'):
                Render()
        ui.keyboard(self._press, ignore=["input", "textarea"])
        every(_REFRESH_S, self.refresh)
        send_again_after_a_break()

    async def ask(self, do: str, **fields: Any) -> dict[str, Any] | None:
        """Ask the host; show the person where it refuses."""
        try:
            return await self.link.ask(do, **fields)
        except (HostError, NoHostError) as error:
            ui.notify(str(error), type="warning", position="bottom")
            return None

    def show(self, sentence: str, undo: Callable[[], Any] | None = None) -> None:
        """Show what has just happened, and a button for what takes it back where that is no step of the history."""
        self._news.set_text(sentence)
        self._take_back = undo
        self._undo_news.set_visibility(undo is not None)

    async def _undo_what_was_shown(self) -> None:
        if self._take_back is not None:
            await self._take_back()

    async def turn(self, knob: str, event: GenericEventArguments) -> None:
        """Move a knob as the browser asks."""
        wish = {"value": event.args["value"], "gesture": event.args["gesture"]}
        if not await self.ask("set", knob=knob, **wish):
            self._board.redraw(knob)

    async def end(self, event: GenericEventArguments) -> None:
        """End a drag."""
        await self.ask("end_gesture", gesture=event.args["gesture"])

    async def _flip(self, knob: str) -> None:
        is_on = bool(self.link.settings.get(knob, {}).get("value"))
        await self.ask("set", knob=knob, value=float(not is_on))

    async def _go(self, do: str) -> None:
        if await self.ask(do):
            # What was said of the step before is no longer so.
            self.show("")

    async def _edit(self, event: GenericEventArguments) -> None:
        if self._is_editing:
            return
        self._is_editing = True
        self._chain.show(busy=True)
        plugins = {one["id"]: one["path"] for one in self.link.plugins}
        try:
            nodes = edited(nodes_of(self.link.state["chain"], self.link.settings), **event.args, plugins=plugins)
            await self._set_chain(nodes)
        except (TypeError, ValueError) as error:
            ui.notify(str(error), type="warning", position="bottom")
        finally:
            self._is_editing, self._moved = False, -1

    async def _set_chain(self, nodes: Nodes) -> None:
        if reply := await self.ask("set_chain", **nodes):
            # The next edit must begin with this one, though the news of it is still on its way.
            self.link.state = {**self.link.state, "chain": reply["chain"]}

    async def _press(self, event: KeyEventArguments) -> None:
        if self._blind.is_on:
            # Escape counts when it is let go: a dialog looks at it then, and would close after the test's end.
            counts = event.action.keyup if event.key.name == "Escape" else event.action.keydown
            if counts and not event.action.repeat:
                await self._blind.press(event.key.name)
            return
        if event.action.keydown and event.key.name == "Escape":
            await self._midi.cancel()
        if event.action.keydown and event.key.name in _STEPS:
            await self._presets.step(_STEPS[event.key.name])
        if event.action.keydown and (event.modifiers.ctrl or event.modifiers.meta) and event.key.name.lower() == "z":
            await self._go("redo" if event.modifiers.shift else "undo")

    def _build_show(self) -> None:
        with ui.element("section").classes("hb-show").props('aria-label="Picture"'):
            self._picture = Picture()
            for knob in ("crossover", "ceiling", *NODES_HZ):
                self._picture.on(knob, partial(self.turn, knob))
            self._picture.on("end", self.end)
            self._picture.on("menu", lambda event: self._menu.open(event.args["knob"], event))
            Spectrogram()
        with ui.element("section").classes("hb-levels").props('aria-label="Levels"'):
            Meters()

    def _build_bar(self) -> None:
        with ui.element("header").classes("hb-top"):
            TextElement(tag="h1", text="Highband").classes("hb-title")
            self._presets = PresetBar(self.link, self.ask, self._dialog, self._menu.open)
            with ui.element("div").classes("hb-group").props('role="group" aria-label="Slots"'):
                for slot in SLOTS:
                    self._slots[slot] = button(slot, partial(self.ask, "select_slot", slot=slot), f"Slot {slot}")
                # Tab walks it and no arrow does, so that it is a group of buttons to a screen reader, and no menu.
                with button("copy to", None, "Copy this slot to another"), ui.menu().props("role=group"):
                    for slot in SLOTS:
                        ui.menu_item(f"Slot {slot}", partial(self._copy_to, slot)).props("role=button")
            with ui.element("div").classes("hb-group").props('role="group" aria-label="Listen"'):
                for knob, about in _SWITCHES.items():
                    self._switches[knob] = button(about.partition(":")[0], partial(self._flip, knob), about)
                    self._switches[knob].on("contextmenu.prevent", partial(self._menu.open, knob))
                button("blind", self._blind.open, "Blind test: compare two versions without knowing which one plays")
            with ui.element("div").classes("hb-group").props('role="group" aria-label="History"'):
                self._undo = button("undo", partial(self._go, "undo"), "Undo (Ctrl+Z)")
                self._redo = button("redo", partial(self._go, "redo"), "Redo (Ctrl+Shift+Z)")
            self._takes.place_buttons()
            button("MIDI", lambda: self._midi.open(), "MIDI: the controller's map")
            self._look = button(
                f"◐ {_THEMES[self._theme][1]}", self._change_theme, "Colours: as the system, light or dark"
            )

    async def _copy_to(self, slot: str) -> None:
        source = self.link.state["slot"]
        if await self.ask("copy_slot", source=source, target=slot) is not None:
            self.show(f"slot {slot} is as {source}")

    def _change_theme(self) -> None:
        self._theme = (self._theme + 1) % len(_THEMES)
        self._dark.value, name = _THEMES[self._theme]
        self._look.set_text(f"◐ {name}")
        # The browser keeps it, as each screen and each pair of eyes wants its own.
        ui.run_javascript(f"document.cookie = '{_LOOK}={name}; path=/; max-age=31536000; samesite=strict'")

    def refresh(self) -> None:
        """Show what is new since the last time."""
        link = self.link
        if self._moved != link.moved:
            self._moved = link.moved
            self._show_settings()
        self._rounds += 1
        if self._rounds % _WORDS_EVERY == 1:
            self._show_words()

    def _show_settings(self) -> None:
        link, state = self.link, self.link.state
        is_away = bool(link.away)
        self._away.set_text(f"Host is away: {link.away}. The panel goes on when it is back." if is_away else "")
        self._away.set_visibility(is_away)
        self._board.refresh()
        self._picture.show(nodes=curve_of(link.settings, link.knobs), away=is_away)
        self._midi.refresh()
        plugins = [{"id": one["id"], "name": one["name"]} for one in link.plugins]
        self._chain.show(chain=with_options(state["chain"]), busy=is_away or self._is_editing, plugins=plugins)
        for slot, choice in self._slots.items():
            press_in(choice, slot == state["slot"], is_away)
            choice.classes(add="" if slot in state["slots"] else "hb-empty", remove="hb-empty")
        for knob, switch in self._switches.items():
            switch.set_visibility(knob in link.settings)
            press_in(switch, bool(link.settings.get(knob, {}).get("value")), is_away)
        self._undo.set_enabled(state["can_undo"] and not is_away)
        self._redo.set_enabled(state["can_redo"] and not is_away)

    def _show_words(self) -> None:
        self._presets.refresh()
        self._takes.refresh()
        self._board.show_found()
        self._switches[_MATCH].set_text(match_of(self.link.stats))
        self._summary.set_text(summary_of(self.link.stats, bool(self.link.away)))
        self._figures.show(rows=words_of(self.link.stats, self.link.meters, bool(self.link.away)))


def _theme_of(name: str) -> int:
    return next((place for place, (_, known) in enumerate(_THEMES) if known == name), 0)


def run(link: PanelLink, host: str, port: int, token: str | None) -> None:
    """Serve a host's panel until the process is asked to end; only who has the token, if there is one, may see it."""
    app.config.quasar_config["loadingBar"] = {"skipHijack": True}  # A bar without a name, and the page loads nothing.
    app.add_middleware(AccessGuard, token=token)
    app.on_startup(link.start)
    app.on_shutdown(link.stop)
    app.add_static_files("/assets", ASSETS)
    app.add_api_websocket_route("/frames", FrameDesk(link).serve)
    jobs = RenderJobs()
    app.mount("/render", RenderDesk(link, jobs).app())
    app.on_shutdown(jobs.close)

    @ui.page("/", reconnect_timeout=_KEPT_S)
    def show() -> None:
        Page(link)

    ui.run(
        host=host, port=port, title="Highband", favicon="🎚", dark=None, language="en-US",
        reload=False, show=False, show_welcome_message=False, tailwind=False, reconnect_timeout=30.0,
        timeout_graceful_shutdown=1,
    )  # fmt: skip
