"""The blind test on the page before a real engine, by mouse, by touch and by keys."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from plugin_host.control.client import Client
from tests.plugin_host.panel.panel_host import PATIENCE_S, Studio, until
from tests.plugin_host.panel.panel_page import barriers, opened

Press = Callable[[Page, str], None]


def click(page: Page, sound: str) -> None:
    page.get_by_role("button", name=f"Play {sound}" if len(sound) == 1 else sound, exact=True).click()


def tap(page: Page, sound: str) -> None:
    page.get_by_role("button", name=f"Play {sound}" if len(sound) == 1 else sound, exact=True).tap()


def type_key(page: Page, sound: str) -> None:
    page.keyboard.press({"X is A": "1", "X is B": "2"}.get(sound, sound.lower()))


# Chance finds two of two one time in four.
TRIALS: dict[Press, tuple[int, str]] = {
    click: (10, "10 of 10 right, p = 0.00098, true rate 69 % to 100 % (95 %)"),
    tap: (2, "2 of 2 right, p = 0.25, true rate 16 % to 100 % (95 %)"),
    type_key: (2, "2 of 2 right, p = 0.25, true rate 16 % to 100 % (95 %)"),
}


@pytest.fixture(params=[click, tap, type_key])
def press(request: pytest.FixtureRequest) -> Press:
    chosen: Press = request.param
    return chosen


@pytest.fixture
def touched(browser: Browser, studio: Studio) -> Page:
    """A page on a phone, which has mouse and keys too."""
    assert studio.store is not None
    studio.store.load({}, "test")
    context = browser.new_context(viewport={"width": 390, "height": 844}, has_touch=True, accept_downloads=True)
    context.set_default_timeout(PATIENCE_S * 1000.0)
    return opened(context, studio, [])


def begin(page: Page, trials: int) -> None:
    page.get_by_role("button", name="Blind test: compare").click()
    page.get_by_role("spinbutton", name="Trials").fill(str(trials))
    page.get_by_role("button", name="Begin the blind test").click()
    page.get_by_text(f"Trial 1 of {trials}", exact=True).wait_for()


def audible(page: Page, studio: Studio, press: Press, sound: str) -> int:
    """Press the button of a sound, and return which version the host gives out then."""
    press(page, sound)
    pressed = page.get_by_role("button", name=f"Play {sound}", exact=True)
    until(lambda: pressed.get_attribute("aria-pressed") == "true")
    assert studio.host is not None
    assert studio.host.comparison is not None
    return studio.host.comparison.audible


def test_who_notices_the_difference_is_right_each_time_and_proves_it(
    touched: Page, studio: Studio, press: Press, tmp_path: Path
) -> None:
    page, host = touched, studio.host
    assert host is not None
    with Client(studio.address, timeout_s=PATIENCE_S) as client:
        client.ask("select_slot", slot="B")
        client.set("amount", -6)
        client.ask("select_slot", slot="A")
        client.set("amount", 0)
    trials, verdict = TRIALS[press]
    begin(page, trials)
    assert host.compared == [("slot", "A"), ("slot", "B")]
    for trial in range(1, trials + 1):
        page.get_by_text(f"Trial {trial} of {trials}", exact=True).wait_for()
        first, x, second = (audible(page, studio, press, sound) for sound in "AXB")
        assert {first, second} == {0, 1}
        press(page, "X is A" if x == first else "X is B")
    page.get_by_text(verdict).wait_for()
    page.get_by_text("the second would have been 6.0 dB softer").wait_for()
    until(lambda: host.comparison is None)
    with page.expect_download() as loading:
        page.get_by_role("button", name="Download the answers as CSV").click()
    loading.value.save_as(tmp_path / "abx.csv")
    with (tmp_path / "abx.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))[-trials:]
    assert [int(row["correct"]) for row in rows] == [1] * trials
    # Half of the trials each way, and both versions at one loudness.
    assert [sum(row["x"] == side for row in rows) for side in "AB"] == [trials // 2] * 2
    assert all(abs(float(row["lufs_a"]) - float(row["lufs_b"])) < 0.1 for row in rows)
    page.context.close()


def test_a_test_that_is_given_up_or_whose_page_is_closed_leaves_the_sound_as_it_was(
    touched: Page, studio: Studio
) -> None:
    host = studio.host
    assert host is not None
    begin(touched, 3)
    until(lambda: barriers(touched) == [])
    touched.keyboard.press("Escape")
    until(lambda: host.comparison is None)
    touched.get_by_role("button", name="Close the blind test").click()
    begin(touched, 3)
    touched.context.close()
    until(lambda: host.comparison is None)


def test_two_versions_must_differ_and_another_preset_ends_the_test(page: Page, studio: Studio) -> None:
    host = studio.host
    assert host is not None
    begin(page, 3)
    host.end_comparison()
    page.get_by_role("button", name="Play B", exact=True).click()
    page.get_by_text("nothing is compared any more").wait_for()
    page.get_by_role("combobox", name="The other version").click()
    page.get_by_role("option", name="slot A").click()
    page.get_by_role("button", name="Begin the blind test").click()
    page.get_by_text("choose two different versions").wait_for()
