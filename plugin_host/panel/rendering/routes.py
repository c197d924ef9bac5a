"""The addresses under which the page hands in files and fetches what became of them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from urllib.parse import unquote

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from plugin_host.files.audio_reader import AudioFileError
from plugin_host.panel.host_mirror import PanelLink
from plugin_host.panel.labels import FOR_FILES
from plugin_host.panel.rendering.download import playable, zipped
from plugin_host.panel.rendering.jobs import Job, RenderJobs, RenderRefused, Side, preset_of
from plugin_host.panel.rendering.region import difference, outline

_SIDES: dict[str, Side] = {"before": "before", "after": "after", "added": "added", "picture": "picture"}
Answer = Callable[[Request], Awaitable[Response]]


class RenderDesk:
    """Takes files from the page and gives back what became of them.

    Args:
        link: The host, whose settings the files are rendered with.
        jobs: Where the files go.
    """

    def __init__(self, link: PanelLink, jobs: RenderJobs) -> None:
        self._link, self._jobs = link, jobs

    def app(self) -> Starlette:
        """Return the part of the panel that answers below /render."""
        return Starlette(
            routes=[
                Route("/", _polite(self._open), methods=["POST"]),
                Route("/{id}", _polite(self._take), methods=["PUT"]),
                Route("/{id}", _polite(self._start), methods=["POST"]),
                Route("/{id}", _polite(self._stop), methods=["DELETE"]),
                Route("/{id}", _polite(self._answer), methods=["GET"]),
                Route("/{id}/zip", _polite(self._fetch_all), methods=["GET"]),
                Route("/{id}/{index:int}/outline", _polite(self._outline), methods=["GET"]),
                Route("/{id}/{index:int}/part", _polite(self._part), methods=["POST"]),
                Route("/{id}/{index:int}/{side}", _polite(self._fetch), methods=["GET"]),
            ]
        )

    def _job(self, request: Request) -> Job:
        return self._jobs.job(str(request.path_params["id"]))

    async def _open(self, request: Request) -> Response:
        return JSONResponse({"id": self._jobs.open()})

    async def _take(self, request: Request) -> Response:
        name = unquote(request.query_params.get("name", ""))
        await self._jobs.take(str(request.path_params["id"]), name, request.stream())
        return await self._answer(request)

    async def _start(self, request: Request) -> Response:
        link = self._link
        if not link.settings:
            raise RenderRefused("there is no host whose settings could be used; start highband live")
        preset = preset_of(link.state, link.settings)
        # The model that plays is made for no latency; a file has time for a better one.
        artifact = request.query_params.get("artifact") or str(link.stats.get("artifact") or "")
        if artifact not in (*FOR_FILES, link.stats.get("artifact") or ""):
            raise RenderRefused(f"files are rendered with {' or '.join(FOR_FILES)}, or with the model that plays")
        self._jobs.start(str(request.path_params["id"]), preset, artifact)
        return await self._answer(request)

    async def _stop(self, request: Request) -> Response:
        self._jobs.stop(str(request.path_params["id"]))
        return await self._answer(request)

    async def _answer(self, request: Request) -> Response:
        return JSONResponse(self._job(request).summary())

    async def _fetch(self, request: Request) -> Response:
        job, index = self._job(request), int(request.path_params["index"])
        side = _SIDES.get(request.path_params["side"])
        path = job.path(index, side) if side and index < len(job.names) else None
        if path is None:
            return Response(status_code=404)
        players = job.folder / "players" / f"{index:04d}"
        if side == "added":
            before = job.path(index, "before")
            assert before is not None
            async with job.deriving:
                path = await asyncio.to_thread(difference, before, path, players)
        elif side == "before":
            path = await asyncio.to_thread(playable, path, players)
        stem = job.names[index].rpartition(".")[0]
        name = f"{stem}.highband{path.suffix}" if side == "after" else None
        return FileResponse(path, filename=name, content_disposition_type="inline")

    async def _outline(self, request: Request) -> Response:
        job, index = self._job(request), int(request.path_params["index"])
        path = job.path(index, "before") if index < len(job.names) else None
        return Response(status_code=404) if path is None else JSONResponse(await asyncio.to_thread(outline, path))

    async def _part(self, request: Request) -> Response:
        try:
            start, seconds = (float(request.query_params[name]) for name in ("start", "seconds"))
        except (KeyError, ValueError):
            raise RenderRefused("select where the part begins and how long it is") from None
        if not (0.0 <= start < 1e9 and 0.0 < seconds < 1e9):
            raise RenderRefused("select a part of the file")
        id, index = str(request.path_params["id"]), int(request.path_params["index"])
        return JSONResponse({"id": await asyncio.to_thread(self._jobs.preview, id, index, start, seconds)})

    async def _fetch_all(self, request: Request) -> Response:
        results = self._job(request).results()
        if not results:
            return Response(status_code=404)
        given = {"content-disposition": 'attachment; filename="highband.zip"'}
        return StreamingResponse(zipped(results), media_type="application/zip", headers=given)


def _polite(answer: Answer) -> Answer:
    async def answered(request: Request) -> Response:
        try:
            return await answer(request)
        except (RenderRefused, AudioFileError) as error:
            return JSONResponse({"refused": str(error)})

    return answered
