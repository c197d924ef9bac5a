"""The menu of a knob by mouse, by keyboard and by a long press: what it offers is done, and focus comes back."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page

from plugin_host.control.client import Client
from tests.plugin_host.panel.hands import Hand
from tests.plugin_host.panel.panel_host import PATIENCE_S, Studio, until
from tests.plugin_host.panel.panel_page import PHONE, knob, rested, shown


def item(page: Page, text: str) -> None:
    page.get_by_role("menuitem", name=text).click()


def test_a_value_is_typed_and_put_back_by_the_menu(page: Page, studio: Studio) -> None:
    knob(page, "Tone").click(button="right")
    page.get_by_role("menu", name="Tone menu").wait_for()
    item(page, "Type a value")
    field = page.get_by_role("textbox", name="Tone value")
    field.fill("30")
    field.press("Enter")
    until(lambda: studio.value("tone") == 30.0)
    knob(page, "Tone").click(button="right")
    item(page, "Reset")
    until(lambda: studio.value("tone") == 0.0)


def test_it_is_walked_by_keyboard_and_gives_the_focus_back(page: Page, studio: Studio) -> None:
    for key in ("ContextMenu", "Shift+F10"):
        knob(page, "Amount").press(key)
        page.get_by_role("menu", name="Amount menu").wait_for()
        until(lambda: page.evaluate("document.activeElement.innerText").strip().startswith("Type a value"))
        page.keyboard.press("ArrowDown")
        until(lambda: "Reset" in page.evaluate("document.activeElement.innerText"))
        page.keyboard.press("Escape")
        page.get_by_role("menu").wait_for(state="detached")
        until(lambda: page.evaluate("document.activeElement.getAttribute('aria-label')") == "Amount")


def test_a_locked_knob_shows_it_and_is_moved_by_no_preset(page: Page, studio: Studio) -> None:
    knob(page, "Tilt").press("ContextMenu")
    page.get_by_role("menuitemcheckbox", name="Lock against presets", checked=False).press("Enter")
    page.get_by_text("Tilt is locked: no preset moves it").wait_for()
    page.locator(".hb-lock").wait_for()
    with Client(studio.address, timeout_s=PATIENCE_S) as client:
        client.load_preset("phone-guest")
        assert client.get("tilt")["value"] == 0.0
        assert client.get("ceiling")["value"] == 14000.0
        client.undo()
    knob(page, "Tilt").press("ContextMenu")
    page.get_by_role("menuitemcheckbox", name="Lock against presets", checked=True).press("Enter")
    page.locator(".hb-lock").wait_for(state="detached")


def test_it_says_how_a_knob_is_automated(page: Page) -> None:
    knob(page, "Amount").click(button="right")
    item(page, "How to automate it")
    page.get_by_text("Amount moves by OSC at /parameter/extender/amount").wait_for()


def test_a_long_press_on_touch_opens_it_and_a_drag_turns(phone: Hand, studio: Studio) -> None:
    page = rested(phone.page, studio, PHONE)
    phone.open_menu(knob(page, "Amount"))
    page.get_by_role("menu", name="Amount menu").wait_for()
    page.keyboard.press("Escape")
    page.get_by_role("menu").wait_for(state="detached")
    phone.drag(knob(page, "Amount"), 50)
    until(lambda: studio.value("amount") == pytest.approx(-8.2, abs=0.6))
    until(lambda: shown(page, "Amount") == f"{studio.value('amount'):.6g} dB")
    assert page.get_by_role("menu").count() == 0
