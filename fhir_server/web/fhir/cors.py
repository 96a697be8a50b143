"""Cross-origin requests: pages of registered origins may call the FHIR API from a browser.

https://fetch.spec.whatwg.org/#http-cors-protocol

Nothing here rests on cookies, so credentials are never allowed; a page brings its own token, and
may send what headers it likes (`*` alone would leave out Authorization).
"""

from collections.abc import Mapping

Headers = list[tuple[bytes, bytes]]

_EXPOSED = (
    b"ETag, Last-Modified, Location, Content-Location, X-Request-Id, X-Progress, Retry-After, "
    b"Allow, Accept-Patch, Preference-Applied"
)
_PREFLIGHT: Headers = [
    (b"access-control-allow-methods", b"GET, HEAD, POST, PUT, PATCH, DELETE"),
    (
        b"access-control-allow-headers",
        b"Authorization, Content-Type, Accept, Prefer, If-Match, If-None-Match, "
        b"If-Modified-Since, If-None-Exist, X-Request-Id, X-Security-Context, *",
    ),
    (b"access-control-max-age", b"86400"),
]


def origins(setting: str) -> frozenset[bytes]:
    """Return the registered origins.

    >>> sorted(origins("https://a.example, https://b.example/"))
    [b'https://a.example', b'https://b.example']
    """
    return frozenset(
        each.strip().rstrip("/").lower().encode() for each in setting.split(",") if each.strip()
    )


def headers(allowed: frozenset[bytes], request: Mapping[bytes, bytes]) -> Headers:
    """Return the headers that let the page of a registered origin read an answer; else none."""
    origin = request.get(b"origin", b"")
    if not origin or not allowed:
        return []
    if b"*" in allowed:
        granted = b"*"
    elif origin.lower() in allowed:
        granted = origin
    else:
        return []
    return [
        (b"access-control-allow-origin", granted),
        (b"access-control-expose-headers", _EXPOSED),
    ]


def preflight(allowed: frozenset[bytes], request: Mapping[bytes, bytes]) -> Headers:
    """Return what the answer to what a browser asks beforehand has besides `headers`."""
    return _PREFLIGHT if headers(allowed, request) else []
