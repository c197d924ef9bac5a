"""The parts of the page that are drawn in the browser, each with a script of its own, and its buttons."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from inspect import isawaitable
from pathlib import Path
from typing import Any

from nicegui import app, background_tasks, ui
from nicegui.element import Element
from nicegui.events import GenericEventArguments

ASSETS = Path(__file__).parent / "assets"
# Asks the host and shows the person where it refuses; returns None then.
Ask = Callable[..., Any]
# Shows a sentence on the page, and beside it a button for `undo`, what takes back what it says, where that is given.
Show = Callable[..., None]
_LOOK_EVERY_S = 0.05


class Part(Element):
    """A part of the page that is drawn in the browser."""

    def show(self, **props: Any) -> None:
        """Send the properties to the browser where one is new."""
        if any(name not in self._props or self._props[name] != value for name, value in props.items()):
            self._props |= props
            self.update()


class Knob(Part, component=ASSETS / "knob.js"):
    """One control as a knob."""


class Picture(Part, component=ASSETS / "picture.js"):
    """The spectra in, out and added."""


class Spectrogram(Part, component=ASSETS / "spectrogram.js"):
    """The input, the output or what is added, over time."""


class Menu(Part, component=ASSETS / "menu.js"):
    """The menu of a knob, where it was asked for."""


class Meters(Part, component=ASSETS / "meters.js"):
    """The levels in and out."""


class Figures(Part, component=ASSETS / "figures.js"):
    """The host's figures in words."""


class ChainRow(Part, component=ASSETS / "chain.js"):
    """The effects around the model."""


class Render(Part, component=ASSETS / "render.js"):
    """Takes files and gives them back rendered."""


class Select(Part, component=ASSETS / "select.js"):
    """A choice of one of some texts.

    Args:
        label: What is chosen.
        on_change: Called after the person has chosen.
        any: What an empty text is called.

    Attributes:
        value: The text that is chosen.
    """

    def __init__(self, label: str, on_change: Callable[[], object] = lambda: None, any: str = "") -> None:
        super().__init__()
        self.value, self._on_change = "", on_change
        self.show(label=label, options=[], value="", any=any)
        self.on("choose", self._choose)

    def set_options(self, options: list[str], value: str) -> None:
        """Offer these texts; one of them is chosen."""
        self.value = value
        self.show(options=options, value=value)

    def _choose(self, event: GenericEventArguments) -> None:
        self.value = str(event.args["value"])
        self.show(value=self.value)
        self._on_change()


class MidiTable(Part, component=ASSETS / "midi.js"):
    """The map of the controller."""


def button(text: str, act: Callable[[], Any] | None, about: str) -> ui.button:
    """Make a button with a name that a screen reader reads."""
    made = ui.button(text, on_click=act, color=None).props("flat dense no-caps").classes("hb-button")
    made.props["aria-label"] = made.props["title"] = about
    return made


def every(seconds: float, act: Callable[[], Any]) -> None:
    """Call something again and again while the page is there.

    A timer of the toolkit goes by the time of day, and stands still for as long as that is put back.
    """
    client = ui.context.client

    async def repeat() -> None:
        await client.connected()
        while not client.is_deleted:
            try:
                if isawaitable(result := act()):
                    await result
            except Exception as error:
                app.handle_exception(error)
            await asyncio.sleep(seconds)

    background_tasks.create(repeat(), name=f"every {seconds} s", context=ui.context.slot)


def send_again_after_a_break() -> None:
    """Send the whole page to a browser that was cut off and is back.

    What the toolkit has kept for it may be older than what it shows, and what was on its way is lost.
    """
    client, is_back = ui.context.client, False

    async def send() -> None:
        nonlocal is_back
        while is_back and client.outbox.messages and not client.is_deleted:
            await asyncio.sleep(_LOOK_EVERY_S)
        for element in list(client.elements.values()) if is_back else ():
            element.update()
        is_back = True

    client.on_connect(send)


@contextmanager
def window(title: str, about: str, classes: str = "") -> Iterator[ui.dialog]:
    """Make a window over the page, with a heading at its begin and a button that closes it at its end."""
    with ui.dialog().props(f'aria-label="{title}"') as dialog, ui.card().classes(f"hb-dialog {classes}"):
        ui.label(title).classes("hb-heading")
        yield dialog
        button("close", dialog.close, about).classes("hb-close")


def press_in(one: ui.button, is_in: bool, is_away: bool) -> None:
    """Show whether a button is on, and whether it can be used."""
    one.props["aria-pressed"] = str(is_in).lower()
    one.classes(add="hb-on" if is_in else "", remove="hb-on")
    one.set_enabled(not is_away)
