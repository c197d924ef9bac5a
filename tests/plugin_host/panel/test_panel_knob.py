"""A knob under the hand, the keys and a screen reader: every way to turn it, coarse and fine."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page

from plugin_host.control.client import Client
from tests.plugin_host.panel.panel_host import PATIENCE_S, Studio, until
from tests.plugin_host.panel.panel_page import knob, middle, shown


def drag(page: Page, name: str, up_px: float) -> None:
    x, y = middle(page, name)
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x, y - up_px, steps=8)
    page.mouse.up()


def test_shift_makes_a_drag_ten_times_finer(page: Page, studio: Studio) -> None:
    drag(page, "Tone", 44)
    until(lambda: studio.value("tone") == pytest.approx(40.0, abs=1.0))
    until(lambda: shown(page, "Tone") == "40 %")
    page.keyboard.down("Shift")
    drag(page, "Tone", 44)
    page.keyboard.up("Shift")
    # Nearer than the last step of the drag is wide: one that is still on its way would turn a later test's knob.
    until(lambda: studio.value("tone") == pytest.approx(44.0, abs=0.1))


def test_a_drag_sideways_or_with_another_button_turns_nothing(page: Page, studio: Studio) -> None:
    x, y = middle(page, "Tone")
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 80, y, steps=4)
    page.mouse.up()
    page.mouse.down(button="middle")
    page.mouse.move(x + 80, y - 60, steps=4)
    page.mouse.up(button="middle")
    knob(page, "Drive").press("End")
    until(lambda: studio.value("drive") == 24.0)
    assert studio.value("tone") == 0.0


def test_the_wheel_turns_both_ways_and_finer_with_shift(page: Page, studio: Studio) -> None:
    page.mouse.move(*middle(page, "Tone"))
    page.mouse.wheel(0, -100)
    until(lambda: studio.value("tone") == pytest.approx(4.0, abs=0.5))
    until(lambda: shown(page, "Tone") == "4 %")
    page.mouse.wheel(0, 100)
    until(lambda: studio.value("tone") == pytest.approx(0.0, abs=0.1))
    until(lambda: shown(page, "Tone") == "0 %")
    page.keyboard.down("Shift")
    page.mouse.wheel(0, -100)
    page.keyboard.up("Shift")
    until(lambda: 0.0 < studio.value("tone") < 1.0)


def test_a_double_click_and_delete_go_to_the_default(page: Page, studio: Studio) -> None:
    for back in ("dblclick", "Delete", "Backspace"):
        with Client(studio.address, timeout_s=PATIENCE_S) as client:
            client.set("amount", -9)
        until(lambda: shown(page, "Amount") == "-9 dB")
        if back == "dblclick":
            knob(page, "Amount").dblclick()
        else:
            knob(page, "Amount").press(back)
        until(lambda: studio.value("amount") == 0.0)
        until(lambda: shown(page, "Amount") == "0 dB")


def test_the_keys_of_a_slider_turn_it(page: Page, studio: Studio) -> None:
    tone = knob(page, "Tone")
    for key, value in (
        ("ArrowUp", 2.0), ("ArrowRight", 4.0), ("ArrowDown", 2.0), ("ArrowLeft", 0.0), ("PageUp", 20.0),
        ("PageDown", 0.0), ("End", 100.0), ("Home", -100.0),
    ):  # fmt: skip
        tone.press(key)
        until(lambda value=value: studio.value("tone") == pytest.approx(value, abs=0.6))  # type: ignore[misc]
        until(lambda value=value: float(tone.get_attribute("aria-valuenow") or 0) == studio.value("tone"))  # type: ignore[misc]
    tone.press("Delete")
    until(lambda: studio.value("tone") == 0.0)
    until(lambda: shown(page, "Tone") == "0 %")
    tone.press("Shift+ArrowUp")
    until(lambda: studio.value("tone") == pytest.approx(0.2, abs=0.05))


def test_escape_leaves_a_typed_value_alone(page: Page, studio: Studio) -> None:
    page.get_by_role("button", name="Type a value for Amount").click()
    field = page.get_by_role("textbox", name="Amount value")
    field.fill("-20")
    field.press("Escape")
    field.wait_for(state="detached")
    until(lambda: knob(page, "Amount").evaluate("knob => document.activeElement === knob"))
    assert studio.value("amount") == 0.0


def test_a_screen_reader_gets_what_a_knob_is_and_where_it_stands(page: Page, studio: Studio) -> None:
    with Client(studio.address, timeout_s=PATIENCE_S) as client:
        controls = client.ask("describe")["knobs"]
    for control in controls:
        if control["curve"] == "switch":
            continue
        one = knob(page, control["name"])
        attributes = {name: one.get_attribute(f"aria-{name}") for name in ("valuemin", "valuemax", "valuetext")}
        assert [float(attributes["valuemin"] or "nan"), float(attributes["valuemax"] or "nan")] == [
            control["low"],
            control["high"],
        ]
        now = float(one.get_attribute("aria-valuenow") or "nan")
        assert control["low"] <= now <= control["high"]
        assert attributes["valuetext"]
    assert shown(page, "Crossover") == "auto"
    snapshot = knob(page, "Amount").aria_snapshot()
    assert 'slider "Amount"' in snapshot
