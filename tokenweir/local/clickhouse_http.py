"""ClickHouse's HTTP interface over the embedded ledger, for reading.

Any HTTP client of ClickHouse can ask: clickhouse-connect, curl, the JDBC driver. It needs a port of its own,
because such clients ask at `/`, `/ping` and `/replicas_status`. What may be asked, and how much, is decided in
`tokenweir.local.read_only`; this module only speaks the protocol.

Spoken here: the statement in `query`, in the body, or in both; multipart forms; `database`, `default_format`,
`param_<name>`, settings and `query_id` in the address; the `X-ClickHouse-*` headers; users by Basic
authentication, by header and by parameter; answers plain, or compressed with zstd or gzip by `Accept-Encoding`.

Not spoken: sessions, temporary and external tables, ClickHouse's own compressed blocks (`compress=1`,
`decompress=1`; the JDBC driver's `compress=0` turns them off), and the newer revisions of the Native format
(`client_protocol_version` is passed over, as an older server would), which clickhouse-go insists on.
Answers are built whole before the first byte is sent, so an error always has its own status and never stands
in the middle of an answer.
"""

import base64
import binascii
import hmac
import json
import re
import uuid
from collections.abc import Iterable
from typing import Final

import cramjam
from aiohttp import BodyPartReader, hdrs, web
from aiohttp.typedefs import Middleware

from dashboards.page.loopback import Handler, loopback_only
from tokenweir.local.read_only import NOT_IMPLEMENTED, READONLY, Answer, QueryRefused, ReadOnlyLedger

MAX_BODY_BYTES: Final = 1024 * 1024
_LEDGER: Final = web.AppKey("ledger", ReadOnlyLedger)
_TIMEZONE: Final = web.AppKey("timezone", str)

# Parameters of the interface itself; whatever else stands in the address is a setting.
# fmt: off
_TRANSPORT_PARAMETERS: Final = frozenset({
    "query", "query_id", "database", "default_format", "user", "password", "quota_key", "role",
    "session_id", "session_timeout", "session_check", "session_timezone_id", "compress", "decompress",
    "buffer_size", "wait_end_of_query", "send_progress_in_http_headers",
    "http_headers_progress_interval_ms", "enable_http_compression", "http_zlib_compression_level",
    "http_response_buffer_size", "cancel_http_readonly_queries_on_client_close",
    "client_protocol_version", "add_http_cors_header", "max_http_get_redirects", "stacktrace",
    "close_session", "http_write_exception_in_output_format", "http_receive_timeout",
    "http_send_timeout", "http_connection_timeout", "receive_timeout", "send_timeout",
    "connect_timeout", "client_name", "async_insert", "wait_for_async_insert",
    "date_time_input_format", "cast_string_to_dynamic_use_inference",
})
# fmt: on
# Statuses as the server chooses them (its `exceptionCodeToHTTPStatus`), and 403 for what is not allowed here.
_STATUS_BY_CODE: Final = {
    **dict.fromkeys(
        (6, 26, 27, 36, 38, 41, 43, 44, 47, 53, 62, 69, 70, 72, 73, 115, 117, 131, 386, 456, 457), 400
    ),
    **dict.fromkeys((46, 50, 60, 78, 81, 82), 404),
    48: 501,
    159: 408,
    164: 403,
    202: 503,
    516: 403,
}
_CONTENT_TYPE: Final = {
    "JSON": "application/json; charset=UTF-8",
    "JSONCompact": "application/json; charset=UTF-8",
    "JSONEachRow": "application/x-ndjson; charset=UTF-8",
    "JSONLines": "application/x-ndjson; charset=UTF-8",
    "NDJSON": "application/x-ndjson; charset=UTF-8",
    "CSV": "text/csv; charset=UTF-8; header=absent",
    "CSVWithNames": "text/csv; charset=UTF-8; header=present",
    "TabSeparated": "text/tab-separated-values; charset=UTF-8",
    "TabSeparatedWithNames": "text/tab-separated-values; charset=UTF-8",
    "TSV": "text/tab-separated-values; charset=UTF-8",
    "Pretty": "text/plain; charset=UTF-8",
    "PrettyCompact": "text/plain; charset=UTF-8",
    "Vertical": "text/plain; charset=UTF-8",
    "XML": "application/xml; charset=UTF-8",
    "Arrow": "application/vnd.apache.arrow.file",
    "ArrowStream": "application/vnd.apache.arrow.stream",
    "Parquet": "application/vnd.apache.parquet",
}
_QUERY_ID: Final = re.compile(r"[\w.:-]{1,128}")


def clickhouse_http_app(
    ledger: ReadOnlyLedger, *, token: str = "", allowed_hosts: Iterable[str] = (), timezone: str = "UTC"
) -> web.Application:
    """The endpoint, to be served at the root of a port of its own.

    token: where not empty, the password that every caller must give; the user's name is never looked at.
    allowed_hosts: host names beside the loopback's own (see `loopback_only`). timezone: the engine's, as
    `SELECT timezone()` says. The ledger stays the caller's to close.
    """
    app = web.Application(
        client_max_size=MAX_BODY_BYTES, middlewares=[loopback_only(allowed_hosts), _authentication(token)]
    )
    app[_LEDGER] = ledger
    app[_TIMEZONE] = timezone
    app.router.add_get("/ping", _ping)
    app.router.add_get("/replicas_status", _ping)
    app.router.add_route(hdrs.METH_ANY, "/", _query)
    return app


async def _ping(request: web.Request) -> web.Response:
    return web.Response(text="Ok.\n", content_type="text/html", charset="UTF-8")


async def _query(request: web.Request) -> web.Response:
    if request.method not in (hdrs.METH_GET, hdrs.METH_POST, hdrs.METH_HEAD):
        raise web.HTTPMethodNotAllowed(request.method, [hdrs.METH_GET, hdrs.METH_HEAD, hdrs.METH_POST])
    wanted_id = request.query.get("query_id", "")
    query_id = wanted_id if _QUERY_ID.fullmatch(wanted_id) else str(uuid.uuid4())
    try:
        fields = {**request.query}
        body = await _body(request, fields)
        sql = "\n".join(part for part in (fields.get("query", ""), body) if part)
        if not sql.strip():
            return _greeting(request)
        answer = await request.app[_LEDGER].answer(
            sql,
            format=fields.get("default_format")
            or request.headers.get("X-ClickHouse-Format")
            or "TabSeparated",
            database=fields.get("database") or request.headers.get("X-ClickHouse-Database") or "",
            settings={
                name: value
                for name, value in fields.items()
                if name not in _TRANSPORT_PARAMETERS and not name.startswith("param_")
            },
            parameters={
                name.removeprefix("param_"): value
                for name, value in fields.items()
                if name.startswith("param_")
            },
            query_id=query_id,
        )
    except QueryRefused as refused:
        return _refused(refused, query_id)
    return _answered(request, answer)


async def _body(request: web.Request, fields: dict[str, str]) -> str:
    """The statement in the body; the fields of a form go into `fields`."""
    for name in ("compress", "decompress"):
        if request.query.get(name) == "1":
            raise _not_implemented(f"{name}=1", f"Set {name}=0; Accept-Encoding is answered")
    if request.content_type == "multipart/form-data":
        async for part in await request.multipart():
            if not isinstance(part, BodyPartReader) or part.filename is not None:
                raise _not_implemented("external tables", "Put the values into the statement")
            fields[part.name or ""] = (await part.read(decode=True)).decode()
        return ""
    try:
        return (await request.read()).decode()
    except UnicodeDecodeError as failure:
        raise QueryRefused(
            READONLY,
            "Code: 164. DB::Exception: The body is not a statement in UTF-8; data to insert is not taken here. "
            "(READONLY)",
        ) from failure


def _not_implemented(what: str, hint: str) -> QueryRefused:
    return QueryRefused(
        NOT_IMPLEMENTED, f"Code: 48. DB::Exception: {what} is not served here. (NOT_IMPLEMENTED)", hint=hint
    )


def _greeting(request: web.Request) -> web.Response:
    return web.Response(text="Ok.\n", headers=_headers(request.app[_TIMEZONE]))


def _headers(timezone: str) -> dict[str, str]:
    return {
        "X-ClickHouse-Server-Display-Name": "tokenweir",
        "X-ClickHouse-Timezone": timezone,
        "Cache-Control": "no-store",
        "X-Content-Type-Options": "nosniff",
    }


def _answered(request: web.Request, answer: Answer) -> web.Response:
    summary = {
        "read_rows": str(answer.rows_read),
        "read_bytes": str(answer.bytes_read),
        "written_rows": "0",
        "written_bytes": "0",
        "total_rows_to_read": "0",
        "result_rows": "0",
        "result_bytes": str(len(answer.body)),
        "elapsed_ns": str(int(answer.elapsed_seconds * 1e9)),
    }
    headers = _headers(request.app[_TIMEZONE]) | {
        "X-ClickHouse-Query-Id": answer.query_id,
        "X-ClickHouse-Format": answer.format,
        "X-ClickHouse-Summary": json.dumps(summary),
        "Content-Type": _CONTENT_TYPE.get(answer.format, "application/octet-stream"),
    }
    body = answer.body
    if request.query.get("enable_http_compression") == "1" and len(body) > 1024:
        body, encoding = _encoded(body, request.headers.get("Accept-Encoding", ""))
        if encoding:
            headers["Content-Encoding"] = encoding
    return web.Response(body=body, headers=headers)


def _encoded(body: bytes, accepted: str) -> tuple[bytes, str]:
    names = {part.partition(";")[0].strip().lower() for part in accepted.split(",")}
    if "zstd" in names:
        return bytes(cramjam.zstd.compress(body, level=1)), "zstd"
    if "gzip" in names:
        return bytes(cramjam.gzip.compress(body, level=1)), "gzip"
    return body, ""


def _refused(refused: QueryRefused, query_id: str) -> web.Response:
    text = refused.message + (f" {refused.hint}." if refused.hint else "") + "\n"
    return web.Response(
        status=_STATUS_BY_CODE.get(refused.code, 500),
        text=text,
        headers=_headers("UTC")
        | {"X-ClickHouse-Exception-Code": str(refused.code), "X-ClickHouse-Query-Id": query_id},
    )


def _authentication(token: str) -> Middleware:
    @web.middleware
    async def check(request: web.Request, handler: Handler) -> web.StreamResponse:
        if (
            token
            and request.path == "/"
            and not hmac.compare_digest(_password(request).encode(), token.encode())
        ):
            return _refused(
                QueryRefused(
                    516,
                    "Code: 516. DB::Exception: Authentication failed: the password is not this endpoint's token. "
                    "(AUTHENTICATION_FAILED)",
                ),
                str(uuid.uuid4()),
            )
        return await handler(request)

    return check


def _password(request: web.Request) -> str:
    """The password in the request: Basic or Bearer authentication, X-ClickHouse-Key, or `password`."""
    scheme, _, value = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return value.strip()
    if scheme.lower() == "basic":
        try:
            return base64.b64decode(value, validate=True).decode().partition(":")[2]
        except (binascii.Error, UnicodeDecodeError):
            return ""
    return request.headers.get("X-ClickHouse-Key") or request.query.get("password", "")
