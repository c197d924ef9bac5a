"""Who may see the panel: this machine, or who has the token; and no page of another site."""

from __future__ import annotations

import hmac
import ipaddress
from http.cookies import CookieError, SimpleCookie
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

COOKIE = "highband_panel"
_HEADERS = (
    # Scripts and styles of the page stand in it, as its toolkit makes it; nothing comes from elsewhere.
    (
        b"content-security-policy",
        b"default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; "
        b"img-src 'self' data:; font-src 'self' data:; frame-ancestors 'none'; base-uri 'none'; form-action 'self'",
    ),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
)


def is_loopback(host: str) -> bool:
    """Say whether only this machine can reach a server on this host."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


class AccessGuard:
    """An ASGI layer around the panel that turns away whoever may not see it.

    Args:
        app: What it guards.
        token: The word that opens the panel; None where only this machine can reach it.
    """

    def __init__(self, app: Any, token: str | None = None) -> None:
        self._app, self._token = app, token

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Pass a connection on, or refuse it."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        if self._has_token_in_address(scope):
            await _redirect(scope, send, self._token or "")
        elif refusal := self._refusal(scope, headers):
            await _refuse(scope, send, refusal)
        else:
            await self._app(scope, receive, _with_headers(send))

    def _refusal(self, scope: Any, headers: dict[str, str]) -> str:
        host = headers.get("host", "")
        # Another site's name may be made to point at this machine.
        if self._token is None and not is_loopback(urlsplit(f"//{host}").hostname or ""):
            return "this panel is for its own machine; open it as http://127.0.0.1"
        is_safe = scope["type"] == "http" and scope["method"] in ("GET", "HEAD")
        origin = headers.get("origin")
        is_own = is_safe if origin is None else urlsplit(origin).netloc == host
        if not is_own:
            return "the panel answers its own pages only"
        if self._token is not None and not self._is_known(headers.get("cookie", "")):
            return "open the panel with the address that highband panel printed, which ends in ?token=..."
        return ""

    def _is_known(self, cookies: str) -> bool:
        try:
            morsel = SimpleCookie(cookies).get(COOKIE)
        except CookieError:
            return False
        return morsel is not None and self._matches(morsel.value)

    def _has_token_in_address(self, scope: Any) -> bool:
        if self._token is None or scope["type"] != "http" or scope["method"] != "GET":
            return False
        return any(name == "token" and self._matches(value) for name, value in _query(scope))

    def _matches(self, word: str) -> bool:
        return self._token is not None and hmac.compare_digest(word.encode(), self._token.encode())


def _query(scope: Any) -> list[tuple[str, str]]:
    return parse_qsl(scope["query_string"].decode("latin-1"))


async def _redirect(scope: Any, send: Any, token: str) -> None:
    """Move the token from the address, which others may see, into a cookie."""
    rest = urlencode([(name, value) for name, value in _query(scope) if name != "token"])
    # A path that begins with two slashes would lead to another site.
    place = "/" + scope["path"].lstrip("/\\") + (f"?{rest}" if rest else "")
    cookie = f"{COOKIE}={token}; Path=/; HttpOnly; SameSite=Strict"
    headers = [(b"location", place.encode()), (b"set-cookie", cookie.encode()), (b"content-length", b"0")]
    await send({"type": "http.response.start", "status": 303, "headers": headers})
    await send({"type": "http.response.body", "body": b""})


async def _refuse(scope: Any, send: Any, sentence: str) -> None:
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": 1008, "reason": sentence})
        return
    body = f"{sentence}\n".encode()
    headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 403, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def _with_headers(send: Any) -> Any:
    async def sent(message: Any) -> None:
        if message["type"] == "http.response.start":
            message = {**message, "headers": [*message.get("headers", ()), *_HEADERS]}
        await send(message)

    return sent
