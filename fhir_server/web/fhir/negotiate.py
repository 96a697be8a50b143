"""Which representation the client accepts, and which one it sends. FHIR JSON is the only one here;
a Binary is also what it holds.

https://hl7.org/fhir/R4/http.html#mime-type, https://www.rfc-editor.org/rfc/rfc9110#section-12.5
"""

from collections.abc import Mapping
from functools import lru_cache
from typing import Literal, NamedTuple

from fhir_server.errors import NotAcceptable, UnsupportedMedia

FHIR_JSON = "application/fhir+json"
FORM = "application/x-www-form-urlencoded"
OLD_JSON = "application/json+fhir"
"""The name that FHIR JSON had before STU3; "servers … are encouraged" to take it."""

JSON = frozenset({FHIR_JSON, OLD_JSON, "application/json", "text/json"})
_FORMATS = JSON | {"json"}
_CODINGS: tuple[Literal["zstd", "gzip"], ...] = ("zstd", "gzip")

Coding = Literal["", "zstd", "gzip"]


class Range(NamedTuple):
    """One item of an Accept header."""

    media: str
    parameters: Mapping[str, str]
    weight: float


@lru_cache(maxsize=256)
def ranges(header: str) -> tuple[Range, ...]:
    """Return what an Accept header lists.

    >>> [(each.media, each.weight) for each in ranges("text/html, */*;q=0.1")]
    [('text/html', 1.0), ('*/*', 0.1)]
    """
    return tuple(map(_range, filter(str.strip, header.split(","))))


def _range(item: str) -> Range:
    media, *parameters = (part.strip().lower() for part in item.split(";"))
    values = {name.strip(): value.strip(' "') for name, _, value in _pairs(parameters)}
    return Range(media, values, _weight(values.get("q", "1")))


def _pairs(parameters: list[str]) -> list[tuple[str, str, str]]:
    return [part.partition("=") for part in parameters]


def _weight(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return 1.0


def weight(header: str, media: str) -> float:
    """Return how much a client wants a media type: by the item that fits it best, 0 if by none.

    >>> weight("text/*;q=0.5, text/html;q=0", "text/html"), weight("*/*", "image/png")
    (0.0, 1.0)
    """
    main = media.partition("/")[0]
    for wanted in (media, f"{main}/*", "*/*"):
        fitting = [each.weight for each in ranges(header) if each.media == wanted]
        if fitting:
            return max(fitting)
    return 0.0


@lru_cache(maxsize=256)
def accept(header: str) -> None:
    """Raise `NotAcceptable` where an Accept header leaves out FHIR JSON of R4.

    >>> accept("text/html, */*;q=0.1")
    """
    if header.strip() and not takes_fhir(header):
        raise NotAcceptable(f"The hub answers {FHIR_JSON}; the request accepts {header[:200]!r}.")


def takes_fhir(header: str) -> bool:
    """Tell whether FHIR JSON of R4 is accepted, by its own name, a general one, or a wildcard."""
    named = [each for each in ranges(header) if each.media in JSON and _is_r4(each)]
    if any(each.weight > 0 for each in named):
        return True
    others = {each.media for each in ranges(header)}
    return FHIR_JSON not in others and weight(header, FHIR_JSON) > 0


def names_fhir(header: str) -> bool:
    """Tell whether an Accept header asks for a FHIR format by its own name."""
    return any(
        each.media.startswith("application/fhir+") or each.media == OLD_JSON
        for each in ranges(header)
    )


def _is_r4(item: Range) -> bool:
    """https://hl7.org/fhir/R4/http.html#version-parameter"""
    return item.parameters.get("fhirversion", "4.0").startswith("4.0")


def accept_format(value: str) -> None:
    """Raise `NotAcceptable` where `_format` asks for anything but JSON.

    >>> accept_format("application/fhir+json")
    """
    name = value.split(";", maxsplit=1)[0].strip().lower().replace(" ", "+")
    if name not in _FORMATS:
        raise NotAcceptable(f"_format={value[:100]!r} is not supported; json is.")


@lru_cache(maxsize=256)
def media_type(header: str) -> str:
    """Return the media type of a Content-Type header. Raises `UnsupportedMedia` for other charsets
    and other versions of FHIR.

    >>> media_type("application/fhir+json; charset=UTF-8")
    'application/fhir+json'
    """
    found = _range(header)
    if found.parameters.get("charset", "utf-8") not in ("utf-8", "utf8", "us-ascii"):
        raise UnsupportedMedia("The hub reads bodies in UTF-8.")
    if not _is_r4(found):
        raise UnsupportedMedia("The hub takes FHIR 4.0 alone.")
    return found.media


def require_json(media: str) -> None:
    """Raise `UnsupportedMedia` for a body that is not said to be FHIR JSON."""
    if media not in JSON:
        told = repr(media[:100]) if media else "without a Content-Type"
        raise UnsupportedMedia(f"The body is {told}; the hub takes {FHIR_JSON} here.")


@lru_cache(maxsize=256)
def coding(header: str) -> Coding:
    """Return the content coding that an Accept-Encoding header prefers, empty for none.

    >>> coding("br, gzip;q=0.5"), coding("gzip, zstd"), coding("gzip;q=0, *"), coding("identity")
    ('gzip', 'zstd', 'zstd', '')
    """
    named = {each.media: each.weight for each in ranges(header)}
    wildcard = named.get("*", 0.0)
    best = max(_CODINGS, key=lambda name: named.get(name, wildcard))
    return best if named.get(best, wildcard) > 0 else ""
