"""The panel with a controller: real MIDI over a JACK server moves the knobs on the page, and the page binds them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest
import rtmidi
from playwright.sync_api import Page

from models.extender import controls as knobs
from plugin_host.midi.controller import MidiControl
from plugin_host.midi.map import MidiMap
from plugin_host.midi.service import MidiService
from plugin_host.settings.store import SettingsStore
from tests.plugin_host.fake_host import FakeHost
from tests.plugin_host.panel.hands import Finger, Hand, Keys, Mouse
from tests.plugin_host.panel.panel_host import PATIENCE_S, Studio, in_studio, until
from tests.plugin_host.panel.panel_page import SCREENS, barriers_by_look, knob, shown
from tests.stress.jack_dummy_server import NAME, serving

MAP = MidiMap.model_validate(
    {"bindings": [{"control": "mix", "cc": 70}, {"control": "tone", "cc": 71, "takeover": False}]}
)
KEPT: list[MidiMap] = []
MADE: list[MidiControl] = []


@pytest.fixture(scope="module")
def studio() -> Iterator[Studio]:
    """A studio with a controller on a JACK server of its own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("JACK_DEFAULT_SERVER", NAME)
        patch.setenv("JACK_NO_START_SERVER", "1")
        with serving(), in_studio(make_controller) as made:
            yield made


def make_controller(store: SettingsStore) -> tuple[MidiControl, MidiService]:
    made = MidiControl(store, FakeHost(), knobs.CONTROLS, MAP, "Giver", "jack")
    MADE.append(made)
    return made, MidiService(made.surface, lambda: made.port_name, "rig", KEPT.append, made.use_port)


@pytest.fixture(scope="module")
def controller(studio: Studio) -> Iterator[Any]:
    made = rtmidi.MidiOut(rtmidi.API_UNIX_JACK, name="Giver")
    made.open_virtual_port("knobs")
    # A controller that comes later is looked for now and then.
    until(lambda: bool(MADE[-1].port_name))
    yield made
    made.delete()


def move_until(controller: Any, number: int, values: Sequence[int], holds: Callable[[], bool]) -> None:
    """Move a control until something holds: a wire that was just laid may not carry, and of a hundred moves that wait
    at once the last are dropped.
    """
    end = time.monotonic() + PATIENCE_S
    while not holds():
        assert time.monotonic() < end, "it did not come about in time"
        for value in values:
            controller.send_message([0xB0, number, value])
        again = time.monotonic() + 2.0
        while not holds() and time.monotonic() < again:
            time.sleep(0.02)


def table(page: Page) -> str:
    page.get_by_role("button", name="MIDI: the controller's map").click()
    page.get_by_text("Plays from Giver:knobs").wait_for()
    return page.locator(".hb-bindings").text_content() or ""


def test_a_controller_moves_the_knob_on_the_page_and_the_ghost_shows_where_it_waits(
    page: Page, studio: Studio, controller: Any
) -> None:
    move_until(controller, 71, (*range(0, 127, 4), 127), lambda: studio.value("tone") == pytest.approx(100.0))
    until(lambda: float(knob(page, "Tone").get_attribute("aria-valuenow") or 0) == studio.value("tone"))
    assert page.locator(".hb-ghost").count() == 0
    controller.send_message([0xB0, 70, 32])
    page.locator(".hb-ghost").wait_for()
    until(lambda: "waits at 25 percent" in (knob(page, "Mix").get_attribute("aria-description") or ""))
    assert studio.value("mix") == 100.0
    controller.send_message([0xB0, 70, 127])
    controller.send_message([0xB0, 70, 100])
    until(lambda: studio.value("mix") < 80.0)
    until(lambda: page.locator(".hb-ghost").count() == 0)
    assert float(knob(page, "Mix").get_attribute("aria-valuenow") or 0) == pytest.approx(studio.value("mix"), abs=0.1)


def test_a_knob_learns_by_mouse_by_touch_and_by_keyboard(hand: Hand, studio: Studio, controller: Any) -> None:
    page, number = hand.page, {Mouse: 20, Finger: 21, Keys: 22}[type(hand)]

    def learn(name: str, news: str) -> None:
        hand.open_menu(knob(page, name))
        hand.press(page.get_by_role("menuitem", name="Learn a MIDI control"))
        page.get_by_text(f"Move a control of Giver:knobs for {name}").wait_for()
        page.locator(".hb-learning").wait_for()
        learned = page.get_by_text(news, exact=True)
        move_until(controller, number, (0, 50, 100), lambda: learned.count() > 0)
        page.locator(".hb-learning").wait_for(state="detached")

    learn("Drive", f"cc {number} on channel 1 moves Drive")
    # What another knob takes is named, and given back by the button beside it.
    learn("Width", f"cc {number} on channel 1 moves Width, and Drive no longer")
    hand.press(page.get_by_role("button", name="Put it back as it was"))
    page.get_by_text("the controller moves what it moved before").wait_for()
    move_until(controller, number, (*range(0, 127, 4), 127), lambda: studio.value("drive") == pytest.approx(24.0))
    until(lambda: shown(page, "Drive") == "24 dB")


def test_escape_cancels_learning(page: Page, studio: Studio, controller: Any) -> None:
    knob(page, "Width").press("ContextMenu")
    page.get_by_role("menuitem", name="Learn a MIDI control").press("Enter")
    page.get_by_text("for Width").wait_for()
    page.keyboard.press("Escape")
    page.get_by_text("nothing was learned").wait_for()
    page.get_by_role("button", name="bypass:").click(button="right")
    page.get_by_role("menuitem", name="Learn a MIDI control").click()
    page.get_by_text("for Bypass").wait_for()
    page.get_by_role("button", name="Cancel learning").click()
    page.locator(".hb-learn").wait_for(state="hidden")


def test_the_map_is_shown_and_edited(page: Page, studio: Studio, controller: Any) -> None:
    assert "Mix" in table(page)
    for screen in SCREENS:
        page.set_viewport_size(screen)
        assert barriers_by_look(page, ".q-dialog") == []
    page.get_by_label("Soft takeover for Mix").uncheck()
    until(lambda: bool(KEPT) and any(not one.takeover for one in KEPT[-1].bindings if one.control == "mix"))
    page.get_by_label("Number for Mix").fill("72")
    page.get_by_label("Number for Mix").press("Tab")
    page.get_by_role("listitem", name="cc 72 moves Mix").wait_for()
    controller.send_message([0xB0, 72, 0])
    until(lambda: studio.value("mix") == 0.0)
    page.get_by_label("Kind of control for Mix").select_option("toggle")
    page.get_by_text("is for switches such as bypass").wait_for()
    until(lambda: page.get_by_label("Kind of control for Mix").input_value() == "absolute")
    page.get_by_label("Knob to bind").select_option("bypass")
    page.get_by_label("CC to bind").fill("73")
    page.get_by_role("button", name="bind", exact=True).click()
    page.get_by_role("listitem", name="cc 73 moves Bypass").wait_for()
    page.get_by_role("button", name="Remove the binding of Bypass").click()
    page.get_by_role("listitem", name="cc 73 moves Bypass").wait_for(state="detached")
    page.get_by_label("Knob to bind").select_option("attack")
    page.get_by_role("button", name="learn", exact=True).click()
    page.get_by_role("dialog").wait_for(state="detached")
    page.get_by_text("for Attack").wait_for()
    page.keyboard.press("Escape")
    page.locator(".hb-learn").wait_for(state="hidden")
