"""The boards as one HTML file that can be mailed: it holds its own figures, scripts and styles, and loads nothing.

`period` reads which stretch of time is meant; `content` asks the ledger for everything the report says; the rest is
pure: `figures` writes values, `tables` answers, `front` what stands before the boards, `scripts` puts the page's own
drawing code into one script, `document` puts all of it together.
"""

from dashboards.report.content import USUAL_BOARDS, Content, Wanted, gather
from dashboards.report.document import document
from dashboards.report.period import ReportPeriod, named_period, period_from

__all__ = [
    "USUAL_BOARDS",
    "Content",
    "ReportPeriod",
    "Wanted",
    "document",
    "gather",
    "named_period",
    "period_from",
]
