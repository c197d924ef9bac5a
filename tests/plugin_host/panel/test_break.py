"""A page whose connection broke, on a phone that slept or a machine too busy to answer, goes on as it was."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page

from plugin_host.session.panel_process import free_port
from tests.plugin_host.panel import clocked_panel
from tests.plugin_host.panel.broken_line import Line, line_to
from tests.plugin_host.panel.panel_host import PATIENCE_S, Studio, served, until
from tests.plugin_host.panel.panel_page import knob, shown


@pytest.fixture
def clock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The clock of `clocked_panel`."""
    clock = tmp_path / "passed"
    clock.write_text("0")
    monkeypatch.setenv("PASSED", str(clock))
    return clock


@pytest.fixture
def line(studio: Studio) -> Iterator[Line]:
    with line_to(int(studio.url.rpartition(":")[2].strip("/"))) as line:
        yield line


@pytest.fixture
def far(context: BrowserContext, line: Line) -> Page:
    """A page at the other end of the line."""
    return at_the_end_of(line, context)


def at_the_end_of(line: Line, context: BrowserContext) -> Page:
    page = context.new_page()
    page.goto(line.url)
    knob(page, "Amount").wait_for()
    page.evaluate("window.isAsItWas = true; window.framesSeen = 0")
    page.evaluate("addEventListener('highband-frame', () => framesSeen++)")
    until(lambda: page.evaluate("framesSeen") > 1 and page.evaluate("did_handshake"))
    return page


def test_a_page_goes_on_where_the_time_of_day_is_put_back_and_after_a_break_of_five_minutes(
    browser: Browser, studio: Studio, clock: Path
) -> None:
    assert studio.store is not None
    with (
        served(studio.address, free_port(), program=clocked_panel.__name__) as url,
        browser.new_context() as context,
    ):
        page = context.new_page()
        page.set_default_timeout(PATIENCE_S * 1000.0)
        page.goto(url)
        knob(page, "Amount").wait_for()
        until(lambda: shown(page, "Amount") not in ("", "-4 dB", "-7 dB"))
        clocked_panel.put_back_of(clock).touch()
        studio.store.request_many({"amount": -4.0}, "test")
        until(lambda: shown(page, "Amount") == "-4 dB")
        context.set_offline(True)
        page.evaluate("window.isAsItWas = true; window.socket.io.engine.close()")
        # The panel has noticed, and begins to wait for the page.
        until(clocked_panel.seen_of(clock).exists)
        clock.write_text("299")
        until(lambda: clocked_panel.seen_of(clock).read_text() == "299.0")
        studio.store.request_many({"amount": -7.0}, "test")
        context.set_offline(False)
        until(lambda: shown(page, "Amount") == "-7 dB")
        assert page.evaluate("window.isAsItWas") is True


def test_a_picture_whose_connection_died_without_a_word_moves_again(
    far: Page, line: Line, complaints: list[str]
) -> None:
    line.silence()
    line.heal()
    # What was on its way is drawn, and then nothing.
    far.wait_for_timeout(500)
    drawn = far.evaluate("framesSeen")
    until(lambda: far.evaluate("framesSeen") > drawn + 2)
    assert far.evaluate("isAsItWas") is True


def test_a_page_that_is_back_gets_all_that_it_missed(
    context: BrowserContext, studio: Studio, clock: Path, complaints: list[str]
) -> None:
    assert studio.store is not None
    port = free_port()
    with served(studio.address, port, program=clocked_panel.__name__), line_to(port) as line:
        page = at_the_end_of(line, context)
        until(lambda: shown(page, "Amount") not in ("", "-3 dB"))
        line.silence()
        studio.store.request_many({"amount": -3.0}, "test")
        # It is sent to a page that is not there, before the panel notices.
        page.wait_for_timeout(1000)
        line.lose()
        until(clocked_panel.seen_of(clock).exists)
        line.heal()
        page.evaluate("socket.io.engine.close()")
        until(lambda: shown(page, "Amount") == "-3 dB")
        page.close()


def test_a_page_with_no_way_to_the_panel_waits_and_is_not_loaded_again(
    far: Page, line: Line, studio: Studio, complaints: list[str]
) -> None:
    assert studio.store is not None
    line.silence()
    far.evaluate("window.tries = 0; socket.io.on('reconnect_error', () => tries++)")
    far.evaluate("socket.io.timeout(200).reconnectionDelay(50).reconnectionDelayMax(100)")
    far.evaluate("socket.io.engine.close()")
    until(lambda: far.evaluate("tries") > 3)
    studio.store.request_many({"amount": -9.0}, "test")
    line.heal()
    far.evaluate("socket.io.timeout(20000)")
    until(lambda: shown(far, "Amount") == "-9 dB")
    assert far.evaluate("isAsItWas") is True
