"""Who may open the panel: this machine's own pages, or whoever has the token; no other site, no other name."""

from __future__ import annotations

import http.client

from playwright.sync_api import Browser

from plugin_host.panel.access import COOKIE
from plugin_host.session.panel_process import free_port
from tests.plugin_host.panel.panel_host import PATIENCE_S, served

# The door stands before the panel, whether a host answers behind it or not.
NOBODY = "tcp://127.0.0.1:9"


def status(port: int, path: str = "/", method: str = "GET", **headers: str) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE_S)
    try:
        connection.request(method, path, headers={name.replace("_", "-"): value for name, value in headers.items()})
        return connection.getresponse().status
    finally:
        connection.close()


UPGRADE = {
    "Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
}  # fmt: skip


def test_other_sites_and_other_names_are_turned_away() -> None:
    port = free_port()
    own, door = f"http://127.0.0.1:{port}", "/_nicegui_ws/socket.io/?EIO=4&transport="
    with served(NOBODY, port):
        assert status(port) == 200
        assert status(port, Host="evil.example") == 403
        assert status(port, door + "websocket", **UPGRADE) == 403
        for origin in ("http://evil.example", "null", f"http://evil.example:{port}", "http://127.0.0.1:1"):
            assert status(port, Origin=origin) == 403
            assert status(port, door + "polling", "POST", Origin=origin) == 403
            assert status(port, door + "websocket", Origin=origin, **UPGRADE) == 403
        assert status(port, door + "websocket", Origin=own, **UPGRADE) == 101


def test_a_panel_for_others_opens_with_its_token_only() -> None:
    port = free_port()
    with served(NOBODY, port, "--host", "0.0.0.0") as url:
        token = url.partition("token=")[2]
        assert len(token) >= 20
        assert status(port) == 403
        assert status(port, f"/?token={token}x") == 403
        assert status(port, Cookie=f"{COOKIE}=wrong") == 403
        assert status(port, f"/?token={token}") == 303
        assert status(port, Cookie=f"{COOKIE}={token}") == 200
        origin = f"http://127.0.0.1:{port}"
        door = "/_nicegui_ws/socket.io/?EIO=4&transport=websocket"
        assert status(port, door, Origin=origin, **UPGRADE) == 403


def test_the_address_that_is_printed_opens_the_panel_from_elsewhere(browser: Browser) -> None:
    with served(NOBODY, free_port(), "--host", "0.0.0.0") as url, browser.new_context() as context:
        assert "0.0.0.0" not in url
        page = context.new_page()
        page.goto(url)
        assert "token" not in page.url
        # What a press changes on the page has been to the panel and back.
        page.get_by_role("button", name="Colours").click()
        page.get_by_text("◐ light").wait_for()
        page.get_by_text("Host is away").wait_for()
