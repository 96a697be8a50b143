"""Which representation the client accepts, and which one it sends. FHIR JSON is the only one here.

https://hl7.org/fhir/R4/http.html#mime-type, https://www.rfc-editor.org/rfc/rfc9110#section-12.5
"""

from functools import lru_cache

from fhir_server.errors import NotAcceptable, UnsupportedMedia

FHIR_JSON = "application/fhir+json"
FORM = "application/x-www-form-urlencoded"

_JSON = frozenset({FHIR_JSON, "application/json", "text/json"})
_ACCEPTED = _JSON | {"*/*", "application/*"}
_FORMATS = _JSON | {"json"}


@lru_cache(maxsize=256)
def accept(header: str) -> None:
    """Raise `NotAcceptable` where an Accept header leaves out FHIR JSON of R4.

    >>> accept("text/html, */*;q=0.1")
    """
    if header and not any(map(_takes, header.split(","))):
        raise NotAcceptable(f"The hub answers {FHIR_JSON}; the request accepts {header[:200]!r}.")


def accept_format(value: str) -> None:
    """Raise `NotAcceptable` where `_format` asks for anything but JSON.

    >>> accept_format("application/fhir+json")
    """
    name = value.split(";", maxsplit=1)[0].strip().lower().replace(" ", "+")
    if name not in _FORMATS:
        raise NotAcceptable(f"_format={value[:100]!r} is not supported; json is.")


def _takes(item: str) -> bool:
    media, *parameters = (part.strip().lower() for part in item.split(";"))
    values = dict(part.partition("=")[::2] for part in parameters)
    return (
        media in _ACCEPTED
        and _weight(values.get("q", "1")) > 0
        and values.get("fhirversion", "4.0").strip('"').startswith("4.0")
    )


def _weight(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return 1.0


@lru_cache(maxsize=256)
def media_type(header: str) -> str:
    """Return the media type of a Content-Type header. Raises `UnsupportedMedia` for other charsets.

    >>> media_type("application/fhir+json; charset=UTF-8")
    'application/fhir+json'
    """
    media, *parameters = (part.strip().lower() for part in header.split(";"))
    values = dict(part.partition("=")[::2] for part in parameters)
    if values.get("charset", "utf-8").strip('"') not in ("utf-8", "utf8", "us-ascii"):
        raise UnsupportedMedia("The hub reads bodies in UTF-8.")
    return media


def require_json(media: str) -> None:
    """Raise `UnsupportedMedia` for a body that is not said to be FHIR JSON."""
    if media not in _JSON:
        told = repr(media[:100]) if media else "without a Content-Type"
        raise UnsupportedMedia(f"The body is {told}; the hub takes {FHIR_JSON} here.")


def takes_gzip(header: str) -> bool:
    """Return whether an Accept-Encoding header takes gzip.

    >>> takes_gzip("br, gzip;q=0.5"), takes_gzip("gzip;q=0")
    (True, False)
    """
    if "gzip" not in header and "*" not in header:
        return False
    for item in header.lower().split(","):
        name, *parameters = (part.strip() for part in item.split(";"))
        if name in ("gzip", "*"):
            return all(_weight(part[2:]) > 0 for part in parameters if part.startswith("q="))
    return False
