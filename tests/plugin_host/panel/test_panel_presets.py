"""Presets on the page: found, filtered, marked, looked at, loaded, stepped through and saved."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page

from plugin_host.preset.file import list_presets
from tests.plugin_host.panel.panel_host import Studio, until
from tests.plugin_host.panel.panel_page import is_still, unfolded

_TOP = "one => one.getBoundingClientRect().top"


@pytest.fixture
def page(page: Page) -> Page:
    """The page loaded again: what a window keeps would go from test to test."""
    page.reload()
    return unfolded(page)


def test_presets_are_found_loaded_and_saved(page: Page, studio: Studio) -> None:
    page.get_by_role("button", name="Presets: load and save").click()
    assert studio.host is not None
    studio.host.loaded.clear()
    studio.host.saved.clear()
    search = page.get_by_role("textbox", name="Search")
    page.locator(".hb-preset").nth(5).wait_for()
    # It has stopped moving in, and does not jump away from the hand when the list grows shorter.
    until(lambda: is_still(page, search))
    place = search.evaluate(_TOP)
    search.fill("phone-guest")
    found = page.get_by_role("group", name="Presets").get_by_role("button", name="Load")
    until(lambda: found.count() == 1)
    assert search.evaluate(_TOP) == place
    page.get_by_role("button", name="What Phone guest would change").click()
    page.get_by_text("Phone guest would change", exact=True).wait_for()
    page.locator(".hb-changes dt", has_text="Effects after").wait_for()
    found.click()
    until(lambda: studio.host is not None and studio.host.loaded == ["phone-guest"])
    page.get_by_text("changed").wait_for()
    page.get_by_role("button", name="Save what plays").click()
    page.get_by_role("button", name="Save the preset").click()
    page.get_by_text("give the preset a name first").wait_for()
    page.get_by_role("textbox", name="Name").fill("../evil")
    page.get_by_role("button", name="Save the preset").click()
    page.get_by_text("the name of a preset is").wait_for()
    page.get_by_role("textbox", name="Name").fill("Mine")
    page.get_by_role("button", name="Save the preset").click()
    until(lambda: studio.host is not None and [saved[0] for saved in studio.host.saved] == ["Mine"])


def test_presets_are_stepped_through_by_button_and_by_key(page: Page, studio: Studio) -> None:
    assert studio.host is not None
    studio.host.loaded.clear()
    page.get_by_role("button", name="Next preset").click()
    until(lambda: studio.host is not None and len(studio.host.loaded) == 1)
    page.get_by_text("changed").wait_for()
    page.keyboard.press("[")
    until(lambda: studio.host is not None and len(studio.host.loaded) == 2)
    # The host of this test calls what plays "test", which is in no list: its ends come next.
    assert studio.host.loaded == [list_presets()[0].id, list_presets()[-1].id]


def test_presets_are_filtered_by_kind_and_tag_and_favourites_stay(page: Page, studio: Studio) -> None:
    page.get_by_role("button", name="Presets: load and save").click()
    listed = page.get_by_role("group", name="Presets").get_by_role("button", name="Load")
    until(lambda: listed.count() == len(list_presets()))
    star = page.get_by_role("button", name="Phone guest is a favourite")
    star.click()
    until(lambda: star.get_attribute("aria-pressed") == "true")
    page.get_by_role("button", name="favourites", exact=True).click()
    until(lambda: listed.count() == 1)
    page.get_by_role("button", name="factory").click()
    page.get_by_role("combobox", name="Tag").select_option("speech")
    until(lambda: listed.count() == 2)
    page.get_by_role("textbox", name="Search").fill("narrow telephone")
    until(lambda: listed.count() == 1)
    star.click()
    until(lambda: star.get_attribute("aria-pressed") == "false")
    page.get_by_role("button", name="my own").click()
    page.get_by_text("No preset is so").wait_for()
