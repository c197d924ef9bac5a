"""What the tests of the panel share: a studio and a browser for each file, and a page that must not complain."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page

from tests.plugin_host.panel import panel_page
from tests.plugin_host.panel.panel_host import PATIENCE_S, Studio, in_studio


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Studio]:
    with pytest.MonkeyPatch.context() as patch:
        # The host of these tests plays in this process, and keeps favourites.
        patch.setenv("XDG_DATA_HOME", str(tmp_path_factory.mktemp("home")))
        with in_studio() as made:
            yield made


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with panel_page.chromium() as started:
        yield started


@pytest.fixture(scope="module")
def context(browser: Browser) -> Iterator[BrowserContext]:
    with browser.new_context(viewport={"width": 1200, "height": 900}) as context:
        context.set_default_timeout(PATIENCE_S * 1000.0)
        yield context


@pytest.fixture
def complaints(context: BrowserContext) -> Iterator[list[str]]:
    """What the pages of a test complain of; they are closed at its end, and what they have loaded stays."""
    found: list[str] = []
    yield found
    for page in context.pages:
        page.close()
    assert found == []


@pytest.fixture
def page(context: BrowserContext, studio: Studio, complaints: list[str]) -> Page:
    assert studio.store is not None
    studio.store.load({}, "test")
    studio.store.request_many({"bypass": 0.0, "delta": 0.0}, "test")
    return panel_page.opened(context, studio, complaints)
