"""The panel's page in a test: opened, watched for complaints, and read as a screen reader would."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager

from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Locator, Page, ViewportSize, sync_playwright

from plugin_host.control.client import Client
from tests.plugin_host.panel.panel_host import PATIENCE_S, Studio, until

FLAGS = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
)  # fmt: skip
DESK: ViewportSize = {"width": 1200, "height": 900}
PHONE: ViewportSize = {"width": 390, "height": 844}
SCREENS: tuple[ViewportSize, ...] = ({"width": 1440, "height": 1000}, {"width": 1024, "height": 1000}, PHONE)
# Which knob shows what, by their names.
_SHOWN = """() => [...document.querySelectorAll(".hb-knob [role=slider]")].map(
  (one) => [one.getAttribute("aria-label"), one.getAttribute("aria-valuetext")])"""
# Resolves when the spectrum, which no two blocks of noise draw alike, was drawn so often.
_DRAWN = """async (canvas, times) => {
  for (; times; times--) {
    const before = canvas.toDataURL();
    while (canvas.toDataURL() === before) await new Promise(requestAnimationFrame);
  }
}"""
# What axe finds that is serious, by rule and element.
_SERIOUS = """async (part) => {
  const { violations } = await axe.run(part || document, { resultTypes: ["violations"] });
  const serious = violations.filter((one) => ["serious", "critical"].includes(one.impact));
  return serious.flatMap((one) => one.nodes.map((node) => [one.id, node.html]));
}"""
_IN_A_ROW = """(element, keys) => keys.forEach(([key, shiftKey]) =>
  element.dispatchEvent(new KeyboardEvent("keydown", { key, shiftKey, bubbles: true, cancelable: true })))"""


@contextmanager
def chromium() -> Iterator[Browser]:
    found = shutil.which("chromium") or shutil.which("google-chrome")
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(
            executable_path=found, channel=None if found else "chrome", args=list(FLAGS)
        )
        yield started
        started.close()


def opened(context: BrowserContext, studio: Studio, complaints: list[str]) -> Page:
    """Open the panel in a new page, wait until it shows the host, and unfold all of it."""

    def note(message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            complaints.append(message.text)

    page = context.new_page()
    page.on("console", note)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("request", lambda request: None if on_loopback(request.url) else complaints.append(request.url))
    page.goto(studio.url)
    return unfolded(page)


def unfolded(page: Page) -> Page:
    """Wait until a page that was loaded shows the host, and unfold all of it."""
    knob(page, "Amount").wait_for()
    until(lambda: page.locator(".hb-alert").is_hidden())
    page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
    return page


def rested(page: Page, studio: Studio, screen: ViewportSize = DESK) -> Page:
    """Put host and page back to where they began; the page is loaded again only where a window is left open."""
    if page.viewport_size != screen:
        page.set_viewport_size(screen)
    if page.locator(".q-dialog, .hb-menu, .q-menu, .hb-learn:visible").count():
        page.reload()
    studio.rest()
    unfolded(page).evaluate("document.activeElement?.blur(); scrollTo(0, 0)")
    with Client(studio.address, timeout_s=PATIENCE_S) as client:
        names = {one["id"]: one["name"] for one in client.ask("describe")["knobs"]}

        def shows_the_host() -> bool:
            texts = {names[id]: setting["text"] for id, setting in client.snapshot()["settings"].items()}
            return all(texts.get(name) == text for name, text in page.evaluate(_SHOWN))

        until(shows_the_host)
    return page


def on_loopback(url: str) -> bool:
    return url.startswith(("http://127.0.0.1:", "ws://127.0.0.1:", "data:", "blob:"))


def knob(page: Page, name: str) -> Locator:
    return page.get_by_role("slider", name=name, exact=True)


def shown(page: Page, name: str) -> str:
    return knob(page, name).get_attribute("aria-valuetext") or ""


def middle(page: Page, name: str) -> tuple[float, float]:
    return middle_of(knob(page, name))


def middle_of(target: Locator) -> tuple[float, float]:
    """Return where a pointer meets a part of the page."""
    target.scroll_into_view_if_needed()
    box = target.bounding_box()
    assert box is not None
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def is_still(page: Page, part: Locator) -> bool:
    """Say whether a part of the picture stands still while its axis follows the sound, however seldom it is drawn."""
    before = part.bounding_box()
    page.get_by_role("img", name="Spectrum of input and output").evaluate(_DRAWN, 3)
    return part.bounding_box() == before


def press_in_a_row(target: Locator, *keys: str) -> None:
    """Press keys without a pause, which would begin another step of undo, however slow the machine is."""
    pairs = [[key.rpartition("+")[2], key.startswith("Shift+")] for key in keys]
    target.focus()
    target.evaluate(_IN_A_ROW, pairs)


def barriers(page: Page, part: str = "") -> list[tuple[str, str]]:
    """What stays seriously in the way of a screen reader, by default of the whole page; what fades in or out has no
    contrast for a moment.
    """
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE_SCRIPT)
    end = time.monotonic() + PATIENCE_S
    while True:
        found = page.evaluate(_SERIOUS, part)
        if not found or time.monotonic() > end:
            return [(one, html) for one, html in found]


def barriers_by_look(page: Page, part: str = "") -> list[tuple[str, str, str]]:
    """The same in light colours and in dark ones."""
    found = []
    for scheme in ("dark", "light"):
        page.emulate_media(color_scheme=scheme)
        page.locator("body.body--dark").wait_for(state="attached" if scheme == "dark" else "detached")
        found += [(scheme, *one) for one in barriers(page, part)]
    return found
