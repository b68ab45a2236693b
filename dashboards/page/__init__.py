"""The local page: spend, calls and tokens at one look, live, for everyone without a dashboard server.

`overview` decides what is asked of the ledger and how the answers are put together; `routes` serves it with the
page itself; `assets` holds what the browser loads; `loopback` keeps other sites out.
"""

from dashboards.page.overview import Query
from dashboards.page.routes import page_routes

__all__ = ["Query", "page_routes"]
