"""Huawei Cloud's SDK-HMAC-SHA256.

Source: https://support.huaweicloud.com/devg-apisign/api-sign-algorithm.html and huaweicloudsdkcore 3.1.219,
`huaweicloudsdkcore/signer/signer.py`.
"""

from datetime import UTC, datetime

from producers.bills.request import Credentials, Request
from producers.bills.signing.canonical import (
    canonical_path,
    canonical_request,
    hmac_sha256,
    host_of,
    lowered,
    sha256_hex,
    signed_names,
)

_ALGORITHM = "SDK-HMAC-SHA256"


def huawei_signature(request: Request, credentials: Credentials, now: datetime) -> Request:
    """Signs a request with all its headers, adding `X-Sdk-Date`."""
    stamp = now.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")
    added = ("X-Sdk-Date", stamp)
    headers = lowered([*request.headers, added, ("host", host_of(request))])
    path = canonical_path(request)
    canonical = canonical_request(
        request, headers, sha256_hex(request.body), path=path if path.endswith("/") else f"{path}/"
    )
    text = f"{_ALGORITHM}\n{stamp}\n{sha256_hex(canonical)}"
    signature = hmac_sha256(credentials.key.encode(), text).hex()
    authorization = (
        f"{_ALGORITHM} Access={credentials.key_id}, SignedHeaders={signed_names(headers)}, "
        f"Signature={signature}"
    )
    return request.with_headers(added, ("Authorization", authorization))
