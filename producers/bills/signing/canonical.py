"""What the clouds' signatures have in common: a request written in one canonical way, hashes, chained keys."""

import hashlib
import hmac
from collections.abc import Iterable, Mapping
from urllib.parse import quote, urlsplit

from producers.bills.request import Request


def sha256_hex(data: bytes | str) -> str:
    """SHA-256 as lower-case hexadecimal digits."""
    return hashlib.sha256(data.encode() if isinstance(data, str) else data).hexdigest()


def hmac_sha256(key: bytes, text: str) -> bytes:
    """HMAC with SHA-256."""
    return hmac.new(key, text.encode(), hashlib.sha256).digest()


def chained_key(secret: bytes, *parts: str) -> bytes:
    """A key that is good for these parts only: HMAC over HMAC."""
    key = secret
    for part in parts:
        key = hmac_sha256(key, part)
    return key


def encoded(text: str, *, safe: str = "") -> str:
    """Percent-encoded as RFC 3986 has it: all but letters, digits and `-_.~`."""
    return quote(text, safe=f"{safe}~")


def canonical_query(pairs: Iterable[tuple[str, str]]) -> str:
    """Encoded and sorted: `a=1&b=2`."""
    return "&".join(f"{name}={value}" for name, value in sorted((encoded(n), encoded(v)) for n, v in pairs))


def canonical_path(request: Request) -> str:
    """The path of the URL, each part of it encoded."""
    return encoded(urlsplit(request.url).path or "/", safe="/")


def host_of(request: Request) -> str:
    """The value of the Host header."""
    return urlsplit(request.url).netloc


def lowered(headers: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Headers by lower-case name, values without blanks around them."""
    return {name.lower(): " ".join(value.split()) for name, value in headers}


def header_lines(headers: Mapping[str, str]) -> str:
    """`name:value` lines, sorted, each with its line end."""
    return "".join(f"{name}:{headers[name]}\n" for name in sorted(headers))


def signed_names(headers: Mapping[str, str]) -> str:
    """The names of the signed headers: `content-type;host`."""
    return ";".join(sorted(headers))


def canonical_request(request: Request, headers: Mapping[str, str], body_hash: str, *, path: str = "") -> str:
    """Method, path, query, header lines, their names and the body's hash, a line each."""
    return "\n".join(
        (
            request.method,
            path or canonical_path(request),
            canonical_query(request.query),
            header_lines(headers),
            signed_names(headers),
            body_hash,
        )
    )
