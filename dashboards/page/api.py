"""The page's questions over HTTP: each answers JSON of its own, so that every panel stands as soon as it is there.

At most RUNNING questions are with the ledger at once, in the order in which they came; one whose reader has gone
meanwhile is not asked at all. 400 says what is wrong with a question, 404 that there is no such thing, 503 that the
ledger does not answer; each as `{"error": …, "hint": …}`.
"""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from aiohttp import web

from dashboards.page.address import Asked, read_address
from dashboards.page.definitions import all_boards
from dashboards.page.loopback import Handler
from dashboards.page.spreadsheet import csv_of
from dashboards.page.values import offered_values
from dashboards.panels.annotations import ANNOTATIONS
from dashboards.panels.panel import Panel
from dashboards.panels.question import Answer, Choice, Query, ask
from dashboards.panels.registry import board
from dashboards.period import Period
from tokenweir.errors import TokenweirError, WrongCall

ANSWER_SECONDS: Final = 20.0
"""How long the ledger may take for one answer before its reader hears that it does not answer."""
RUNNING: Final = 3
"""As many as the embedded ledger runs at once."""
_FIRST_KEPT: Final = timedelta(minutes=5)
_NOT_KEPT: Final = {"Cache-Control": "no-store"}


class Api:
    """Asks the ledger in `database` through `query`. clock: UTC now."""

    def __init__(self, query: Query, *, clock: Callable[[], datetime], database: str) -> None:
        self._query = query
        self._clock = clock
        self._database = database
        self._running = asyncio.Semaphore(RUNNING)
        self._first: tuple[datetime, datetime] | None = None

    def routes(self, guarded: Callable[[Handler], Handler]) -> list[web.RouteDef]:
        """What is answered here. guarded: what each handler is wrapped in."""

        def get(path: str, answer: Callable[[web.Request], Awaitable[web.Response]]) -> web.RouteDef:
            return web.get(path, guarded(self._answering(answer)))

        return [
            get("/api/boards", self._boards),
            get("/api/ledger", self._ledger),
            get("/api/panels/{board}/{panel}.csv", self._panel_as_csv),
            get("/api/panels/{board}/{panel}", self._panel),
            get("/api/variables/{name}", self._variable),
            get("/api/annotations", self._annotations),
        ]

    def _answering(self, answer: Callable[[web.Request], Awaitable[web.Response]]) -> Handler:
        async def handle(request: web.Request) -> web.StreamResponse:
            try:
                async with self._running:
                    if request.transport is None or request.transport.is_closing():
                        return _failed(499, "the reader has gone", "")
                    async with asyncio.timeout(ANSWER_SECONDS):
                        return await answer(request)
            except WrongCall as failure:
                return _failed(400, failure.message, failure.hint)
            except TokenweirError as failure:
                return _failed(503, failure.message, failure.hint)
            except TimeoutError:
                return _failed(
                    503, f"the ledger did not answer within {ANSWER_SECONDS:.0f} s", "It is asked again"
                )

        return handle

    async def _boards(self, request: web.Request) -> web.Response:
        return web.json_response(all_boards(), headers=_NOT_KEPT)

    async def _ledger(self, request: web.Request) -> web.Response:
        """Whether there is anything in it, and since when."""
        now = self._clock()
        first = await self._first_day(now)
        return web.json_response(
            {"now": _rfc3339(now), "empty": first is None, "first_at": first and _rfc3339(first)},
            headers=_NOT_KEPT,
        )

    async def _panel(self, request: web.Request) -> web.Response:
        answer, choice, now = await self._asked(request)
        return web.json_response(
            {**_period(choice.period, now), "rows": answer.rows},
            headers=_NOT_KEPT,
        )

    async def _panel_as_csv(self, request: web.Request) -> web.Response:
        answer, choice, _ = await self._asked(request)
        board_name, panel_name = request.match_info["board"], answer.panel.name
        days = f"{choice.period.since:%Y-%m-%d}-{choice.period.until:%Y-%m-%d}"
        name = f"tokenweir-{board_name}-{panel_name}-{days}.csv"
        return web.Response(
            text=csv_of(answer),
            content_type="text/csv",
            charset="utf-8",
            headers={**_NOT_KEPT, "Content-Disposition": f'attachment; filename="{name}"'},
        )

    async def _asked(self, request: web.Request) -> tuple[Answer, Choice, datetime]:
        panels = board(request.match_info["board"])
        panel: Panel = panels.panel(request.match_info["panel"])
        now = self._clock()
        choice = await self._choice(read_address(request.query, usual_range=panels.board.period), now)
        return await ask(panel, self._query, choice, now, database=self._database), choice, now

    async def _variable(self, request: web.Request) -> web.Response:
        now = self._clock()
        asked = read_address(request.query, usual_range="7d", besides=("search",))
        offered = await offered_values(
            request.match_info["name"],
            request.query.get("search", ""),
            await self._choice(asked, now),
            self._query,
            now,
            database=self._database,
        )
        return web.json_response(offered, headers=_NOT_KEPT)

    async def _annotations(self, request: web.Request) -> web.Response:
        """The incidents of the period, to be drawn into charts."""
        now = self._clock()
        choice = await self._choice(read_address(request.query, usual_range="7d"), now)
        answer = await ask(ANNOTATIONS, self._query, choice, now, database=self._database)
        rows = [dict(zip(ANNOTATIONS.names, row, strict=True)) for row in answer.rows]
        return web.json_response({**_period(choice.period, now), "incidents": rows}, headers=_NOT_KEPT)

    async def _choice(self, asked: Asked, now: datetime) -> Choice:
        begins_with_the_ledger = asked.range == "all" or (not asked.range and not asked.since)
        return asked.choice(now, await self._first_day(now) if begins_with_the_ledger else None)

    async def _first_day(self, now: datetime) -> datetime | None:
        """When the ledger begins; found anew every few minutes."""
        if self._first is not None and now < self._first[0] + _FIRST_KEPT:
            return self._first[1]
        rows = await self._query(
            f"SELECT min(day) AS first, sum(calls) AS all_calls FROM {self._database}.usage_by_day",  # noqa: S608
            {},
        )
        if not rows or not int(rows[0]["all_calls"] or 0):
            return None
        self._first = (now, _moment(rows[0]["first"]))
        return self._first[1]


def _period(period: Period, now: datetime) -> dict[str, Any]:
    return {
        "now": _rfc3339(now),
        "since": _rfc3339(period.since),
        "until": _rfc3339(period.until),
        "step_seconds": period.step_seconds,
    }


def _moment(value: object) -> datetime:
    """A time as the query gives it: datetime, date, or ClickHouse's text; UTC."""
    parsed = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
    return parsed.replace(tzinfo=UTC) if parsed.tzinfo is None else parsed.astimezone(UTC)


def _rfc3339(at: datetime) -> str:
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _failed(status: int, message: str, hint: str) -> web.Response:
    return web.json_response({"error": message, "hint": hint}, status=status, headers=_NOT_KEPT)
