"""Keeps a loopback service to this machine: a browser that was lured here by a foreign name gets nothing.

A web page elsewhere can point its own host name at 127.0.0.1 (DNS rebinding) and so read whatever a loopback
service answers. Its requests still carry the foreign name in `Host`, and a request from another site says so in
`Sec-Fetch-Site`.
"""

import ipaddress
from collections.abc import Awaitable, Callable, Iterable

from aiohttp import web
from aiohttp.typedefs import Middleware

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def host_name(host: str) -> str:
    """The name or address in a `Host` header, without port and brackets, in lower case."""
    host = host.strip().lower()
    if host.startswith("["):
        return host[1:].partition("]")[0]
    name, _, port = host.rpartition(":")
    return name if name and port.isdigit() else host


def is_loopback(host: str) -> bool:
    """Whether a `Host` header names this machine's loopback."""
    name = host_name(host)
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def loopback_only(allowed_hosts: Iterable[str] = ()) -> Middleware:
    """Middleware that answers 421 to a foreign `Host` and 403 to a request that another site made.

    allowed_hosts: names beside the loopback's own, for a service that listens elsewhere on purpose; "*" lets
    every name in.
    """
    allowed = frozenset(name.lower() for name in allowed_hosts)

    @web.middleware
    async def check(request: web.Request, handler: Handler) -> web.StreamResponse:
        host = request.headers.get("Host", "")
        if "*" not in allowed and not is_loopback(host) and host_name(host) not in allowed:
            return web.Response(
                status=421, text="This service answers only to names of its own machine, such as localhost.\n"
            )
        from_elsewhere = request.headers.get("Sec-Fetch-Site", "none") not in ("none", "same-origin")
        # A plain link from elsewhere may open the page; nothing else may be fetched from another site.
        followed_link = request.method == "GET" and request.headers.get("Sec-Fetch-Mode") == "navigate"
        if from_elsewhere and not followed_link:
            return web.Response(status=403, text="This service does not answer to other sites.\n")
        return await handler(request)

    return check
