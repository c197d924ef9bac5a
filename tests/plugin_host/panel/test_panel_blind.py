"""The blind test on the page before a real engine, by mouse, by touch and by keys."""

from __future__ import annotations

import csv
from pathlib import Path

from playwright.sync_api import BrowserContext, Page

from plugin_host.control.client import Client
from tests.plugin_host.panel.hands import Hand, Keys, Mouse
from tests.plugin_host.panel.panel_host import PATIENCE_S, Studio, until
from tests.plugin_host.panel.panel_page import SCREENS, barriers_by_look, opened

# Chance finds two of two one time in four.
SHORT = (2, "2 of 2 right, p = 0.25, true rate 16 % to 100 % (95 %)")
LONG = (10, "10 of 10 right, p = 0.00098, true rate 69 % to 100 % (95 %)")


def press(hand: Hand, sound: str) -> None:
    """Play a sound, or give an answer."""
    if isinstance(hand, Keys):
        hand.page.keyboard.press({"X is A": "1", "X is B": "2"}.get(sound, sound.lower()))
    else:
        name = f"Play {sound}" if len(sound) == 1 else sound
        hand.press(hand.page.get_by_role("button", name=name, exact=True))


def begin(hand: Hand, trials: int) -> None:
    page = hand.page
    hand.press(page.get_by_role("button", name="Blind test: compare"))
    hand.type(page.get_by_role("spinbutton", name="Trials"), str(trials))
    hand.press(page.get_by_role("button", name="Begin the blind test"))
    page.get_by_text(f"Trial 1 of {trials}", exact=True).wait_for()


def audible(hand: Hand, studio: Studio, sound: str) -> int:
    """Press the button of a sound, and return which version the host gives out then."""
    press(hand, sound)
    pressed = hand.page.get_by_role("button", name=f"Play {sound}", exact=True)
    until(lambda: pressed.get_attribute("aria-pressed") == "true")
    assert studio.host is not None
    assert studio.host.comparison is not None
    return studio.host.comparison.audible


def test_who_notices_the_difference_is_right_each_time_and_proves_it(
    hand: Hand, studio: Studio, tmp_path: Path
) -> None:
    page, host = hand.page, studio.host
    assert host is not None
    with Client(studio.address, timeout_s=PATIENCE_S) as client:
        client.ask("select_slot", slot="B")
        client.set("amount", -6)
        client.ask("select_slot", slot="A")
        client.set("amount", 0)
    until(lambda: "hb-empty" not in (page.get_by_role("button", name="Slot B").get_attribute("class") or ""))
    trials, verdict = LONG if isinstance(hand, Mouse) else SHORT
    begin(hand, trials)
    assert host.compared == [("slot", "A"), ("slot", "B")]
    for trial in range(1, trials + 1):
        page.get_by_text(f"Trial {trial} of {trials}", exact=True).wait_for()
        first, x, second = (audible(hand, studio, sound) for sound in "AXB")
        assert {first, second} == {0, 1}
        press(hand, "X is A" if x == first else "X is B")
    page.get_by_text(verdict).wait_for()
    page.get_by_text("the second would have been 6.0 dB softer").wait_for()
    until(lambda: host.comparison is None)
    with page.expect_download() as loading:
        hand.press(page.get_by_role("button", name="Download the answers as CSV"))
    loading.value.save_as(tmp_path / "abx.csv")
    with (tmp_path / "abx.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))[-trials:]
    assert [int(row["correct"]) for row in rows] == [1] * trials
    # Half of the trials each way, and both versions at one loudness.
    assert [sum(row["x"] == side for row in rows) for side in "AB"] == [trials // 2] * 2
    assert all(abs(float(row["lufs_a"]) - float(row["lufs_b"])) < 0.1 for row in rows)
    hand.press(page.get_by_role("button", name="Close the results"))


def test_a_test_that_is_given_up_or_whose_page_is_closed_leaves_the_sound_as_it_was(
    page: Page, studio: Studio, context: BrowserContext, complaints: list[str]
) -> None:
    host, other = studio.host, Mouse(opened(context, studio, complaints))
    assert host is not None
    begin(other, 3)
    for screen in SCREENS:
        other.page.set_viewport_size(screen)
        assert barriers_by_look(other.page, ".q-dialog") == []
    other.page.keyboard.press("Escape")
    until(lambda: host.comparison is None)
    other.page.get_by_role("button", name="Close the blind test").click()
    begin(other, 3)
    other.page.close()
    until(lambda: host.comparison is None)


def test_two_versions_must_differ_and_another_preset_ends_the_test(page: Page, studio: Studio) -> None:
    host = studio.host
    assert host is not None
    begin(Mouse(page), 3)
    host.end_comparison()
    page.get_by_role("button", name="Play B", exact=True).click()
    page.get_by_text("nothing is compared any more").wait_for()
    page.get_by_role("combobox", name="The other version").select_option("slot A")
    page.get_by_role("button", name="Begin the blind test").click()
    page.get_by_text("choose two different versions").wait_for()
