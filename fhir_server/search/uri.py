"""URI parameters: matched whole and as they stand, or by the path above or below.

https://hl7.org/fhir/R4/search.html#uri
"""

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from fhir_server.model import Entry
from fhir_server.search.alternatives import Alternatives, Conds, cond

EXPECTED = "a URI"


def entries(param: str, fhir_type: str, value: Any) -> Iterator[Entry]:
    """Yield a uri, url, oid, uuid or canonical as it stands."""
    if isinstance(value, str):
        yield Entry(param, value)


def canonical_entries(param: str, fhir_type: str, value: Any) -> Iterator[Entry]:
    """Yield a canonical with its version apart."""
    if isinstance(value, str):
        url, _, version = value.partition("|")
        yield Entry(param, url, version)


def alternatives(text: str, modifier: str = "") -> Alternatives:
    """Return what a URI search text demands of an entry.

    `:below` takes what starts with the text at the end of a path segment, `:above` every shorter
    path of a URL; both leave URNs whole. Raises ValueError for a blank text.
    """
    if not text:
        raise ValueError(EXPECTED)
    if modifier == "below" and urlsplit(text).netloc:
        below = cond("v", "prefix", text if text.endswith("/") else text + "/")
        return cond("v", "=", text), below
    if modifier == "above" and urlsplit(text).netloc:
        return tuple(cond("v", "=", each) for each in _above(text))
    return (cond("v", "=", text),)


def _above(url: str) -> Iterator[str]:
    root = url.index("//") + 2
    yield url
    while (at := url.rfind("/", root)) > 0:
        if url[: at + 1] != url:
            yield url[: at + 1]
        url = url[:at]
        yield url


def canonical(text: str, modifier: str = "") -> Alternatives:
    """Return what `url` or `url|version` demands of an entry with its version apart.

    `:below` takes the versions that begin with the one asked, too: `1` for 1.0.
    """
    url, _, version = text.partition("|")
    more: list[Conds] = [cond("w", "=", version) if version else ()]
    if version and modifier == "below":
        more.append(cond("w", "prefix", f"{version}."))
    return tuple(conds + each for conds in alternatives(url, modifier) for each in more)
