"""Baidu Cloud's bce-auth-v1.

Source: https://cloud.baidu.com/doc/Reference/s/njwvz1yfu and bce-python-sdk 0.9.79, `baidubce/auth/bce_v1_signer.py`.
"""

from datetime import UTC, datetime

from producers.bills.request import Credentials, Request
from producers.bills.signing.canonical import (
    canonical_path,
    canonical_query,
    encoded,
    hmac_sha256,
    host_of,
    lowered,
)

_EXPIRES_SECONDS = 1800
_ALWAYS_SIGNED = ("host", "content-length", "content-type", "content-md5")


def baidu_signature(request: Request, credentials: Credentials, now: datetime) -> Request:
    """Signs a request, adding `x-bce-date` where it has none."""
    stamp = now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    given = lowered(request.headers)
    added = [] if "x-bce-date" in given else [("x-bce-date", stamp)]
    every = lowered([*request.headers, *added, ("host", host_of(request))])
    headers = {
        name: value for name, value in every.items() if name in _ALWAYS_SIGNED or name.startswith("x-bce-")
    }
    lines = sorted(f"{encoded(name)}:{encoded(value)}" for name, value in headers.items() if value)
    text = "\n".join(
        (request.method, canonical_path(request), canonical_query(request.query), "\n".join(lines))
    )
    prefix = f"bce-auth-v1/{credentials.key_id}/{stamp}/{_EXPIRES_SECONDS}"
    key = hmac_sha256(credentials.key.encode(), prefix).hex()
    signature = hmac_sha256(key.encode(), text).hex()
    signed = ";".join(sorted(headers))
    return request.with_headers(*added, ("Authorization", f"{prefix}/{signed}/{signature}"))
