"""What a new user comes for, from the page alone: by mouse, by touch on a phone, and by a keyboard alone.

A blind test by each of them is in test_panel_blind.py, a knob that learns a controller in test_panel_midi.py.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from models.artifact.manifest import FOLDER
from tests.plugin_host.panel.hands import Hand
from tests.plugin_host.panel.panel_host import PATIENCE_S, Studio, until
from tests.plugin_host.panel.panel_page import is_still, knob, shown

_PLAYERS = """() => [...document.querySelectorAll("audio")].map((one) => ({ at: one.currentTime, muted: one.muted }))"""


def test_a_preset_for_a_phone_guest_is_found_and_undone(hand: Hand, studio: Studio) -> None:
    page, host = hand.page, studio.host
    assert host is not None
    host.loaded.clear()
    hand.press(page.get_by_role("button", name="Presets: load and save"))
    presets = page.get_by_role("group", name="Presets").get_by_role("button", name="Load")
    # The window opens with all of them, whatever was searched for last.
    until(lambda: presets.count() > 1)
    hand.type(page.get_by_role("textbox", name="Search"), "phone guest")
    until(lambda: presets.count() == 1)
    hand.press(presets)
    until(lambda: host.loaded == ["phone-guest"])
    page.get_by_role("dialog").wait_for(state="detached")
    until(lambda: shown(page, "Ceiling") == "14 kHz")
    hand.press(page.get_by_role("button", name="Undo"))
    until(lambda: shown(page, "Ceiling") != "14 kHz")


def test_the_top_becomes_softer_above_12_khz_and_comes_back_in_one_step(hand: Hand, studio: Studio) -> None:
    page = hand.page
    node = knob(page, "Curve 12 kHz")
    node.wait_for()
    # The axis comes to rest before the hand does.
    until(lambda: is_still(page, node))
    hand.lower(node, 6)
    until(lambda: studio.value("curve_12k") == pytest.approx(-6.0, abs=0.5))
    until(lambda: shown(page, "Curve 12 kHz") == f"{studio.value('curve_12k'):g} dB")
    node.evaluate("one => one.blur()")
    hand.press(page.get_by_role("button", name="Undo"))
    until(lambda: studio.value("curve_12k") == 0.0)


def test_what_plays_is_recorded_and_listed(hand: Hand, studio: Studio) -> None:
    page, host = hand.page, studio.host
    assert host is not None
    record, before = page.get_by_role("button", name="Record input and output"), len(host.takes.listed())
    hand.press(record)
    until(lambda: host.takes.is_on and host.takes.state()["seconds"] > 0.2)
    until(lambda: record.get_attribute("aria-pressed") == "true")
    hand.press(record)
    until(lambda: len(host.takes.listed()) > before)
    take = host.takes.listed()[0]
    assert np.abs(soundfile.read(take["wet"])[0]).max() > 0.01
    hand.press(page.get_by_role("button", name="Takes: what was recorded"))
    page.get_by_role("list", name="Takes").get_by_text(take["name"], exact=True).wait_for()
    hand.press(page.get_by_role("button", name="Close the takes"))
    page.get_by_role("dialog").wait_for(state="detached")


def test_a_file_is_rendered_and_listened_to(hand: Hand, studio: Studio, tmp_path: Path) -> None:
    page, host = hand.page, studio.host
    assert host is not None
    host.artifact = str(FOLDER / "live")
    sound = 0.1 * np.random.default_rng(1).standard_normal(3 * 48000)
    # The page may still show what another hand rendered.
    name = f"{type(hand).__name__.lower()}.wav"
    soundfile.write(tmp_path / name, sound, 48000)
    hand.choose_file(str(tmp_path / name))
    hand.press(page.get_by_role("button", name="render the file"))
    play = page.get_by_role("button", name=f"Play {name}")
    play.wait_for(timeout=3 * PATIENCE_S * 1000.0)
    hand.press(play)
    until(lambda: all(one["at"] > 0.1 for one in page.evaluate(_PLAYERS)))
    hand.press(page.get_by_role("button", name=f"Hear {name} added"))
    until(lambda: [one["muted"] for one in page.evaluate(_PLAYERS)] == [True, True, False])
