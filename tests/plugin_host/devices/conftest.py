from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.plugin_host.jack_server import NAME, Server, served


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setenv("JACK_DEFAULT_SERVER", NAME)
    monkeypatch.setenv("JACK_NO_START_SERVER", "1")
    with served() as made:
        yield made
