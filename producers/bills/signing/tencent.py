"""Tencent Cloud's TC3-HMAC-SHA256.

Source: https://cloud.tencent.com/document/api/213/30654 (signature v3).
"""

from datetime import UTC, datetime

from producers.bills.request import Credentials, Request, Sign
from producers.bills.signing.canonical import (
    canonical_request,
    chained_key,
    hmac_sha256,
    host_of,
    lowered,
    sha256_hex,
    signed_names,
)

_SIGNED = ("content-type", "host", "x-tc-action")


def tencent_signature(service: str) -> Sign:
    """Signs for one Tencent service. The request states its action and version as X-TC-Action and X-TC-Version."""

    def sign(request: Request, credentials: Credentials, now: datetime) -> Request:
        seconds = str(int(now.timestamp()))
        day = now.astimezone(UTC).strftime("%Y-%m-%d")
        given = lowered([*request.headers, ("host", host_of(request))])
        # The action is signed in lower case, though it is sent as it is.
        headers = {name: given[name].lower() for name in _SIGNED if name in given}
        scope = f"{day}/{service}/tc3_request"
        text = "\n".join(
            (
                "TC3-HMAC-SHA256",
                seconds,
                scope,
                sha256_hex(canonical_request(request, headers, sha256_hex(request.body))),
            )
        )
        key = chained_key(f"TC3{credentials.key}".encode(), *scope.split("/"))
        authorization = (
            f"TC3-HMAC-SHA256 Credential={credentials.key_id}/{scope}, "
            f"SignedHeaders={signed_names(headers)}, Signature={hmac_sha256(key, text).hex()}"
        )
        return request.with_headers(("X-TC-Timestamp", seconds), ("Authorization", authorization))

    return sign
