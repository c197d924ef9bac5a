"""The page of a listening test and its addresses, on this machine alone."""

from __future__ import annotations

import socket
from collections.abc import Awaitable, Callable
from importlib import resources
from string import Template
from typing import Any

import uvicorn
from pydantic import ValidationError
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from plugin_host.panel.access import AccessGuard
from plugin_host.panel.listening.groups import ListeningError
from plugin_host.panel.listening.session import Listener, Listening, ListeningPage

HOST = "127.0.0.1"
_ASSETS = ("listen.css", "player.js", "abx.js", "mushra.js")
_LONGEST_BODY = 4000
Endpoint = Callable[[Request], Awaitable[Response]]


class ListeningDesk:
    """Answers the page of a test.

    Args:
        listening: The test.
    """

    def __init__(self, listening: Listening[Any, Any]) -> None:
        self._listening = listening

    def app(self) -> AccessGuard:
        """Return the page and its addresses, for pages of this machine alone."""
        routes = [
            Route("/sessions", _polite(self._open), methods=["POST"]),
            Route("/sessions/{word}", _polite(self._answer), methods=["POST"]),
            Route("/sessions/{word}/{trial:int}/{slot}", _polite(self._sound), methods=["GET"]),
            Route("/results.csv", self._results, methods=["GET"]),
            Route("/{name:path}", self._asset, methods=["GET"]),
        ]
        return AccessGuard(Starlette(routes=routes))

    async def _open(self, request: Request) -> Response:
        word = self._listening.open(Listener.model_validate_json(await _body(request)))
        return JSONResponse({"session": word, **self._listening.state(word)})

    async def _answer(self, request: Request) -> Response:
        word = str(request.path_params["word"])
        self._listening.answer(word, self._listening.form.model_validate_json(await _body(request)))
        return JSONResponse(self._listening.state(word))

    async def _sound(self, request: Request) -> Response:
        place = request.path_params
        wav = self._listening.sound(str(place["word"]), int(place["trial"]), str(place["slot"]))
        return Response(wav, media_type="audio/wav", headers={"cache-control": "no-store"})

    async def _results(self, request: Request) -> Response:
        if not self._listening.output.is_file():
            return Response(status_code=404)
        return FileResponse(self._listening.output, media_type="text/csv", filename=self._listening.output.name)

    async def _asset(self, request: Request) -> Response:
        name = str(request.path_params["name"])
        if not name:
            return HTMLResponse(await run_in_threadpool(_page, self._listening.page))
        if name not in _ASSETS:
            return Response(status_code=404)
        kind = "text/css" if name.endswith(".css") else "text/javascript"
        return Response(await run_in_threadpool(_read, name), media_type=f"{kind}; charset=utf-8")


def listen_socket() -> socket.socket:
    """Return a socket on a free port of this machine."""
    bound = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    bound.bind((HOST, 0))
    # From here on a browser that is faster than the server waits for it.
    bound.listen()
    return bound


def serve(listening: Listening[Any, Any], bound: socket.socket) -> None:
    """Serve the page until Ctrl-C."""
    config = uvicorn.Config(ListeningDesk(listening).app(), log_level="warning", lifespan="off")
    uvicorn.Server(config).run(sockets=[bound])


def _page(page: ListeningPage) -> str:
    columns = "".join(f'<th scope="col">{column}</th>' for column in page.columns)
    parts = {**page._asdict(), "columns": columns, "test": _read(f"{page.name}.html")}
    return Template(_read("listen.html")).substitute(parts)


def _read(name: str) -> str:
    return resources.files(__package__ or "").joinpath("assets", name).read_text(encoding="utf-8")


async def _body(request: Request) -> bytes:
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > _LONGEST_BODY:
            raise ListeningError("the answer is too long; load the page again")
    return body


def _polite(endpoint: Endpoint) -> Endpoint:
    async def answered(request: Request) -> Response:
        try:
            return await endpoint(request)
        except ListeningError as error:
            return JSONResponse({"refused": str(error)}, status_code=409)
        except ValidationError:
            return JSONResponse({"refused": "the page sent an answer of another form; load it again"}, status_code=422)

    return answered
