"""The local page: the boards and their panels in a browser, live, for everyone without a dashboard server.

What is asked and how it is read is `dashboards.panels`; here is only how it is served and drawn. `definitions` says
which boards there are, `address` reads what a reader chose, `api` answers each panel by itself, `values` what can be
chosen, `marks` what is drawn into charts, `spreadsheet` the same as CSV; `routes` serves all of it with the page's own
files in `assets`; `loopback` keeps other sites out.
"""

from dashboards.page.routes import page_routes
from dashboards.panels.question import Query

__all__ = ["Query", "page_routes"]
