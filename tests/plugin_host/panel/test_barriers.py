"""Nothing serious stands in the way of a screen reader or of weak eyes: on every screen, light and dark, with all open.

A map of MIDI, a blind test under way and a rendered file are looked at in the same way where they are tested.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page

from tests.plugin_host.panel.panel_page import SCREENS, barriers_by_look, knob


def _open_presets(page: Page) -> None:
    page.get_by_role("button", name="Presets: load and save").click()
    page.get_by_role("button", name="What Phone guest would change").click()
    page.locator(".hb-changes dt", has_text="Effects after").wait_for()
    page.locator(".hb-saving").evaluate("one => { one.open = true; }")


def _open_menu(page: Page) -> None:
    knob(page, "Amount").click(button="right")


def _type(page: Page) -> None:
    knob(page, "Amount").press("Enter")


def _press(name: str) -> Callable[[Page], None]:
    return lambda page: page.get_by_role("button", name=name).click()


# What opens each, and the part of the page that it is.
WINDOWS: dict[str, tuple[Callable[[Page], None], str]] = {
    "page": (lambda page: None, "body"),
    "presets": (_open_presets, ".q-dialog"),
    "takes": (_press("Takes: what was recorded"), ".q-dialog"),
    "blind": (_press("Blind test: compare"), ".q-dialog"),
    "midi": (_press("MIDI: the controller's map"), ".q-dialog"),
    "slots": (_press("Copy this slot to another"), ".q-menu"),
    "menu": (_open_menu, ".hb-menu"),
    "value": (_type, ".hb-instrument:has(input.hb-knob-text)"),
}


@pytest.mark.parametrize("window", WINDOWS)
def test_nothing_serious_stands_in_the_way(page: Page, window: str) -> None:
    show, part = WINDOWS[window]
    for screen in SCREENS:
        page.set_viewport_size(screen)
        show(page)
        page.locator(part).wait_for()
        assert barriers_by_look(page, part) == []
        page.keyboard.press("Escape")
        page.locator(".q-dialog, .q-menu, .hb-menu, input.hb-knob-text").first.wait_for(state="detached")
