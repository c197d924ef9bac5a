"""The panel's page in a test: opened, watched for complaints, and read as a screen reader would."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Locator, Page, sync_playwright

from tests.plugin_host.panel.panel_host import Studio, until

FLAGS = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
)  # fmt: skip


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
    knob(page, "Amount").wait_for()
    until(lambda: page.locator(".hb-alert").is_hidden())
    page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
    return page


def on_loopback(url: str) -> bool:
    return url.startswith(("http://127.0.0.1:", "ws://127.0.0.1:", "data:", "blob:"))


def knob(page: Page, name: str) -> Locator:
    return page.get_by_role("slider", name=name, exact=True)


def shown(page: Page, name: str) -> str:
    return knob(page, name).get_attribute("aria-valuetext") or ""


def middle(page: Page, name: str) -> tuple[float, float]:
    box = knob(page, name).bounding_box()
    assert box is not None
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def barriers(page: Page) -> list[tuple[str, str]]:
    """What stands seriously in the way of a screen reader."""
    found = Axe().run(page).response["violations"]
    serious = [one for one in found if one["impact"] in ("serious", "critical")]
    return [(one["id"], node["html"]) for one in serious for node in one["nodes"]]
