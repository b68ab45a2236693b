"""Alibaba Cloud's ACS3-HMAC-SHA256.

Source: https://help.aliyun.com/zh/sdk/product-overview/v3-request-structure-and-signature.
"""

import hashlib
from datetime import UTC, datetime

from producers.bills.request import Credentials, Request
from producers.bills.signing.canonical import (
    canonical_request,
    hmac_sha256,
    host_of,
    lowered,
    sha256_hex,
    signed_names,
)

_ALGORITHM = "ACS3-HMAC-SHA256"


def alibaba_signature(request: Request, credentials: Credentials, now: datetime) -> Request:
    """Signs a request that states x-acs-action and x-acs-version; a nonce that it states is kept."""
    stamp = now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    body_hash = sha256_hex(request.body)
    given = lowered(request.headers)
    added = [("x-acs-date", stamp), ("x-acs-content-sha256", body_hash)]
    if "x-acs-signature-nonce" not in given:
        # Unlike for each request and each moment, which is what a nonce is for; no secret hangs on it.
        seed = f"{now.timestamp()}{request.url}{request.query}{request.tag}"
        added.append(("x-acs-signature-nonce", hashlib.blake2b(seed.encode(), digest_size=16).hexdigest()))
    every = lowered([*request.headers, *added, ("host", host_of(request))])
    headers = {
        name: value
        for name, value in every.items()
        if name in ("host", "content-type") or name.startswith("x-acs-")
    }
    text = f"{_ALGORITHM}\n{sha256_hex(canonical_request(request, headers, body_hash))}"
    signature = hmac_sha256(credentials.key.encode(), text).hex()
    authorization = (
        f"{_ALGORITHM} Credential={credentials.key_id},SignedHeaders={signed_names(headers)},"
        f"Signature={signature}"
    )
    return request.with_headers(*added, ("Authorization", authorization))
