"""Serves the page, its assets and its answers; reads only.

Everything the browser loads comes from here: the page's own files, and plotly.js out of the installed package
`plotly`. The content security policy lets no script but these run and no request leave; plotly writes style
elements, so styles may be inline.
"""

import asyncio
from collections.abc import Callable, Iterable
from datetime import datetime
from importlib import metadata, resources
from typing import Final

from aiohttp import web

from dashboards.page.api import Api
from dashboards.page.loopback import Handler, loopback_only
from dashboards.panels.question import Query

SECURITY_HEADERS: Final = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; "
        "connect-src 'self'; font-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
_CONTENT_TYPE: Final = {
    ".html": "text/html",
    ".css": "text/css",
    ".js": "text/javascript",
    ".svg": "image/svg+xml",
}


def page_routes(
    query: Query,
    *,
    clock: Callable[[], datetime],
    database: str,
    allowed_hosts: Iterable[str] = (),
) -> list[web.RouteDef]:
    """The page's routes (`/`, `/assets/…`, `/api/…`), for `app.add_routes`.

    query: awaited with a statement and the values of its `{name:Type}` parameters (strings, integers, lists of
    strings), answers rows as dicts; decimals as `Decimal` or decimal strings. It must read only. clock: UTC now.
    allowed_hosts: names beside the loopback's own under which the page may be opened.
    """
    check = loopback_only(allowed_hosts)

    def guarded(handler: Handler) -> Handler:
        async def handle(request: web.Request) -> web.StreamResponse:
            response = await check(request, handler)
            response.headers.update(SECURITY_HEADERS)
            return response

        return handle

    return [
        web.get("/", guarded(_index)),
        web.get("/assets/plotly.min.js", guarded(_plotly)),
        web.get("/assets/{name}", guarded(_asset)),
        *Api(query, clock=clock, database=database).routes(guarded),
    ]


async def _index(request: web.Request) -> web.Response:
    return _own_file("index.html")


async def _asset(request: web.Request) -> web.Response:
    return _own_file(request.match_info["name"])


def _own_file(name: str) -> web.Response:
    folder = resources.files("dashboards.page") / "assets"
    known = {entry.name: entry for entry in folder.iterdir()}
    suffix = name[name.rfind(".") :]
    if name not in known or suffix not in _CONTENT_TYPE:
        return web.Response(status=404, text=f"There is no asset {name!r}.\n")
    return web.Response(
        body=known[name].read_bytes(),
        content_type=_CONTENT_TYPE[suffix],
        charset="utf-8",
        headers={"Cache-Control": "no-cache"},
    )


async def _plotly(request: web.Request) -> web.Response:
    """plotly.js of the installed package; the browser keeps it for a day, and longer under the same version."""
    tag = f'"plotly-{metadata.version("plotly")}"'
    headers = {"ETag": tag, "Cache-Control": "max-age=86400"}
    if request.headers.get("If-None-Match") == tag:
        return web.Response(status=304, headers=headers)
    script = resources.files("plotly") / "package_data" / "plotly.min.js"
    body = await asyncio.to_thread(script.read_bytes)
    return web.Response(body=body, content_type="text/javascript", charset="utf-8", headers=headers)
