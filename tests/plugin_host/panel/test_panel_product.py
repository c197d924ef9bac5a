"""The panel before the whole product: a real plug-in in the chain, and everything by keyboard alone."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import soundfile
from playwright.sync_api import Page

from plugin_host.control.client import Client, HostError
from plugin_host.session.panel_process import free_port, is_served
from tests.plugin_host.chain.test_effects import VST3
from tests.plugin_host.panel.hands import Keys
from tests.plugin_host.panel.panel_host import PATIENCE_S, Studio, until
from tests.plugin_host.panel.panel_page import barriers, knob, rested, shown
from tests.plugin_host.session.live_program import PROGRAM, environment

TUBE = VST3.with_name("ZamTube.vst3")


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Studio]:
    """The program with its panel, on silence, with a folder of its own for presets."""
    home = tmp_path_factory.mktemp("home")
    requests, telemetry, page = (free_port() for _ in range(3))
    addresses = [f"tcp://127.0.0.1:{port}" for port in (requests, telemetry)]
    command = [
        *PROGRAM,
        "live",
        "--device",
        "null",
        "--block",
        "1024",
        "--channels",
        "1",
        "--panel",
        "--panel-port",
        str(page),
    ]
    command += ["--control", addresses[0], "--telemetry", addresses[1]]
    variables = environment(home, XDG_DATA_HOME=str(home))
    # The panel's toolkit behaves in another way where it believes to be under test itself.
    variables = {name: value for name, value in variables.items() if not name.startswith("PYTEST_")}
    # Plug-ins are talkative; a pipe that nobody reads would stop them.
    with (
        (home / "log").open("w") as log,
        subprocess.Popen(command, cwd=home, env=variables, stdout=log, stderr=subprocess.STDOUT) as program,
    ):
        try:
            until(lambda: is_served(page))
            yield Studio(f"http://127.0.0.1:{page}/", addresses[0], lambda: None, lambda: None)
        finally:
            program.terminate()
            assert program.wait(PATIENCE_S) == 0


@pytest.fixture
def client(studio: Studio) -> Iterator[Client]:
    with Client(studio.address, timeout_s=PATIENCE_S) as made:
        yield made


@pytest.fixture
def page(kept: tuple[Page, list[str]], studio: Studio, client: Client, complaints: list[str]) -> Page:
    client.ask("set_chain", before=[], after=[])
    return rested(kept[0], studio)


def effects(client: Client) -> list[str]:
    return [effect["title"] for part in client.ask("chain")["chain"] for effect in part["effects"]]


def choose(page: Page, effect: str) -> None:
    page.get_by_label("Effect to add after the extender").select_option(effect)
    page.get_by_role("button", name="Add the effect after the extender").click()


@pytest.mark.skipif(not TUBE.exists(), reason="the plug-ins of scripts/system-packages.sh are not installed")
def test_an_installed_plug_in_is_added_turned_set_saved_and_found_again(page: Page, client: Client) -> None:
    choose(page, "ZamTube")
    page.get_by_role("group", name="ZamTube, after the extender").wait_for()
    page.get_by_role("heading", name="ZamTube (after)").wait_for()
    drive = page.get_by_role("slider", name="ZamTube tube drive")
    drive.press("End")
    until(lambda: client.get("after.0.tube_drive")["value"] == float(drive.get_attribute("aria-valuemax") or 0))
    stack = page.get_by_label("ZamTube tone stack model")
    chosen = stack.evaluate("list => list.options[3].text")
    stack.select_option(chosen)

    def settings() -> dict[str, object]:
        (effect,) = client.ask("chain")["chain"][-1]["effects"]
        node: dict[str, object] = effect["node"]["settings"]
        return node

    until(lambda: settings().get("tone_stack_model") == chosen)
    assert client.get("after.0.tube_drive")["value"] == float(drive.get_attribute("aria-valuemax") or 0)
    assert barriers(page) == []
    page.get_by_role("button", name="Save what plays").click()
    page.get_by_role("textbox", name="Name").fill("With tube")
    page.get_by_role("button", name="Save the preset").click()
    page.get_by_text("saved as With tube").wait_for()
    page.get_by_role("button", name="Remove ZamTube").click()
    until(lambda: effects(client) == [])
    client.load_preset("With tube")
    page.get_by_role("group", name="ZamTube, after the extender").wait_for()
    until(lambda: settings().get("tone_stack_model") == chosen)
    until(lambda: page.get_by_role("button", name="Presets: load and save").text_content() == "With tube")
    page.get_by_role("button", name="Presets: load and save").click()
    page.get_by_role("dialog").get_by_text("Save what plays").click()
    until(lambda: page.get_by_role("textbox", name="Name").input_value() == "With tube")


def test_what_is_not_installed_is_not_loaded(client: Client, tmp_path: Path) -> None:
    (tmp_path / "evil.vst3").write_bytes(b"")
    for path in (str(tmp_path / "evil.vst3"), "evil.vst3", str(VST3.parent / ".." / "vst3" / VST3.name)):
        with pytest.raises(HostError, match="can't be added from outside"):
            client.ask("set_chain", before=[], after=[{"plugin": path}])


def test_bypassed_and_processed_are_compared_equally_loud(page: Page, client: Client) -> None:
    match = page.get_by_role("button", name="match:")
    match.click()
    until(lambda: client.get("compare.match")["value"] == 1.0)
    until(lambda: match.get_attribute("aria-pressed") == "true")
    page.get_by_text("nothing is loud enough yet").wait_for()
    match.click()
    until(lambda: client.get("compare.match")["value"] == 0.0)


def test_nothing_stands_beyond_the_edge_of_a_screen(page: Page, client: Client) -> None:
    nodes = [{"effect": name} for name in ("BrickwallLimiter", "LadderFilter", "Compressor")]
    client.ask("set_chain", before=nodes[:1], after=nodes)
    page.get_by_role("group", name="LadderFilter, after the extender").wait_for()
    for width in (360, 768, 1920):
        page.set_viewport_size({"width": width, "height": 800})
        until(lambda width=width: page.evaluate("document.documentElement.scrollWidth") <= width)  # type: ignore[misc]


def test_the_keyboard_alone_can_do_all_of_it(page: Page, client: Client, tmp_path: Path) -> None:
    keys, named = Keys(page), page.get_by_role
    keys.press(named("button", name="Presets: load and save"))
    named("textbox", name="Search").wait_for()
    keys.type(named("textbox", name="Search"), "drum air")
    # A list that is still to be drawn anew would lose the press.
    until(lambda: page.get_by_role("group", name="Presets").get_by_role("button", name="Load").count() == 1)
    keys.press(named("button", name="What Drum air would change"), "Enter")
    page.get_by_text("Drum air would change", exact=True).wait_for()
    keys.press(named("button", name="Load Drum air"), "Enter")
    until(lambda: client.ask("stats")["stats"]["preset"] == "drum-air")
    page.get_by_role("dialog").wait_for(state="detached")
    keys.press(named("button", name="Slot B"), "Enter")
    until(lambda: client.ask("slots")["slot"] == "B")
    keys.press(named("button", name="Copy this slot to another"), "Enter")
    keys.press(page.locator(".q-menu").get_by_role("button", name="Slot C"), "Enter")
    until(lambda: client.ask("slots")["slots"]["C"])
    keys.press(named("button", name="bypass:"), "Space")
    until(lambda: client.get("bypass")["value"] == 1.0)
    keys.press(named("button", name="MIDI: the controller's map"), "Enter")
    page.get_by_text("start it with highband live --midi").wait_for()
    page.keyboard.press("Escape")
    page.get_by_role("dialog").wait_for(state="detached")
    keys.press(named("button", name="Colours"), "Enter", "Enter")
    until(lambda: page.locator("body.body--dark").count() == 1)
    chain(page, client, keys)
    keys.press(knob(page, "Drive"), "End")
    until(lambda: client.get("drive")["value"] == 24.0)
    keys.press(knob(page, "Amount"), "Enter")
    keys.type(named("textbox", name="Amount value"), "-6")
    page.keyboard.press("Enter")
    until(lambda: shown(page, "Amount") == "-6 dB")
    page.keyboard.press("Control+z")
    until(lambda: shown(page, "Amount") != "-6 dB")
    soundfile.write(tmp_path / "take.wav", [0.0] * 4800, 48000)
    keys.choose_file(str(tmp_path / "take.wav"))
    render = named("button", name="render the file")
    render.wait_for()
    keys.press(render, "Enter")
    keys.press(named("button", name="cancel", exact=True), "Enter")
    page.get_by_text("stopped, 0 of 1 files").wait_for()


def chain(page: Page, client: Client, keys: Keys) -> None:
    """Add an effect, move it to the other side, bypass and remove it."""
    before = effects(client)
    keys.go_to(page.get_by_label("Effect to add before the extender"))
    page.keyboard.type("Inv")
    keys.press(page.get_by_role("button", name="Add the effect before the extender"), "Enter")
    until(lambda: effects(client).count("Invert") == 1)
    place = effects(client).index("Invert")
    stage = page.get_by_role("group", name="Invert, before the extender")
    stage.wait_for()
    until(lambda: page.locator(".hb-chain[aria-busy=true]").count() == 0)
    keys.press(stage.get_by_role("button", name="Move Invert later"), "Enter")
    stage = page.get_by_role("group", name="Invert, after the extender")
    stage.wait_for()
    assert effects(client).index("Invert") == place
    until(lambda: page.locator(".hb-chain[aria-busy=true]").count() == 0)
    keys.press(stage.get_by_role("button", name="Invert", exact=True), "Space")
    page.locator(".hb-off", has_text="Invert").wait_for()
    until(lambda: page.locator(".hb-chain[aria-busy=true]").count() == 0)
    keys.press(stage.get_by_role("button", name="Remove Invert"), "Enter")
    until(lambda: effects(client) == before)
