"""Three people at the page: one with a mouse, one with a finger on a phone, one with a keyboard alone."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, FileChooser, Locator, Page

from tests.plugin_host.panel.panel_host import PATIENCE_S, Studio, until
from tests.plugin_host.panel.panel_page import PHONE, middle_of, opened, press_in_a_row

_HAS_FOCUS = "one => one === document.activeElement || one.contains(document.activeElement)"
_MOST_TABS, _MOST_PRESSES = 200, 5
_LISTEN = """one => {
    one.wasClicked = false;
    one.addEventListener("click", () => { one.wasClicked = true; }, { once: true });
    return one.matches("button");
}"""
_KIND = "one => one.type === 'file' ? 'file' : one.matches('input, textarea') ? 'field' : 'button'"
# What is written into needs the focus alone.
_KEYS = {"file": ("Space",), "field": (), "button": ("Enter",)}


class Hand(ABC):
    """What a person can do to a part of the page.

    Attributes:
        page: The page.
    """

    def __init__(self, page: Page) -> None:
        self.page = page
        self._choosers: list[FileChooser] = []
        page.on("filechooser", lambda one: self._choosers.append(one))

    @abstractmethod
    def press(self, target: Locator) -> None:
        """Use a button."""

    @abstractmethod
    def open_menu(self, target: Locator) -> None:
        """Ask for what can be done with a knob."""

    @abstractmethod
    def lower(self, target: Locator, decibels: int) -> None:
        """Move a node of the curve down."""

    def drag(self, target: Locator, down_px: float) -> None:
        """Pull a part of the page down."""
        raise NotImplementedError("a keyboard pulls nothing")

    def type(self, target: Locator, text: str) -> None:
        """Fill in a field."""
        self.press(target)
        self.page.keyboard.press("Control+a")
        self.page.keyboard.type(text)

    def choose_file(self, path: str) -> None:
        """Choose a file to be rendered."""
        self._choosers.clear()
        field = self.page.locator("input[type=file]")
        # It rests while files of another test are still rendered.
        until(field.is_enabled)
        self.press(field)
        until(lambda: self.page.evaluate("true") and bool(self._choosers))
        self._choosers[0].set_files(path)


class Mouse(Hand):
    """A hand on a mouse."""

    def press(self, target: Locator) -> None:
        target.click()

    def open_menu(self, target: Locator) -> None:
        target.click(button="right")

    def lower(self, target: Locator, decibels: int) -> None:
        self.drag(target, _px(self.page, decibels))

    def drag(self, target: Locator, down_px: float) -> None:
        x, y = middle_of(target)
        self.page.mouse.move(x, y)
        self.page.mouse.down()
        self.page.mouse.move(x, y + down_px, steps=6)
        self.page.mouse.up()


class Finger(Hand):
    """A finger on a phone."""

    def __init__(self, page: Page) -> None:
        super().__init__(page)
        self._touch = page.context.new_cdp_session(page)

    def press(self, target: Locator) -> None:
        target.tap()

    def open_menu(self, target: Locator) -> None:
        self._send("touchStart", middle_of(target))
        self.page.get_by_role("menu").wait_for()
        self._send("touchEnd")

    def lower(self, target: Locator, decibels: int) -> None:
        self.drag(target, _px(self.page, decibels))

    def drag(self, target: Locator, down_px: float) -> None:
        x, y = middle_of(target)
        self._send("touchStart", (x, y))
        for part in range(1, 7):
            self._send("touchMove", (x, y + down_px * part / 6))
        self._send("touchEnd")

    def _send(self, kind: str, *points: tuple[float, float]) -> None:
        places = [{"x": x, "y": y} for x, y in points]
        self._touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": places})


class Keys(Hand):
    """A keyboard and nothing else."""

    def go_to(self, target: Locator) -> None:
        """Press Tab, in a menu the arrow, until the target has the focus."""
        key = "ArrowDown" if target.evaluate("one => one.matches('[role^=menuitem]')") else "Tab"
        for _ in range(_MOST_TABS):
            if target.evaluate(_HAS_FOCUS):
                return
            self.page.keyboard.press(key)
        raise AssertionError(f"{target} can't be reached by {key}")

    def press(self, target: Locator, *keys: str) -> None:
        """Press keys on a part of the page, by default the one that uses it."""
        for _ in range(_MOST_PRESSES):
            self.go_to(target)
            wanted, pressed = keys or _KEYS[target.evaluate(_KIND)], target.element_handle()
            is_button = pressed.evaluate(_LISTEN)
            for key in wanted:
                self.page.keyboard.press(key)
            # A button that is drawn anew, or loses the focus, between down and up is pressed again, as a person does.
            if wanted != ("Enter",) or not is_button or pressed.evaluate("one => one.wasClicked"):
                return
        raise AssertionError(f"{target} does not take {keys}")

    def open_menu(self, target: Locator) -> None:
        self.go_to(target)
        self.page.keyboard.press("ContextMenu")

    def lower(self, target: Locator, decibels: int) -> None:
        self.go_to(target)
        press_in_a_row(target, *["PageDown"] * (decibels // 3))


# Those who share a page; a finger has one of its own.
HANDS: dict[str, type[Hand]] = {"mouse": Mouse, "keys": Keys}


def _px(page: Page, decibels: int) -> float:
    """Return how far a node has to go: 24 dB are 0.72 of the picture without its scale."""
    height = float(page.locator(".hb-spectrum").evaluate("one => one.clientHeight"))
    return 0.72 * (height - 16.0) * decibels / 24.0


@contextmanager
def on_a_phone(browser: Browser, studio: Studio) -> Iterator[Hand]:
    """Open the panel on a phone; the page must not have complained at the end."""
    complaints: list[str] = []
    with browser.new_context(viewport=PHONE, has_touch=True, is_mobile=True) as context:
        context.set_default_timeout(PATIENCE_S * 1000.0)
        yield Finger(opened(context, studio, complaints))
    assert complaints == []
