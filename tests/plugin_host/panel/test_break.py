"""A page whose connection broke, on a phone that slept or a machine too busy to answer, goes on as it was."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Browser

from plugin_host.session.panel_process import free_port
from tests.plugin_host.panel import clocked_panel
from tests.plugin_host.panel.panel_host import PATIENCE_S, Studio, served, until
from tests.plugin_host.panel.panel_page import knob, shown


def test_a_page_goes_on_after_a_break_of_five_minutes(
    browser: Browser, studio: Studio, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = tmp_path / "passed"
    clock.write_text("0")
    monkeypatch.setenv("PASSED", str(clock))
    assert studio.store is not None
    with (
        served(studio.address, free_port(), program=clocked_panel.__name__) as url,
        browser.new_context() as context,
    ):
        page = context.new_page()
        page.set_default_timeout(PATIENCE_S * 1000.0)
        page.goto(url)
        knob(page, "Amount").wait_for()
        until(lambda: shown(page, "Amount") not in ("", "-7 dB"))
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
