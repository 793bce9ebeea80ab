"""The local server of the page: its files, the parts of the release, and downloads.

Read-only and bound to loopback unless told otherwise. Errors are one sentence; what went wrong
inside stands in the server's log alone.
"""

from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import uvicorn
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from crime_platform.dashboard.data.part_error import PartError
from crime_platform.dashboard.data.parts import PARTS, Maker, download
from crime_platform.dashboard.downloads.request import MEDIA_TYPES, Download, wish_of
from crime_platform.dashboard.listening import PORT, address_of, is_local, listening_socket
from crime_platform.dashboard.patience import PatientProtocol
from crime_platform.dashboard.request_guard import RequestGuard
from crime_platform.dashboard.response_cache import PartCache, Payload
from crime_platform.dashboard.static_files import (
    INDEX,
    NOTHING_PAGE,
    NOTHING_PUBLISHED,
    WEB,
    deck_script,
    web_files,
)
from crime_platform.publication.release import ReleaseError, open_release, release_key
from crime_platform.vocabulary.home import PlatformHome

if TYPE_CHECKING:
    from starlette.types import ASGIApp

NOT_MODIFIED, NOT_FOUND, CONFLICT, BROKEN, NO_RELEASE = 304, 404, 409, 500, 503


def build_app(
    home: PlatformHome,
    *,
    makers: Mapping[str, Maker] = PARTS,
    download: Download = download,
    web: Path = WEB,
    is_local: bool = True,
) -> "ASGIApp":
    """The application over one home.

    Args:
        home: whose published release is shown; a new one is seen at the next request.
        makers: who makes the parts.
        download: who makes the files to download.
        web: folder of the page's own files.
        is_local: whether it is bound to loopback, and answers to no other name.

    Raises:
        WebError: if the folder holds no page.
    """
    files = web_files(web)
    parts = PartCache(home, makers)
    deck = cache(deck_script)

    def page_file(request: Request) -> Response:
        name = request.path_params.get("name", INDEX)
        if name not in files:
            raise HTTPException(NOT_FOUND, "there is no such file")
        if name == INDEX:
            release_key(home)  # no page without a release
        return answer(request, files[name])

    def vendor(request: Request) -> Response:
        return answer(request, deck())

    def part(request: Request) -> Response:
        # A page that was opened before a release was swapped must not mix the two.
        if request.query_params.get("release", current := release_key(home)) != current:
            raise HTTPException(CONFLICT, "a newer release was published: reload the page")
        return answer(request, parts.payload(request.path_params["path"]))

    def release(_: Request) -> Response:
        return JSONResponse({"release": release_key(home)})

    def file_to_keep(request: Request) -> Response:
        wish = wish_of(request)
        with open_release(home) as connection:
            content = download(connection, wish)
        kept_as = {"Content-Disposition": f'attachment; filename="{wish.file_name}"'}
        return Response(content, headers=kept_as, media_type=MEDIA_TYPES[wish.form])

    routes = [
        Route("/", page_file),
        Route("/vendor/deck.js", vendor),
        Route("/api/release", release),
        Route("/api/{path:path}", part),
        Route("/download/{name}", file_to_keep),
        Route("/favicon.ico", lambda _: Response(status_code=204)),
        Route("/{name:path}", page_file),
    ]
    app = Starlette(
        routes=routes,
        exception_handlers={
            HTTPException: _refused,
            PartError: _not_in_release,
            ReleaseError: _not_published,
            Exception: _broken,
        },
    )
    app.router.redirect_slashes = False  # a redirect would repeat what was asked for
    return RequestGuard(app, is_local=is_local)


def answer(request: Request, payload: Payload) -> Response:
    """The payload as this client can take it, or nothing if the client has it already."""
    headers = {
        "ETag": payload.etag,
        "Vary": "Accept-Encoding",
        "Cache-Control": "no-cache",  # keep it, and ask each time whether it is current
    }
    if _has_it(request.headers.get("if-none-match", ""), payload.etag):
        return Response(status_code=NOT_MODIFIED, headers=headers)
    if takes_gzip(request.headers.get("accept-encoding", "")):
        headers["Content-Encoding"] = "gzip"
        return Response(payload.gzipped, headers=headers, media_type=payload.media_type)
    return Response(payload.plain, headers=headers, media_type=payload.media_type)


def _has_it(if_none_match: str, etag: str) -> bool:
    known = {tag.strip().removeprefix("W/") for tag in if_none_match.split(",")}
    return "*" in known or etag.removeprefix("W/") in known


def takes_gzip(accept_encoding: str) -> bool:
    """Whether an Accept-Encoding header names gzip, or anything at all, and not with weight 0."""
    weights = {}
    for item in accept_encoding.lower().split(","):
        name, _, weight = item.partition(";")
        weights[name.strip()] = weight.replace(" ", "") not in ("q=0", "q=0.0", "q=0.00", "q=0.000")
    return weights.get("gzip", weights.get("*", False))


def _refused(_: Request, error: Exception) -> Response:
    is_http = isinstance(error, HTTPException)
    status, told = (error.status_code, error.detail) if is_http else (BROKEN, "")
    return JSONResponse({"error": told}, status)


def _not_in_release(_: Request, error: Exception) -> Response:
    return JSONResponse({"error": str(error)}, NOT_FOUND)


def _not_published(request: Request, _: Exception) -> Response:
    if request.url.path == "/":
        return HTMLResponse(NOTHING_PAGE, NO_RELEASE)
    return JSONResponse({"error": NOTHING_PUBLISHED}, NO_RELEASE)


def _broken(_: Request, __: Exception) -> Response:
    told = "something went wrong on the server; its log says what"
    return JSONResponse({"error": told}, BROKEN)


def serve(
    home: PlatformHome,
    *,
    host: str = "127.0.0.1",
    port: int = PORT,
    on_start: Callable[[str, str], object] = print,
) -> None:
    """Serve the page until it is stopped with Ctrl-C.

    Args:
        home: whose published release is shown.
        host: address to listen at; only loopback keeps the page to this machine.
        port: the first port to try.
        on_start: called with the link and the address it is bound to, once it answers.

    Raises:
        PortError: if there is no free port, or the host is not this machine.
        WebError: if the page's own files are missing.
    """
    with listening_socket(host, port) as listener:
        bound_to = listener.getsockname()[0]
        server = server_of(build_app(home, is_local=is_local(bound_to)))
        on_start(address_of(listener), bound_to)  # a browser that comes now waits in the queue
        with suppress(KeyboardInterrupt):
            server.run(sockets=[listener])


def server_of(app: "ASGIApp") -> uvicorn.Server:
    """A quiet server: only what went wrong is logged."""
    config = uvicorn.Config(
        app,
        log_level="warning",
        access_log=False,
        server_header=False,
        proxy_headers=False,
        ws="none",
        http=PatientProtocol,
        lifespan="off",
        timeout_graceful_shutdown=2,
    )
    return uvicorn.Server(config)
