"""What the tests of the panel share: one studio, one browser, and for each file a page that must not complain."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeVar, cast

import pytest
from playwright.sync_api import Browser, BrowserContext, Page

from tests.plugin_host.panel import panel_page
from tests.plugin_host.panel.hands import HANDS, Hand, on_a_phone
from tests.plugin_host.panel.panel_host import PATIENCE_S, Studio, in_studio

Made = TypeVar("Made")
_shared, _life = dict[Any, Any](), ExitStack()


def shared(make: Callable[[], AbstractContextManager[Made]]) -> Made:
    """Return what the tests of this folder share, made where a test first needs it."""
    if make not in _shared:
        _shared[make] = _life.enter_context(make())
    return cast(Made, _shared[make])


def _end() -> None:
    _shared.clear()
    _life.close()


@pytest.hookimpl(trylast=True)
def pytest_runtest_teardown(nextitem: pytest.Item | None) -> None:
    """End what is shared before a test of another folder runs."""
    if nextitem is None or nextitem.path.parent != Path(__file__).parent:
        _end()


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish() -> None:
    """End it where the tests were broken off."""
    _end()


@contextmanager
def _studio() -> Iterator[Studio]:
    with pytest.MonkeyPatch.context() as patch, TemporaryDirectory() as home:
        # The host of these tests plays in this process, and keeps favourites.
        patch.setenv("XDG_DATA_HOME", home)
        with in_studio() as made:
            yield made


@pytest.fixture(scope="module")
def studio() -> Studio:
    return shared(_studio)


@pytest.fixture(scope="module")
def browser() -> Browser:
    return shared(panel_page.chromium)


@pytest.fixture(scope="module")
def context(browser: Browser) -> Iterator[BrowserContext]:
    with browser.new_context(viewport=panel_page.DESK) as context:
        context.set_default_timeout(PATIENCE_S * 1000.0)
        yield context


@pytest.fixture(scope="module")
def kept(context: BrowserContext, studio: Studio) -> tuple[Page, list[str]]:
    """A page that the tests of a file use in turns, as loading it costs more than most of them, and its complaints."""
    found: list[str] = []
    return panel_page.opened(context, studio, found), found


@pytest.fixture
def complaints(kept: tuple[Page, list[str]]) -> Iterator[list[str]]:
    """What the pages of a test complain of; those that it opened are closed at its end."""
    page, found = kept
    yield found
    for one in page.context.pages:
        if one != page:
            one.close()
    complained = list(found)
    found.clear()
    assert complained == []


@pytest.fixture
def page(kept: tuple[Page, list[str]], studio: Studio, complaints: list[str]) -> Page:
    return panel_page.rested(kept[0], studio)


@pytest.fixture(scope="module")
def phone(browser: Browser, studio: Studio) -> Iterator[Hand]:
    with on_a_phone(browser, studio) as finger:
        yield finger


@pytest.fixture(params=["touch", *HANDS])
def hand(request: pytest.FixtureRequest, studio: Studio) -> Hand:
    """Each of the people of `hands`, before the panel."""
    if request.param in HANDS:
        return HANDS[request.param](request.getfixturevalue("page"))
    finger: Hand = request.getfixturevalue("phone")
    panel_page.rested(finger.page, studio, panel_page.PHONE)
    return finger
