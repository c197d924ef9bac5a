"""The addresses under which the page hands in files and fetches what became of them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from urllib.parse import unquote

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Route

from plugin_host.panel_link import PanelLink
from plugin_host.panel_render import Job, RenderJobs, RenderRefused, Side, preset_of

_SIDES: dict[str, Side] = {"before": "before", "after": "after", "picture": "picture"}
Answer = Callable[[Request], Awaitable[Response]]


def make_render_app(link: PanelLink, jobs: RenderJobs) -> Starlette:
    """Return the part of the panel that takes files.

    Args:
        link: The host, whose settings the files are rendered with.
        jobs: Where the files go.
    """

    async def open_job(request: Request) -> Response:
        return JSONResponse({"id": jobs.open()})

    async def take(request: Request) -> Response:
        await jobs.take(_id(request), unquote(request.query_params.get("name", "")), request.stream())
        return _told(jobs.job(_id(request)))

    async def start(request: Request) -> Response:
        if not link.settings:
            raise RenderRefused("there is no host whose settings could be used; start highband live")
        preset = preset_of(link.state, link.settings)
        jobs.start(_id(request), preset, str(link.stats.get("artifact") or ""))
        return _told(jobs.job(_id(request)))

    async def stop(request: Request) -> Response:
        jobs.stop(_id(request))
        return _told(jobs.job(_id(request)))

    async def tell(request: Request) -> Response:
        return _told(jobs.job(_id(request)))

    async def fetch(request: Request) -> Response:
        job, index = jobs.job(_id(request)), int(request.path_params["index"])
        side = _SIDES.get(request.path_params["side"])
        path = job.path(index, side) if side and index < len(job.names) else None
        if path is None:
            return Response(status_code=404)
        stem = job.names[index].rpartition(".")[0]
        name = f"{stem}.highband{path.suffix}" if side == "after" else None
        return FileResponse(path, filename=name, content_disposition_type="inline")

    return Starlette(
        routes=[
            Route("/", _polite(open_job), methods=["POST"]),
            Route("/{id}", _polite(take), methods=["PUT"]),
            Route("/{id}", _polite(start), methods=["POST"]),
            Route("/{id}", _polite(stop), methods=["DELETE"]),
            Route("/{id}", _polite(tell), methods=["GET"]),
            Route("/{id}/{index:int}/{side}", _polite(fetch), methods=["GET"]),
        ]
    )


def _polite(answer: Answer) -> Answer:
    async def answered(request: Request) -> Response:
        try:
            return await answer(request)
        except RenderRefused as error:
            return JSONResponse({"refused": str(error)})

    return answered


def _id(request: Request) -> str:
    return str(request.path_params["id"])


def _told(job: Job) -> Response:
    return JSONResponse(job.told_as())
