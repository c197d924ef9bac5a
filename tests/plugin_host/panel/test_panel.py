"""The panel in a real browser before a real engine: what is turned on the page plays, what moves elsewhere shows."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import BrowserContext, Page

from plugin_host.control.client import Client
from tests.plugin_host.panel.panel_host import PATIENCE_S, Studio, until
from tests.plugin_host.panel.panel_page import PHONE, is_still, middle, opened, press_in_a_row, shown


def test_a_knob_turned_by_keyboard_plays_and_is_one_step_of_undo(page: Page, studio: Studio) -> None:
    before = studio.level()
    knob = page.get_by_role("slider", name="Amount", exact=True)
    press_in_a_row(knob, "PageDown", "PageDown", "PageDown")
    until(lambda: studio.value("amount") == pytest.approx(-10.8, abs=0.3))
    until(lambda: abs(studio.level() - before - studio.value("amount")) < 1.0)
    until(lambda: shown(page, "Amount") == f"{studio.value('amount'):.6g} dB")
    knob.evaluate("element => element.blur()")
    page.get_by_role("button", name="Undo").click()
    until(lambda: studio.value("amount") == 0.0)
    page.get_by_role("button", name="Redo").click()
    until(lambda: studio.value("amount") < -10.0)


def test_a_drag_follows_the_hand_and_is_one_step_of_undo(page: Page, studio: Studio) -> None:
    box = page.get_by_role("slider", name="Tone", exact=True).bounding_box()
    assert box is not None
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x, y - 55, steps=6)
    page.mouse.up()
    until(lambda: studio.value("tone") == pytest.approx(50.0, abs=3.0))
    page.keyboard.press("Control+z")
    until(lambda: shown(page, "Tone") == "0 %")
    page.mouse.move(x, y)
    page.mouse.wheel(0, -100)
    until(lambda: studio.value("tone") == pytest.approx(4.0, abs=0.5))


def test_a_value_is_typed_as_text_and_a_wrong_one_is_refused_in_a_sentence(page: Page, studio: Studio) -> None:
    knob = page.get_by_role("slider", name="Crossover", exact=True)
    knob.press("Enter")
    field = page.get_by_role("textbox", name="Crossover value")
    field.fill("6.3 kHz")
    field.press("Enter")
    until(lambda: studio.value("crossover") == 6300.0)
    until(lambda: shown(page, "Crossover") == "6.3 kHz")
    knob.press("5")
    field.fill("7,25 kHz")
    field.press("Enter")
    until(lambda: studio.value("crossover") == 7250.0)
    knob.press("5")
    field.fill("loud")
    field.press("Enter")
    page.get_by_text("crossover must be auto or between").wait_for()
    assert studio.value("crossover") == 7250.0
    knob.dblclick()
    until(lambda: shown(page, "Crossover") == "auto")


def test_what_another_client_sets_moves_the_knob_on_every_page(
    page: Page, context: BrowserContext, studio: Studio, complaints: list[str]
) -> None:
    other = opened(context, studio, complaints)
    with Client(studio.address, timeout_s=PATIENCE_S) as client:
        client.set_many({"amount": "-7.5 dB", "bypass": "on"})
    for one in (page, other):
        knob = one.get_by_role("slider", name="Amount", exact=True)
        until(lambda knob=knob: knob.get_attribute("aria-valuenow") == "-7.5")  # type: ignore[misc]
        assert shown(one, "Amount") == "-7.5 dB"
        bypass = one.get_by_role("button", name="bypass:")
        until(lambda bypass=bypass: bypass.get_attribute("aria-pressed") == "true")  # type: ignore[misc]


def test_bypass_and_slots_compare(page: Page, studio: Studio) -> None:
    dry = studio.level()
    with Client(studio.address, timeout_s=PATIENCE_S) as client:
        client.set("amount", -12)
    until(lambda: studio.level() < dry - 11.0)
    page.get_by_role("button", name="bypass:").click()
    until(lambda: abs(studio.level() - dry) < 1.0)
    page.get_by_role("button", name="bypass:").click()
    page.get_by_role("button", name="Slot B").click()
    knob = page.get_by_role("slider", name="Amount", exact=True)
    knob.press("Delete")
    until(lambda: abs(studio.level() - dry) < 1.0)
    page.get_by_role("button", name="Slot A").click()
    until(lambda: studio.level() < dry - 11.0)
    until(lambda: page.get_by_role("button", name="Slot A").get_attribute("aria-pressed") == "true")


def test_the_picture_is_drawn_and_the_levels_are_shown(page: Page) -> None:
    count = "canvas => new Set(canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data).size"
    for name in ("Spectrum of input and output", "Spectrogram of the output"):
        canvas = page.get_by_role("img", name=name)
        until(lambda canvas=canvas: int(canvas.evaluate(count)) > 8)  # type: ignore[misc]
    until(lambda: "Crossover 8 kHz" in (page.locator(".hb-legend").text_content() or ""))
    meter = page.get_by_role("meter", name="out level")
    until(lambda: -40 < int(meter.get_attribute("aria-valuenow") or -60) < 0)
    until(
        lambda: (
            re.fullmatch(r"\d+ % · \d+\.\d ms · \d+ dropped", page.locator(".hb-performance summary").inner_text())
            is not None
        )
    )
    page.get_by_text("Dropped blocks").wait_for()


def test_a_recording_without_an_edge_is_called_so(page: Page, studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    assert studio.host is not None
    monkeypatch.setattr(studio.host, "crossover_hz", 0.0)
    until(lambda: "No edge was found" in (page.locator(".hb-legend").text_content() or ""))


def test_figures_that_change_leave_nothing_in_the_page(page: Page) -> None:
    count, figures = "Object.keys(getElement(0).$root.$refs).length", page.locator(".hb-strip")
    held = page.evaluate(count)
    for _ in range(5):
        text = figures.inner_text()
        until(lambda text=text: figures.inner_text() != text)  # type: ignore[misc]
    assert page.evaluate(count) == held


def test_the_spectrogram_shows_another_source_and_stands_still(page: Page) -> None:
    read = "canvas => canvas.toDataURL()"
    page.get_by_role("group", name="Spectrogram of").get_by_text("input").click()
    canvas = page.get_by_role("img", name="Spectrogram of the input")
    first = canvas.evaluate(read)
    until(lambda: canvas.evaluate(read) != first)
    page.get_by_role("button", name="freeze").click()
    page.wait_for_timeout(100)
    frozen = canvas.evaluate(read)
    page.wait_for_timeout(300)
    assert canvas.evaluate(read) == frozen
    page.get_by_role("button", name="freeze").click()
    until(lambda: canvas.evaluate(read) != frozen)
    page.get_by_role("group", name="Spectrogram of").get_by_text("added").click()
    page.get_by_role("img", name="Spectrogram of the added band").wait_for()
    page.get_by_role("group", name="Spectrogram of").get_by_text("output").click()


def test_the_colours_that_a_browser_chose_stay_with_it(page: Page, context: BrowserContext) -> None:
    look = page.get_by_role("button", name="Colours")
    for name in ("light", "dark"):
        look.click()
        page.get_by_text(f"◐ {name}").wait_for()
        # What the browser keeps comes a moment after the word.
        until(lambda name=name: f"={name}" in page.evaluate("document.cookie"))  # type: ignore[misc]
    page.reload()
    page.get_by_text("◐ dark").wait_for()
    page.locator("body.body--dark").wait_for()
    context.clear_cookies()
    page.reload()
    page.get_by_text("◐ auto").wait_for()


@pytest.mark.parametrize(("knob", "way"), [("crossover", -60), ("ceiling", -80)])
def test_a_handle_of_the_picture_is_dragged_as_one_step_of_undo(
    page: Page, studio: Studio, knob: str, way: float
) -> None:
    handle = page.locator(f".hb-handle[data-knob={knob}]")
    handle.wait_for()
    started = studio.value(knob)
    # The axis comes to rest before the hand does.
    until(lambda: is_still(page, handle))
    box = handle.bounding_box()
    assert box is not None
    # Below the nodes of the curve, one of which may stand on the handle.
    x, y = box["x"] + box["width"] / 2, box["y"] + 0.9 * box["height"]
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + way, y, steps=10)
    page.mouse.up()
    until(lambda: 0.0 != studio.value(knob) != started)
    until(lambda: handle.inner_text() == f"{studio.value(knob) / 1000.0:.3g}k")
    assert studio.value(knob) < {"crossover": 8000.0, "ceiling": 22000.0}[knob]
    page.keyboard.press("Control+z")
    until(lambda: studio.value(knob) == started)
    handle.dblclick(position={"x": box["width"] / 2, "y": 0.9 * box["height"]})
    assert studio.value(knob) == started


def test_a_node_of_the_curve_is_dragged_and_pressed_and_each_is_one_step_of_undo(page: Page, studio: Studio) -> None:
    node = page.get_by_role("slider", name="Curve 12 kHz", exact=True)
    node.wait_for()
    until(lambda: is_still(page, node))
    height = float(page.locator(".hb-spectrum").evaluate("one => one.clientHeight"))
    x, y = middle(page, "Curve 12 kHz")
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x, y + height / 4, steps=10)
    until(lambda: node.inner_text() == f"{studio.value('curve_12k'):g} dB")
    page.mouse.up()
    dragged = studio.value("curve_12k")
    assert -12.0 < dragged < -6.0
    press_in_a_row(node, "ArrowUp", "ArrowUp", "Shift+ArrowDown")
    until(lambda: studio.value("curve_12k") == pytest.approx(dragged + 0.9))
    node.evaluate("element => element.blur()")
    for value in (dragged, 0.0):
        page.get_by_role("button", name="Undo").click()
        until(lambda value=value: studio.value("curve_12k") == value)  # type: ignore[misc]
    until(lambda: shown(page, "Curve 12 kHz") == "0 dB")
    node.press("End")
    until(lambda: studio.value("curve_12k") == 12.0)
    node.dblclick()
    until(lambda: studio.value("curve_12k") == 0.0)


def test_the_generated_band_has_half_of_the_picture(page: Page) -> None:
    handles = [page.locator(f".hb-handle[data-knob={knob}]") for knob in ("crossover", "ceiling")]
    handles[1].wait_for()

    def share() -> float:
        left, right = (float(one.evaluate("one => parseFloat(one.style.left)")) for one in handles)
        return (right - left) / (float(page.locator(".hb-spectrum").evaluate("one => one.clientWidth")) - 34)

    # The axis glides to where the crossover is found.
    until(lambda: abs(share() - 0.5) < 0.01)


def test_what_is_turned_least_folds_away_and_an_automatic_knob_shows_where_it_stands(page: Page) -> None:
    page.reload()
    page.get_by_role("slider", name="Amount", exact=True).wait_for()
    drive = page.get_by_role("slider", name="Drive", exact=True)
    assert drive.count() == 0
    page.get_by_text("more knobs").click()
    drive.wait_for()
    page.get_by_text("noise", exact=True).wait_for()
    page.get_by_role("button", name="Type a value for Crossover").get_by_text("8 kHz").wait_for()


def test_a_phone_shows_meters_two_knobs_bypass_and_slots_at_first(page: Page) -> None:
    page.set_viewport_size(PHONE)
    wanted = [page.get_by_role("slider", name=name, exact=True) for name in ("Amount", "Crossover")]
    wanted += [page.get_by_role("meter", name=f"{side} level") for side in ("in", "out")]
    wanted += [page.get_by_role("button", name=name) for name in ("bypass:", "Slot A", "Slot B", "Next preset")]
    for one in wanted:
        box = one.bounding_box()
        assert box is not None
        assert box["y"] + box["height"] < 844
        assert box["x"] + box["width"] <= 390


def test_the_page_outlives_the_host(page: Page, studio: Studio) -> None:
    studio.stop()
    page.get_by_text("Host is away").wait_for()
    studio.start()
    until(lambda: page.locator(".hb-alert").is_hidden())
    page.get_by_role("slider", name="Drive", exact=True).press("End")
    until(lambda: studio.value("drive") == 24.0)
