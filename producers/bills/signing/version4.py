"""AWS Signature Version 4, and Volcano Engine's, which differs from it in its words.

Sources: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html; Volcano:
volcengine-python-sdk 5.0.54, `volcenginesdkcore/signv4.py`.
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


def aws_signature(region: str, service: str) -> Sign:
    """Signs for one AWS region and service: `Authorization: AWS4-HMAC-SHA256 …`."""

    def sign(request: Request, credentials: Credentials, now: datetime) -> Request:
        stamp = now.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")
        added = [("X-Amz-Date", stamp)]
        if credentials.session_token:
            added.append(("X-Amz-Security-Token", credentials.session_token))
        headers = lowered([*request.headers, *added, ("host", host_of(request))])
        scope = f"{stamp[:8]}/{region}/{service}/aws4_request"
        text = "\n".join(
            (
                "AWS4-HMAC-SHA256",
                stamp,
                scope,
                sha256_hex(canonical_request(request, headers, sha256_hex(request.body))),
            )
        )
        key = chained_key(f"AWS4{credentials.key}".encode(), *scope.split("/"))
        authorization = (
            f"AWS4-HMAC-SHA256 Credential={credentials.key_id}/{scope}, "
            f"SignedHeaders={signed_names(headers)}, Signature={hmac_sha256(key, text).hex()}"
        )
        return request.with_headers(*added, ("Authorization", authorization))

    return sign


def volcano_signature(region: str, service: str) -> Sign:
    """Signs for one Volcano Engine region and service: `Authorization: HMAC-SHA256 …`."""

    def sign(request: Request, credentials: Credentials, now: datetime) -> Request:
        stamp = now.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")
        body_hash = sha256_hex(request.body)
        added = [("X-Date", stamp), ("X-Content-Sha256", body_hash)]
        headers = lowered([*request.headers, *added, ("host", host_of(request))])
        scope = f"{stamp[:8]}/{region}/{service}/request"
        text = "\n".join(
            ("HMAC-SHA256", stamp, scope, sha256_hex(canonical_request(request, headers, body_hash)))
        )
        key = chained_key(credentials.key.encode(), *scope.split("/"))
        authorization = (
            f"HMAC-SHA256 Credential={credentials.key_id}/{scope}, "
            f"SignedHeaders={signed_names(headers)}, Signature={hmac_sha256(key, text).hex()}"
        )
        return request.with_headers(*added, ("Authorization", authorization))

    return sign
